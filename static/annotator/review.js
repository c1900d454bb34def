/** The reviewer's page: a consensus over its clip, each worker's tracks beside it, and a verdict. */

import * as api from "./api.js";
import { createBench } from "./bench.js";
import { readTrack, writeTrack } from "./edits.js";
import { writeInterval } from "./intervals.js";
import { openLayers } from "./layers.js";
import { isOut, onReturn } from "./out.js";
import { explain } from "./problems.js";
import { $, ask } from "./dom.js";

const root = $("[data-bench]");
const { consensus: id, videoId, next } = root.dataset;
const mayDecide = root.dataset.mayDecide === "yes";
const verdicts = () => [$("[data-accept]"), $("[data-amend]"), $("[data-reject]")].filter(Boolean);

function fatal(text) {
  $("[data-fatal-text]").textContent = text;
  $("[data-fatal]").hidden = false;
  verdicts().forEach((button) => (button.disabled = true));
}

function openDisputes({ tracks }, { store, player }) {
  const all = tracks.flatMap((t) => (t.disputes ?? []).map(([start, stop]) => ({ id: t.id, start, stop })));
  all.sort((a, b) => a.start - b.start);
  $("[data-dispute-part]").hidden = !all.length;
  $("[data-dispute-text]").textContent = `${all.length} stretch${all.length === 1 ? "" : "es"} on which they disagree`;
  // Several may begin on one frame: from the one that is looked at, the next in the list, whatever its frame.
  const here = () => all.findIndex((d) => d.start === store.frame && d.id === store.selected);
  const after = () => (here() < 0 ? all.find((d) => d.start >= store.frame) : all[here() + 1]) ?? all[0];
  const before = () => (here() < 0 ? all.findLast((d) => d.start <= store.frame) : all[here() - 1]) ?? all.at(-1);
  const go = (found) => {
    if (!found) return;
    store.select(found.id);
    player.show(found.start);
  };
  $('[data-dispute="after"]').addEventListener("click", () => go(after()));
  $('[data-dispute="before"]').addEventListener("click", () => go(before()));
}

function openVerdicts(item, bench) {
  const { store } = bench;
  const { version } = item;
  let changed = false;

  async function decide(verb, body) {
    verdicts().forEach((button) => (button.disabled = true));
    const sent = store.whole();
    try {
      await api.post(`/consensus/${id}/${verb}/`, { version, ...body });
      changed = false;
      location.assign(next);
    } catch (problem) {
      paint();
      if (isOut(problem)) return;
      if (problem.status === 409) fatal(`${problem.message} Reload to see how it stands.`);
      else explain(problem, sent, bench);
    }
  }

  function paint() {
    $("[data-accept]").disabled = changed;
    $("[data-accept]").title = changed ? "You changed something: amend sends it" : "";
    $("[data-amend]").disabled = !changed;
    $("[data-reject]").disabled = false;
  }

  $("[data-accept]").addEventListener("click", () => decide("accept", {}));
  $("[data-amend]").addEventListener("click", () => {
    decide("amend", { tracks: store.all().map(writeTrack), intervals: store.intervals().map(writeInterval) });
  });
  $("[data-reject]").addEventListener("click", async () => {
    const dialog = $("[data-refuse]");
    // No button of the form's: the first of those is what Enter presses.
    $("[data-close]", dialog).onclick = () => dialog.close();
    if (!(await ask(dialog))) return;
    const { reason, seats } = $("form", dialog).elements;
    decide("reject", { reason: reason.value, seats: Number(seats.value) });
  });
  store.on("tracks", () => {
    changed = bench.history.canUndo();
    paint();
  });
  onReturn(() => api.get(`/consensus/${id}/`));
  window.addEventListener("beforeunload", (event) => changed && event.preventDefault());
  paint();
}

async function start() {
  const labels = JSON.parse($("#labels").textContent);
  const item = await api.get(`/consensus/${id}/`);
  const open = mayDecide && item.status === "pending";
  $("[data-decisions]").textContent = String(item.decisions);
  $("[data-status]").textContent = item.status;
  const bench = createBench({
    root, clip: item.clip,
    piece: {
      ...item.segment, width: Number(root.dataset.width), height: Number(root.dataset.height), labels,
      tracks: item.tracks, intervals: item.intervals, readOnly: !open,
      eventful: item.submissions.some(({ intervals }) => intervals?.length),
    },
    loadPicture: (frame) => api.picture(`/videos/${videoId}/frames/${frame}/?as=jpeg&width=${item.clip.width}`),
  });
  openLayers(item, bench);
  openDisputes(item, bench);
  if (open) openVerdicts(item, bench);
  else verdicts().forEach((button) => (button.disabled = true));
}

start().catch((problem) => fatal(problem.message));
