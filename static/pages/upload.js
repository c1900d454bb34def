/** Videos by choosing or dropping, one after the other, each with its progress. */

import { $, h } from "../annotator/dom.js";
import { refresh } from "./refresh.js";
import { sendFile } from "./sending.js";

const form = $("[data-upload]");
const queue = [];
let working = false;

function add(files) {
  [...files].forEach((file) => {
    const bar = h("progress", { max: "1", value: "0", "aria-label": file.name });
    // Words are read out; a number that moves all the time is not.
    const [state, share] = [h("span", { role: "status" }, "waiting"), h("span", { "aria-hidden": "true" })];
    const line = h("li", {}, h("div", { class: "row" }, file.name, h("span", { class: "grow" }), state, share), bar);
    $("[data-uploads]", form).append(line);
    queue.push({ file, bar, state, share, line });
  });
  work();
}

async function work() {
  if (working) return;
  working = true;
  for (let next = queue.shift(); next; next = queue.shift()) await send(next);
  working = false;
}

async function send({ file, bar, state, share, line }) {
  const say = (text, percent = "") => {
    if (state.textContent !== text) state.textContent = text;
    share.textContent = percent;
  };
  try {
    await sendFile(form.dataset.upload, file, {
      onShare: (part) => {
        bar.value = part;
        say(part < 1 ? "" : "storing…", part < 1 ? `${Math.floor(part * 100)} %` : "");
      },
      onLost: () => say("connection lost; it goes on where it stopped", `${Math.floor(bar.value * 100)} %`),
    });
    line.remove();
  } catch (problem) {
    bar.remove();
    state.className = "state-word bad";
    say(problem.errors?.[0]?.message ?? problem.message);
  }
  await refresh();
}

if (form) {
  $("input[type=file]", form).addEventListener("change", (event) => {
    add(event.target.files);
    event.target.value = "";
  });
  ["dragenter", "dragover"].forEach((type) => form.addEventListener(type, (event) => {
    event.preventDefault();
    form.classList.add("over");
  }));
  ["dragleave", "drop"].forEach((type) => form.addEventListener(type, () => form.classList.remove("over")));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    add(event.dataTransfer.files);
  });
  window.addEventListener("beforeunload", (event) => working && event.preventDefault());
}
