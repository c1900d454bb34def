/** Parts of a page that change by themselves: fetched as the server renders them and put in place. */

import { readPage } from "../annotator/api.js";

const EVERY_MS = 2500;
let running = Promise.resolve();

/** Nothing is replaced under somebody's hands: a part with the focus or an open details stays for now. */
const busy = (part) => part.contains(document.activeElement) || part.querySelector("details[open] form, details[open] input");

async function load() {
  if (!document.querySelector("[data-fresh]")) return;
  const html = await readPage(location.href);
  const fresh = new DOMParser().parseFromString(html, "text/html");
  document.querySelectorAll("[data-fresh]").forEach((part) => {
    const next = fresh.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
    if (!next) return;
    part.toggleAttribute("data-unfinished", next.hasAttribute("data-unfinished"));
    if (busy(part) || next.innerHTML === part.innerHTML) return;
    const open = [...part.querySelectorAll("details")].map((d) => d.open);
    part.replaceChildren(...document.adoptNode(next).childNodes);
    part.querySelectorAll("details").forEach((d, i) => (d.open = open[i] ?? false));
  });
}

/** Look again; resolves when the page shows what the server says from now on, not what it said a moment ago. */
export function refresh() {
  running = running.then(load).catch(() => {});
  return running;
}

setInterval(() => {
  if (!document.hidden && document.querySelector("[data-unfinished]")) refresh();
}, EVERY_MS);
