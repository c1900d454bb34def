/** Pre-labels and finished tracks from a file: how far it is sent, and how much was read of it. */

import { upload } from "../annotator/api.js";
import { $ } from "../annotator/dom.js";
import { act } from "./actions.js";

const form = $("[data-import]");

async function send() {
  const [bar, note] = [$("progress", form), $("[data-read]", form)];
  note.hidden = true;
  bar.hidden = false;
  try {
    const path = `/projects/${form.dataset.import}/imports/`;
    const made = await upload(path, new FormData(form), (share) => (bar.value = share));
    note.textContent = `${made.name}: ${made.tracks} tracks with ${made.keyframes} keyframes were read.`;
    note.hidden = false;
    form.elements.file.value = ""; // or one more press would bring it once more
  } finally {
    bar.hidden = true;
  }
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, send, form);
});
