/** What the server says of a field is shown at that field: `/policy/lease_s` is `lease_s` of a form that sends a `policy`. */

import { h } from "../annotator/dom.js";

export function clearFaults() {
  document.querySelectorAll("[data-fault]").forEach((said) => said.remove());
  document.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
}

/** Show what can be shown at fields of `form`; returns the rest. */
export function showFaults(form, errors) {
  const nest = form.dataset?.nest;
  const fields = new Map([...(form.elements ?? [])].map((e) => [`${nest ? `/${nest}` : ""}/${e.name}`, e]));
  return errors.filter(({ pointer, message }) => {
    const field = fields.get(pointer);
    const label = field?.closest("label");
    if (!label) return true;
    const folded = field.closest("details");
    if (folded) folded.open = true;
    field.setAttribute("aria-invalid", "true");
    label.append(h("small", { class: "wrong", "data-fault": true }, message));
    return false;
  });
}
