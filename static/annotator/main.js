/** The worker's page: one seat, from the claim to the submit. Wires the modules; decides nothing about boxes. */

import * as api from "./api.js";
import { createBench } from "./bench.js";
import { createLease } from "./lease.js";
import { openSaving, tellWaiting } from "./keeping.js";
import { offerLate } from "./late.js";
import { isOut, onReturn } from "./out.js";
import { doubts, explain, summary } from "./problems.js";
import { alone } from "./tabs.js";
import { workedSeconds } from "./worked.js";
import { $, ask, h, paragraphs } from "./dom.js";

const OVER = "Your time for this task is over. What you drew is kept.";
const root = $("[data-bench]");
const LATE = ["expired", "revoked"];
const id = root.dataset.assignment;

function fatal(text) {
  $("[data-fatal-text]").textContent = text;
  $("[data-fatal]").hidden = false;
  [$("[data-submit]"), $("[data-release]"), $("[data-renew]")].forEach((b) => (b.disabled = true));
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

let lease = null;

/** Nothing more is done here, and no time runs that could be renewed. */
function end(store, text) {
  lease?.stop();
  $("[data-lease-time]").textContent = "over";
  $("[data-lease-note]").hidden = true;
  store.setReadOnly(true);
  fatal(text);
}

/** The time is over: what is drawn can be submitted late, for a manager. */
function endLate(seat, { store }, saving, text) {
  end(store, text);
  offerLate(store, {
    send: () => api.assignments.submit(id, saving.body()), kept: saving.done,
    inTime: () => {
      saving.done();
      return goOn(seat);
    },
  });
}

/** Another browser is ahead: nothing more can be drawn here, until one goes on with what that one saved. */
function endBehind(store, saving, text) {
  end(store, saving.kept() ? `${text} What you drew here since is kept in this browser.` : text);
  $("[data-take-over]").hidden = false;
}

function openLease(seat, bench, saving) {
  const { store } = bench;
  const note = $("[data-lease-note]");
  lease = createLease({
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
      failed: (problem) => isOut(problem) || store.say(problem.message),
    },
    onOver: async () => {
      await saving.flush();
      endLate(seat, bench, saving, OVER);
    },
  });
  $("[data-renew-now]").addEventListener("click", lease.extend);
}

async function goOn(seat) {
  const { status, data } = await api.assignments.claim(seat.project.id).catch(() => ({ status: 0 }));
  location.assign(data && status !== 204 ? `/work/${data.id}/` : "/work/?done=1");
}

let lost = null;

async function submit(seat, { store, player }, saving) {
  const button = $("[data-submit]");
  if (button.disabled) return;
  $("[data-summary]").textContent = summary(store);
  $("[data-doubts]").replaceChildren(...doubts(store).slice(0, 12).map((text) => h("li", {}, text)));
  if (!(await ask($("[data-confirm]")))) return;
  // What is drawn from here on would be in nobody's hands.
  button.disabled = true;
  store.setReadOnly(true);
  await saving.flush();
  if (saving.isBehind()) return;
  const answered = tellWaiting("Submitting…");
  const work = saving.body();
  // What was sent and not answered may have arrived: sent again as it was, it is told so.
  const same = JSON.stringify(lost?.work) === JSON.stringify(work);
  const body = same ? lost.body : { ...work, work_s: Math.round(workedSeconds()) };
  lost = { work, body };
  const sent = store.whole();
  try {
    await api.assignments.submit(id, body);
    saving.done();
    lease.stop();
    await goOn(seat);
  } catch (problem) {
    answered();
    goOnHere(store, button);
    if (problem.code === "draft-changed") endBehind(store, saving, problem.message);
    else refused(problem, sent, { store, player });
  }
}

/** An answer came that ends nothing: drawing goes on, unless the seat ended meanwhile. */
function goOnHere(store, button) {
  const ended = !$("[data-fatal]").hidden;
  button.disabled = ended;
  store.setReadOnly(ended);
}

function refused(problem, sent, bench) {
  if (isOut(problem)) return;
  if (problem.status === 409 || problem.status === 410) end(bench.store, problem.message);
  else explain(problem, sent, bench);
}

async function release(seat, saving, store) {
  const button = $("[data-release]");
  if (!(await ask($("[data-leave]")))) return;
  button.disabled = true;
  store.setReadOnly(true);
  await saving.flush(); // a draft that came after the seat was given back would be refused
  const answered = tellWaiting("Giving it back…");
  try {
    await api.assignments.release(id, { token: seat.token, reason: $("[data-reason]").value });
    saving.done();
    location.assign("/work/");
  } catch (problem) {
    answered();
    goOnHere(store, button);
    if (!isOut(problem)) store.say(problem.message);
  }
}

async function start() {
  const free = await alone(`trackweave:seat:${id}`);
  const seat = await api.assignments.read(id);
  if (!seat.clip) return fatal("This task is no longer yours to work on.");
  $("[data-project]").textContent = seat.project.name;
  paragraphs($("[data-instructions]"), seat.project.instructions || "No instructions were given.");
  const late = LATE.includes(seat.status);
  const bench = openBench(seat, free && (late || seat.status === "held"));
  if (!late && seat.status !== "held") return fatal(`This task is ${seat.status}. It is shown as it was.`);
  if (!free) return fatal("This task is open in another tab. Go on there, or close that tab and load this page again.");
  const saving = openSaving(seat, bench.store, {
    over: (detail, { status }) => {
      const text = `This seat is no longer yours: ${detail}`;
      if (status === 410) endLate(seat, bench, saving, text);
      else end(bench.store, text);
    },
    behind: (detail) => endBehind(bench.store, saving, detail),
  });
  onReturn(async () => {
    await saving.flush();
    await api.assignments.read(id);
  });
  if (late) return endLate(seat, bench, saving, OVER);
  openLease(seat, bench, saving);
  bench.store.on("tracks errors", () => ($("[data-problems]").hidden = !bench.store.hasErrors()));
  const send = () => submit(seat, bench, saving);
  $("[data-submit]").addEventListener("click", send);
  $("[data-release]").addEventListener("click", () => release(seat, saving, bench.store));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !$("dialog[open]")) send();
  });
}

$("[data-take-over]").addEventListener("click", () => location.reload());
start().catch((problem) => fatal(problem.message));
