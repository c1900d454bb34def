/** A page of gold: what is known to be right, over the pictures of its frames. Gold has no clip of its own. */

import * as api from "./api.js";
import { createBench } from "./bench.js";
import { $ } from "./dom.js";

const WIDEST = 1280; // pixels of a picture, whatever the video has
const root = $("[data-bench]");
const { gold: id, videoId } = root.dataset;
const [width, height] = [Number(root.dataset.width), Number(root.dataset.height)];

async function start() {
  const labels = JSON.parse($("#labels").textContent);
  const known = await api.get(`/gold/${id}/tracks/`);
  const scale = Math.min(1, WIDEST / width);
  const clip = { url: null, width: Math.round(width * scale), height: Math.round(height * scale), frame_times_s: [] };
  [$('[data-do="play"]'), $("[data-speed]").closest("label")].forEach((part) => (part.hidden = true));
  createBench({
    root, clip,
    piece: { ...known, width, height, labels, readOnly: true, eventful: known.intervals.length > 0 },
    loadPicture: (frame) => api.picture(`/videos/${videoId}/frames/${frame}/?as=jpeg&width=${clip.width}`),
  });
}

start().catch((problem) => {
  $("[data-fatal-text]").textContent = problem.message;
  $("[data-fatal]").hidden = false;
});
