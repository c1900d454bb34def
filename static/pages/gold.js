/** Gold from a JSON file: read here, so that a broken file is told at once, and posted as tracks. */

import { post } from "../annotator/api.js";
import { act } from "./actions.js";
import { $ } from "../annotator/dom.js";

const form = $("[data-gold]");

class BadFile extends Error {
  errors = [];
}

async function read(file) {
  let said;
  try {
    said = JSON.parse(await file.text());
  } catch (error) {
    throw new BadFile(`${file.name} is no JSON: ${error.message}`);
  }
  if (!Array.isArray(said?.tracks)) throw new BadFile(`${file.name} holds no list of tracks.`);
  return said;
}

async function send() {
  const { video, start, stop, file } = form.elements;
  const frames = Number(video.selectedOptions[0].dataset.frames);
  const { tracks, intervals = [] } = await read(file.files[0]);
  await post(`/projects/${form.dataset.gold}/gold/`, {
    video: video.value, start: Number(start.value), stop: stop.value ? Number(stop.value) : frames, tracks, intervals,
  });
  form.reset();
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, send, form);
});
