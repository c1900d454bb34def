/** Labels as lines of a form, attributes as one writes them down. What was there and is not touched stays as it was. */

import { $ } from "../annotator/dom.js";

const COLOURS = ["#e5484d", "#3b82f6", "#22a06b", "#d97706", "#a855f7", "#0ea5b7", "#db2777", "#84a30f"];
const KINDS = ["number", "text", "boolean"];

/** `pose*: standing, walking` → a select that may change; `speed: number` → a number. */
function readAttribute(text) {
  const [head, tail = "text"] = text.split(/:(.*)/s).map((part) => part.trim());
  const mutable = head.endsWith("*");
  const name = head.replace(/\*$/, "").trim();
  const values = tail.split(",").map((v) => v.trim()).filter(Boolean);
  if (values.length === 1 && KINDS.includes(values[0])) return { name, kind: values[0], mutable };
  return { name, kind: "select", values, mutable };
}

const written = ({ name, kind, values, mutable }) =>
  `${name}${mutable ? "*" : ""}: ${kind === "select" ? values.join(", ") : kind}`;

/** The lines of `form`, one per label, or one that is empty; `read` gives the labels that they say. */
export function labelLines(form, labels = []) {
  const lines = $("[data-lines]", form);

  function add(label = {}) {
    const line = $("[data-line]", form).content.firstElementChild.cloneNode(true);
    const known = new Map((label.attributes ?? []).map((attribute) => [written(attribute), attribute]));
    $("[name=label]", line).value = label.name ?? "";
    $("[name=shape]", line).value = label.shape ?? "box";
    $("[name=color]", line).defaultValue = label.color ?? COLOURS[lines.children.length % COLOURS.length];
    $("[name=attributes]", line).value = [...known.keys()].join("\n");
    $("[data-drop]", line).addEventListener("click", () => lines.children.length > 1 && line.remove());
    line.read = () => readLine(line, label, known);
    lines.append(line);
    return line;
  }

  $("[data-add]", form).addEventListener("click", () => $("[name=label]", add()).focus());
  if (labels.length) labels.forEach(add);
  else add();
  return { read: () => [...lines.children].map((line) => line.read()) };
}

function readLine(line, before, known) {
  const value = (name) => $(`[name=${name}]`, line).value.trim();
  const texts = value("attributes").split("\n").map((text) => text.trim()).filter(Boolean);
  const attributes = texts.map((text) => known.get(text) ?? readAttribute(text));
  const color = $("[name=color]", line);
  // A label without a colour has the page's; it gets one of its own where somebody chooses it.
  const own = before.name && !before.color && color.value === color.defaultValue ? {} : { color: color.value };
  return { name: value("label"), shape: value("shape"), ...own, attributes };
}
