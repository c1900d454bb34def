/** Videos by choosing or dropping, one after the other, each with its progress. */

import { upload } from "../annotator/api.js";
import { $, h } from "../annotator/dom.js";
import { refresh } from "./refresh.js";

const form = $("[data-upload]");
const queue = [];
let working = false;

function add(files) {
  [...files].forEach((file) => {
    const bar = h("progress", { max: "1", value: "0" });
    const state = h("span", {}, "waiting");
    const line = h("li", {}, h("div", { class: "row" }, file.name, h("span", { class: "grow" }), state), bar);
    $("[data-uploads]", form).append(line);
    queue.push({ file, bar, state, line });
  });
  work();
}

async function work() {
  if (working) return;
  working = true;
  for (let next = queue.shift(); next; next = queue.shift()) await send(next);
  working = false;
}

async function send({ file, bar, state, line }) {
  const body = new FormData();
  body.append("file", file);
  body.append("name", file.name);
  try {
    await upload(form.dataset.upload, body, (share) => {
      bar.value = share;
      state.textContent = share < 1 ? `${Math.floor(share * 100)} %` : "storing…";
    });
    line.remove();
  } catch (problem) {
    bar.remove();
    state.className = "state-word bad";
    state.textContent = problem.errors[0]?.message ?? problem.message;
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
