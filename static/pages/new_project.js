/** The form of a new project: a line per label, attributes as one writes them down. */

import { post } from "../annotator/api.js";
import { $ } from "../annotator/dom.js";
import { act, leave } from "./actions.js";

const COLOURS = ["#e5484d", "#3b82f6", "#22a06b", "#d97706", "#a855f7", "#0ea5b7", "#db2777", "#84a30f"];
const KINDS = ["number", "text", "boolean"];
const form = $("[data-new-project]");
const lines = $("[data-lines]", form);

function addLine() {
  const line = $("[data-line]", form).content.firstElementChild.cloneNode(true);
  $("[name=color]", line).value = COLOURS[lines.children.length % COLOURS.length];
  $("[data-drop]", line).addEventListener("click", () => lines.children.length > 1 && line.remove());
  lines.append(line);
  return line;
}

/** `pose*: standing, walking` → a select that may change; `speed: number` → a number. */
function attribute(text) {
  const [head, tail = "text"] = text.split(/:(.*)/s).map((part) => part.trim());
  const mutable = head.endsWith("*");
  const name = head.replace(/\*$/, "").trim();
  const values = tail.split(",").map((v) => v.trim()).filter(Boolean);
  if (values.length === 1 && KINDS.includes(values[0])) return { name, kind: values[0], mutable };
  return { name, kind: "select", values, mutable };
}

function label(line) {
  const attributes = $("[name=attributes]", line).value.split("\n").filter((t) => t.trim()).map(attribute);
  const value = (name) => $(`[name=${name}]`, line).value.trim();
  return { name: value("label"), shape: value("shape"), color: value("color"), attributes };
}

async function make() {
  const { name, instructions } = form.elements;
  const { data } = await post("/projects/", {
    name: name.value, instructions: instructions.value, labels: [...lines.children].map(label),
  });
  await leave(`/projects/${data.id}/`);
}

$("[data-add]", form).addEventListener("click", () => $("[name=label]", addLine()).focus());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, make, form);
});
addLine();
