/** Moments in the reader's own time: the server says them in UTC, and each browser knows where it is. */

// The Swedish way to write a date is the one that nobody reads as another day: 2026-03-01 16:27.
const form = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short" });

export function toLocal(root) {
  root.querySelectorAll("time:not([title])").forEach((time) => {
    time.title = time.textContent;
    time.textContent = form.format(new Date(time.dateTime));
  });
}

toLocal(document);
