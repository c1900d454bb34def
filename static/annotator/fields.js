/** Labels to choose from and inputs for their attributes: what can be said of an object, and of an event alike. */

import { dot, h } from "./dom.js";

/** Buttons for labels, with the keys that do the same; made anew only where something changed, and the focus stays. */
export function paintLabels(root, store, labels, shown, set) {
  const looks = JSON.stringify([shown, store.readOnly]);
  if (root.dataset.looks === looks) return;
  const focused = [...root.children].indexOf(document.activeElement);
  root.dataset.looks = looks;
  root.replaceChildren(...labels.map((label) => labelButton(store, label, label.name === shown, set)));
  root.children[focused]?.focus();
}

function labelButton(store, label, pressed, set) {
  const place = store.labels.indexOf(label) + 1;
  return h("button", {
    type: "button", class: "label", "aria-pressed": String(pressed), disabled: store.readOnly,
    onclick: () => set(label.name),
  }, dot(store.colourOf(label.name)), label.name, place < 10 ? h("kbd", {}, String(place)) : null);
}

/** A field per attribute; `set(attribute, value)` hears what is said, `undefined` where it is taken back. */
export function attributeFields(attributes, set, note = () => null) {
  return h("div", { class: "fields" }, ...attributes.map((a) =>
    h("label", { class: a.kind === "boolean" ? "check" : "" }, h("span", {}, a.name, note(a)), input(a, set))));
}

function input(attribute, set) {
  const { kind, name, values = [] } = attribute;
  const shared = { "data-attribute": name, onchange: (event) => set(attribute, read(kind, event.target)) };
  if (kind === "select") {
    const options = values.map((v) => h("option", { value: v }, String(v)));
    return h("select", shared, h("option", { value: "" }, "choose"), ...options);
  }
  return h("input", { ...shared, type: { boolean: "checkbox", number: "number" }[kind] ?? "text", step: "any" });
}

/** What a field says; nothing where nothing is chosen, or no number is there. */
function read(kind, field) {
  if (kind === "boolean") return field.checked;
  if (kind !== "text" && field.value === "") return undefined;
  return kind === "number" ? Number(field.value) : field.value;
}

/** Show in each field what is said by now; nothing is put under somebody's hands who types. */
export function fillFields(root, valueOf, disabledOf) {
  root.querySelectorAll("[data-attribute]").forEach((field) => {
    if (field === document.activeElement && (field.type === "text" || field.type === "number")) return;
    const value = valueOf(field.dataset.attribute);
    if (field.type === "checkbox") field.checked = Boolean(value);
    else field.value = value ?? "";
    field.disabled = disabledOf(field.dataset.attribute);
  });
}
