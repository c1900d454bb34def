/** What the server says of a field is shown at that field: `/policy/lease_s` is `lease_s` of a form that sends a `policy`. */

import { h } from "../annotator/dom.js";

/** A file may be wrong in every line. */
const MOST = 20;

export function clearFaults() {
  document.querySelectorAll("[data-fault]").forEach((said) => said.remove());
  document.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
}

function mark(field, message) {
  const folded = field.closest("details");
  if (folded) folded.open = true;
  field.setAttribute("aria-invalid", "true");
  field.closest("label").append(h("small", { class: "wrong", "data-fault": true }, message));
}

/** Show what can be shown at fields of `form`; returns what is left to say, in sentences. */
export function showFaults(form, errors) {
  const root = form.dataset?.nest ? `/${form.dataset.nest}/` : "/";
  // What stands in a part that is fetched anew would be lost.
  const fields = [...(form.elements ?? [])].filter((e) => e.closest("label:not([data-fresh])"));
  const known = new Map(fields.map((e) => [root + e.name, e]));
  const here = errors.filter(({ pointer }) => known.has(pointer));
  here.slice(0, MOST).forEach(({ pointer, message }) => mark(known.get(pointer), message));
  const rest = errors.filter(({ pointer }) => !known.has(pointer)).slice(0, 8);
  const lines = rest.map(({ pointer, message }) => `${pointer || "What was sent"} ${message}`);
  if (here.length > MOST) lines.push(`Nothing was done: ${MOST} of ${here.length} faults are marked.`);
  else if (here.length) lines.push("Nothing was done: look at what is marked.");
  return lines;
}
