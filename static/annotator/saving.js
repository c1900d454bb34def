/** The draft, saved as one works: to the server soon after each edit, and to this browser at once as a last resort. */

import { writeTrack } from "./edits.js";
import { writeInterval } from "./intervals.js";

const AFTER_MS = 1200;
const KEEP_MS = 250;
const RETRY_MS = [2000, 5000, 10000, 30000];

export function createSaving({ store, id, token, save, onState }) {
  const place = `trackweave:draft:${id}`;
  let timer = 0;
  let keeping = 0;
  let failures = 0;
  let dirty = false;
  let running = null;
  let over = false;

  const body = () => ({ token, tracks: store.all().map(writeTrack), intervals: store.intervals().map(writeInterval) });

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

  function saved() {
    failures = 0;
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
      onState("over", problem.message);
    } else if (problem.status >= 400 && problem.status < 500) {
      onState("refused", problem.message);
    } else {
      onState("offline");
      plan(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
      failures += 1;
    }
  }

  window.addEventListener("online", () => dirty && flush());
  document.addEventListener("visibilitychange", () => document.hidden && flush());
  window.addEventListener("beforeunload", (event) => dirty && !over && event.preventDefault());

  return {
    body, flush,
    /** What this browser kept and the server did not get, for this very seat; null if there is nothing. */
    leftover() {
      try {
        const kept = JSON.parse(localStorage.getItem(place) ?? "null");
        return kept?.token === token ? kept : null;
      } catch {
        return null;
      }
    },
    done() {
      over = true;
      dirty = false;
      clearTimeout(timer);
      localStorage.removeItem(place);
    },
  };
}
