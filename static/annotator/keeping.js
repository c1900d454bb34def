/** The draft on the worker's page: how it stands, and what this browser had kept of it when another one went on. */

import * as api from "./api.js";
import { createSaving } from "./saving.js";
import { isOut } from "./out.js";
import { $ } from "./dom.js";

const PATIENCE_MS = 4000;

const STATES = {
  saved: "Saved", saving: "Saving…", unsaved: "Not saved yet", offline: "Offline: kept in this browser",
  refused: "Not saved", out: "Logged out: kept in this browser", over: "Kept, but your time is over", behind: "Another browser is ahead",
};

function showState(state, detail = "") {
  const saved = $("[data-saved]");
  saved.dataset.state = state;
  saved.textContent = STATES[state];
  saved.title = detail;
}

/** Say that an answer is waited for, and when it takes long; the function that it returns tells of the draft again. */
export function tellWaiting(text) {
  const saved = $("[data-saved]");
  const { state } = saved.dataset;
  const late = setTimeout(() => (saved.textContent = `${text} No answer yet.`), PATIENCE_MS);
  saved.dataset.state = "waiting";
  saved.textContent = text;
  return () => {
    clearTimeout(late);
    if (saved.dataset.state === "waiting") showState(state);
  };
}

/** `ends.over(detail)` and `ends.behind(detail)` hear why nothing can be saved any more. */
export function openSaving(seat, store, ends) {
  const saving = createSaving({
    store, id: seat.id, token: seat.token, page: api.newKey(), draft: seat.draft,
    save: (body) => api.assignments.draft(seat.id, body),
    onState: (state, detail, problem) => {
      const out = state === "refused" && isOut(problem);
      showState(out ? "out" : state, detail);
      if (state === "refused" && !out) store.say(`Not saved: ${detail}`);
      ends[state]?.(detail, problem);
    },
  });
  const kept = saving.leftover();
  if (kept) {
    restore(store, kept);
    store.say("What this browser had kept and the server had not is back.");
  }
  offerAside(store, saving);
  return saving;
}

/** Put what was kept in the place of what is there, as one edit. */
function restore(store, { tracks, intervals = [] }) {
  store.change("restore", [
    ...store.all().filter((t) => !tracks.some((k) => k.id === t.id)).map((t) => ({ id: t.id, after: null })),
    ...tracks.map((t) => ({ id: t.id, after: t })),
    ...store.intervals().map(({ id: old }) => ({ of: "interval", id: old, after: null })),
    ...intervals.map(store.newInterval).map((i) => ({ of: "interval", id: i.id, after: i })),
  ]);
}

/** What this browser had kept while another one went on is shown only if it is asked for; undo goes back again. */
function offerAside(store, saving) {
  const [note, kept] = [$("[data-aside]"), saving.aside()];
  note.hidden = !kept;
  const answer = (run) => () => {
    run();
    saving.forget();
    note.hidden = true;
  };
  $("[data-aside-show]").addEventListener("click", answer(() => restore(store, kept)));
  $("[data-aside-forget]").addEventListener("click", answer(() => {}));
}
