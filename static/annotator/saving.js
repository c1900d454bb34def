/**
 * The draft, saved as one works: to the server soon after each edit, and to this browser at once as a last resort.
 *
 * The same seat may be open in another browser. Each page saves under a word of its own (`page`) and says which version
 * of the draft it knows of, so that the server refuses the one that is behind; what that one drew stays in its browser.
 */

import { writeTrack } from "./edits.js";
import { writeInterval } from "./intervals.js";

const AFTER_MS = 1200;
const KEEP_MS = 250;
const RETRY_MS = [2000, 5000, 10000, 30000];

export function createSaving({ store, id, token, page, draft, save, onState }) {
  const place = `trackweave:draft:${id}`;
  const aside = `trackweave:aside:${id}`;
  let version = draft?.version ?? 0;
  let timer = 0;
  let keeping = 0;
  let failures = 0;
  let dirty = false;
  let running = null;
  let over = false;
  let behind = false; // another page saved since this one read the draft

  const body = () =>
    ({ token, page, version, tracks: store.all().map(writeTrack), intervals: store.intervals().map(writeInterval) });

  /** Once a moment, not at each step of a drag. */
  function keepHere() {
    keeping ||= setTimeout(writeHere, KEEP_MS);
  }

  function writeHere() {
    keeping = 0;
    if (!dirty || over) return;
    try {
      localStorage.setItem(place, JSON.stringify(body()));
    } catch {
      // Full or forbidden: the server's draft is the one that counts.
    }
  }

  function plan(ms) {
    clearTimeout(timer);
    timer = setTimeout(flush, ms);
  }

  store.on("tracks", ({ origin }) => {
    if (over || origin === "load") return;
    dirty = true;
    keepHere();
    onState("unsaved");
    plan(AFTER_MS);
  });

  /** Save now what is unsaved; resolves when the server has it or has refused. */
  async function flush() {
    clearTimeout(timer);
    while (running) await running; // several may have waited, and each saves what the one before left
    if (!dirty || over) return;
    writeHere();
    dirty = false;
    onState("saving");
    running = save(body()).then(saved, failed);
    await running;
    running = null;
  }

  function saved(answer) {
    failures = 0;
    version = answer?.data?.version ?? version;
    if (dirty) return;
    localStorage.removeItem(place);
    onState("saved");
  }

  function failed(problem) {
    if (over) return;
    dirty = true;
    writeHere();
    if (problem.status === 410 || problem.status === 409) {
      over = true;
      behind = problem.code === "draft-changed";
      onState(behind ? "behind" : "over", problem.message, problem);
    } else if (problem.status >= 400 && problem.status < 500) {
      onState("refused", problem.message, problem);
    } else {
      onState("offline");
      plan(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
      failures += 1;
    }
  }

  function read(key) {
    try {
      const kept = JSON.parse(localStorage.getItem(key) ?? "null");
      return kept?.token === token ? kept : null;
    } catch {
      return null;
    }
  }

  function move(from, to) {
    const text = localStorage.getItem(from);
    localStorage.removeItem(from); // first: there may be no room for both
    localStorage.setItem(to, text);
  }

  window.addEventListener("online", () => dirty && flush());
  document.addEventListener("visibilitychange", () => document.hidden && flush());
  window.addEventListener("beforeunload", (event) => dirty && !over && event.preventDefault());

  return {
    body, flush,
    isBehind: () => behind,
    kept: () => read(place),

    /** What this browser kept and the server did not get, for this very seat; null if there is nothing. */
    leftover() {
      const kept = read(place);
      const newest = ({ page: by, version: at }) => (by === undefined ? !draft : by === draft?.page || at === version);
      if (!kept || newest(kept)) return kept;
      // Another page saved since: it waits aside, where what is drawn from here on does not take its place.
      move(place, aside);
      return null;
    },

    /** What this browser kept while another one went on; null if there is nothing. */
    aside: () => read(aside),
    forget: () => localStorage.removeItem(aside),

    done() {
      over = true;
      dirty = false;
      clearTimeout(timer);
      [place, aside].forEach((key) => localStorage.removeItem(key));
    },
  };
}
