/** The worker's page: one seat, from the claim to the submit. Wires the modules; decides nothing about boxes. */

import * as api from "./api.js";
import { createBench } from "./bench.js";
import { createLease } from "./lease.js";
import { createSaving } from "./saving.js";
import { doubts, sortProblems } from "./problems.js";
import { alone } from "./tabs.js";
import { $, h, paragraphs } from "./dom.js";

const root = $("[data-bench]");
const id = root.dataset.assignment;

/** Time with the page in sight; time in another tab is no work on this task. */
const worked = {
  before: 0,
  since: performance.now(),
  seconds: () => (worked.before + (worked.since === null ? 0 : performance.now() - worked.since)) / 1000,
};
document.addEventListener("visibilitychange", () => {
  worked.before = worked.seconds() * 1000;
  worked.since = document.hidden ? null : performance.now();
});

const STATES = {
  saved: "Saved", saving: "Saving…", unsaved: "Not saved yet", offline: "Offline: kept in this browser",
  refused: "Not saved", over: "Kept, but your time is over",
};

function fatal(text) {
  $("[data-fatal-text]").textContent = text;
  $("[data-fatal]").hidden = false;
  [$("[data-submit]"), $("[data-release]"), $("[data-renew]")].forEach((b) => (b.disabled = true));
}

function showState(state, detail = "") {
  const saved = $("[data-saved]");
  saved.dataset.state = state;
  saved.textContent = STATES[state];
  saved.title = detail;
}

function openBench(seat, mayDraw) {
  const { segment, clip, project } = seat;
  return createBench({
    root, clip,
    piece: {
      ...segment, labels: project.labels, frameStep: seat.frame_step,
      tracks: seat.tracks, intervals: seat.intervals, ghosts: seat.ghosts, readOnly: !mayDraw,
    },
    loadPicture: (frame) => api.assignments.frame(id, frame, clip.width),
  });
}

function openSaving(seat, { store }) {
  const saving = createSaving({
    store, id, token: seat.token,
    save: (body) => api.assignments.draft(id, body),
    onState: (state, detail) => {
      showState(state, detail);
      if (state === "refused") store.say(`Not saved: ${detail}`);
      if (state === "over") end(store, `This seat is no longer yours: ${detail}`);
    },
  });
  const kept = saving.leftover();
  if (kept) {
    store.change("restore", [
      ...store.all().filter((t) => !kept.some((k) => k.id === t.id)).map((t) => ({ id: t.id, after: null })),
      ...kept.map((t) => ({ id: t.id, after: t })),
    ]);
    store.say("What this browser had kept and the server had not is back.");
  }
  return saving;
}

function end(store, text) {
  store.setReadOnly(true);
  fatal(text);
}

function openLease(seat, { store }, saving) {
  const note = $("[data-lease-note]");
  const lease = createLease({
    until: seat.lease_until, renewals: seat.renewals_left, now: api.now,
    renew: () => api.assignments.renew(id, seat.token),
    view: {
      root: $("[data-lease]"), time: $("[data-lease-time]"), button: $("[data-renew]"),
      warn: (renewable) => {
        $("[data-lease-text]").textContent = renewable
          ? "Your time for this task is nearly over." : "Your time for this task is nearly over and cannot be renewed: submit soon.";
        $("[data-renew-now]").hidden = !renewable;
        note.hidden = false;
      },
      renewed: () => (note.hidden = true),
      failed: (message) => store.say(message),
    },
    onOver: async () => {
      await saving.flush();
      end(store, "Your time for this task is over. The draft is kept, but it can no longer be submitted.");
    },
  });
  $("[data-renew-now]").addEventListener("click", lease.extend);
  return lease;
}

/** Ask in a dialog; resolves to whether the answer was yes. */
function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

async function goOn(seat) {
  const { status, data } = await api.assignments.claim(seat.project.id).catch(() => ({ status: 0 }));
  location.assign(data && status !== 204 ? `/work/${data.id}/` : "/work/?done=1");
}

async function submit(seat, { store, player }, saving, lease) {
  const button = $("[data-submit]");
  if (button.disabled) return;
  const tracks = store.all();
  $("[data-summary]").textContent = tracks.length === 1 ? "1 object." : `${tracks.length || "No"} objects.`;
  $("[data-doubts]").replaceChildren(...doubts(store).slice(0, 12).map((text) => h("li", {}, text)));
  if (!(await ask($("[data-confirm]")))) return;
  // What is drawn from here on would be in nobody's hands.
  button.disabled = true;
  store.setReadOnly(true);
  await saving.flush();
  const body = { ...saving.body(), work_s: Math.round(worked.seconds()) };
  try {
    await api.assignments.submit(id, body);
    saving.done();
    lease.stop();
    await goOn(seat);
  } catch (problem) {
    const ended = !$("[data-fatal]").hidden;
    button.disabled = ended;
    store.setReadOnly(ended);
    refused(problem, body, store, player);
  }
}

function refused(problem, { tracks }, store, player) {
  if (problem.status === 409 || problem.status === 410) {
    end(store, problem.message);
    return;
  }
  const { byTrack, rest } = sortProblems(problem.errors, tracks);
  store.setErrors(byTrack);
  const box = $("[data-problems]");
  box.replaceChildren(h("p", {}, problem.message), h("ul", {}, ...rest.map((text) => h("li", {}, text))));
  box.hidden = false;
  const [first] = byTrack;
  if (!first) return;
  store.select(first[0]);
  if (first[1][0].frame !== null) player.show(first[1][0].frame);
}

async function release(seat, saving, store) {
  if (!(await ask($("[data-leave]")))) return;
  try {
    await api.assignments.release(id, { token: seat.token, reason: $("[data-reason]").value });
    saving.done();
    location.assign("/work/");
  } catch (problem) {
    store.say(problem.message);
  }
}

async function start() {
  const free = await alone(`trackweave:seat:${id}`);
  const seat = await api.assignments.read(id);
  if (!seat.clip) return fatal("This task is no longer yours to work on.");
  $("[data-project]").textContent = seat.project.name;
  paragraphs($("[data-instructions]"), seat.project.instructions || "No instructions were given.");
  const bench = openBench(seat, free && seat.status === "held");
  if (seat.status !== "held") return fatal(`This task is ${seat.status}. It is shown as it was.`);
  if (!free) return fatal("This task is open in another tab. Go on there, or close that tab and load this page again.");
  const saving = openSaving(seat, bench);
  const lease = openLease(seat, bench, saving);
  bench.store.on("tracks errors", () => ($("[data-problems]").hidden = !bench.store.errors.size));
  const send = () => submit(seat, bench, saving, lease);
  $("[data-submit]").addEventListener("click", send);
  $("[data-release]").addEventListener("click", () => release(seat, saving, bench.store));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !$("dialog[open]")) send();
  });
}

start().catch((problem) => fatal(problem.message));
