/**
 * What is told only once: `data-tells="/path/"` on a form posts its fields, and what the answer holds under
 * `data-secret` is shown in the `[data-told]` beside it, with a button that copies it.
 */

import { post } from "../annotator/api.js";
import { $ } from "../annotator/dom.js";
import { act, fieldsOf } from "./actions.js";

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-tells]");
  if (!form) return;
  event.preventDefault();
  const told = $("[data-told]", form.parentElement);
  act(event.submitter, async () => {
    told.hidden = true; // what failed leaves no older secret that looks like its own
    const { data } = await post(form.dataset.tells, fieldsOf(form));
    form.reset();
    $("input", told).value = data[form.dataset.secret];
    $("[data-copied]", told).textContent = "";
    told.hidden = false;
    $("input", told).select();
  }, form);
});

/** The clipboard exists on secure pages alone; elsewhere the old way does it. */
async function copy(field) {
  field.select();
  if (navigator.clipboard) return navigator.clipboard.writeText(field.value);
  if (!document.execCommand("copy")) throw new Error("The browser does not copy.");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const told = button.closest("[data-told]");
  const say = (text) => ($("[data-copied]", told).textContent = text);
  await copy($("input", told)).then(() => say("Copied."), () => say("Press Ctrl+C to copy it."));
});
