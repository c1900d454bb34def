/**
 * Gold from a file. JSON in the form of the API is read here, so that a broken file is told at once; files of other
 * formats go out as they are.
 */

import { post } from "../annotator/api.js";
import { $ } from "../annotator/dom.js";
import { act } from "./actions.js";

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
  return { tracks: said.tracks, intervals: said.intervals ?? [] };
}

async function send() {
  const { video, start, stop, format, file } = form.elements;
  const frames = video.selectedOptions[0].dataset.frames;
  const range = { video: video.value, start: Number(start.value), stop: Number(stop.value || frames) };
  const body = format.value ? new FormData() : { ...range, ...(await read(file.files[0])) };
  if (format.value) {
    const fields = { ...range, format: format.value, file: file.files[0] };
    Object.entries(fields).forEach(([name, value]) => body.append(name, value));
  }
  await post(`/projects/${form.dataset.gold}/gold/`, body);
  form.reset();
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, send, form);
});
