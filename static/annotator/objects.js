/** The list of objects, and what can be said of the one that is selected. */

import { boxAt } from "./geometry.js";
import { attributeAt } from "./edits.js";
import { $, dot, h, icon, iconButton, itemsIn, onNextFrame, reveal } from "./dom.js";
import { attributeFields, fillFields, paintLabels } from "./fields.js";

export function createObjects({ root, store, commands, player }) {
  const list = $("[data-list]", root);
  const detail = $("[data-detail]", root);
  const labels = $("[data-labels]", root);
  const count = $("[data-count]", root);

  const render = onNextFrame(paint);
  const show = itemsIn(list, () => (store.readOnly
    ? "No objects." : "No objects yet. Press R and drag a box, or N for a box to move by keys."));

  function paint() {
    const tracks = store.all();
    count.textContent = String(tracks.length);
    root.hidden = !store.drawn.length && !tracks.length;
    paintList(tracks);
    const shown = (store.mode === "select" && store.get(store.selected)?.label) || store.label;
    paintLabels(labels, store, store.drawn, shown, commands.setLabel);
    const same = detail.dataset.id === store.selected && detail.dataset.label === store.get(store.selected)?.label;
    if (same && detail.contains(document.activeElement)) refreshDetail();
    else paintDetail();
  }

  function paintList(tracks) {
    const looksOf = (t) => [t, t.id === store.selected, store.hidden.has(t.id), store.errors.get(t.id)];
    show(tracks.map((track) => [track.id, looksOf(track), row])).forEach(({ looks: [track], item }) => {
      const node = $(".state", item);
      const state = stateOf(track);
      if (node.textContent !== state) node.textContent = state;
    });
  }

  function stateOf(track) {
    const found = boxAt(track, store.frame);
    if (!found) return "not here";
    return found.occluded ? "occluded" : found.keyframe ? "keyframe" : "";
  }

  function row(track) {
    const selected = track.id === store.selected;
    const hidden = store.hidden.has(track.id);
    const more = track.confidence === undefined ? null : h("span", { class: "share" }, `${Math.round(track.confidence * 100)} %`);
    const item = h("li", { class: `object${selected ? " selected" : ""}`, "data-track": track.id },
      h("button", {
        type: "button", class: "object-name", "data-key": `name ${track.id}`, "aria-pressed": String(selected),
        onclick: () => store.select(track.id), ondblclick: () => commands.goToKeyframe("first"),
      }, dot(store.colourOf(track.label)), `${track.label} ${track.id}`, h("span", { class: "state" })),
      more,
      iconButton(hidden ? "hidden" : "shown", hidden ? "Show" : "Hide", () => store.setHidden(track.id, !hidden), { "data-key": `eye ${track.id}` }));
    const errors = store.errors.get(track.id) ?? [];
    if (errors.length) item.append(h("ul", { class: "errors" }, ...errors.map((e) => errorLine(track, e))));
    return item;
  }

  function errorLine(track, { frame, message }) {
    const go = () => {
      store.select(track.id);
      if (frame !== null) player.show(frame);
    };
    const where = frame === null ? "" : ` (frame ${frame})`;
    return h("li", {}, h("button", { type: "button", class: "link", onclick: go }, `${message}${where}`));
  }

  function paintDetail() {
    const track = store.get(store.selected);
    detail.dataset.id = store.selected ?? "";
    detail.dataset.label = track?.label ?? "";
    detail.hidden = !track;
    if (!track) return;
    detail.replaceChildren(h("h3", {}, `${track.label} ${track.id}`), moves(), flags(), fields(track));
    refreshDetail();
  }

  const moves = () => h("div", { class: "row" },
    iconButton("first", "First keyframe (Shift+G)", () => commands.goToKeyframe("first")),
    iconButton("back", "Keyframe before (B)", () => commands.goToKeyframe("before")),
    iconButton("next", "Keyframe after (M)", () => commands.goToKeyframe("after")),
    iconButton("last", "Last keyframe (G)", () => commands.goToKeyframe("last")),
    h("span", { class: "grow" }),
    iconButton("pin", "Set a keyframe here (P)", commands.pin, { "data-edit": true }),
    iconButton("unpin", "Remove the keyframe here (Backspace)", commands.dropKeyframe, { "data-edit": true }),
    iconButton("trash", "Delete the object (Delete)", commands.remove, { "data-edit": true }));

  const flags = () => h("div", { class: "row" },
    h("button", { type: "button", class: "toggle", "data-flag": "outside", onclick: commands.toggleOutside },
      icon("outside"), "Outside", h("kbd", {}, "O")),
    h("button", { type: "button", class: "toggle", "data-flag": "occluded", onclick: commands.toggleOccluded },
      icon("occluded"), "Occluded", h("kbd", {}, "C")));

  function refreshDetail() {
    const track = store.get(store.selected);
    if (!track) return;
    const here = store.canDraw();
    const keyframe = boxAt(track, store.frame)?.keyframe || track.keyframes.some((k) => k.frame === store.frame);
    const flag = (name) => $(`[data-flag="${name}"]`, detail);
    flag("outside").setAttribute("aria-pressed", String(commands.isOutside(track)));
    flag("occluded").setAttribute("aria-pressed", String(commands.isOccluded(track)));
    flag("outside").disabled = store.readOnly;
    flag("occluded").disabled = store.readOnly || commands.isOutside(track);
    detail.querySelectorAll("[data-edit]").forEach((b) => (b.disabled = store.readOnly));
    const named = (name) => store.labelOf(track.label).attributes.find((a) => a.name === name);
    const value = (name) => attributeAt(track, store.frame, named(name));
    fillFields(detail, value, (name) => store.readOnly || (Boolean(named(name).mutable) && !here));
  }

  function fields(track) {
    const attributes = store.labelOf(track.label)?.attributes ?? [];
    const changing = (a) => (a.mutable ? h("small", {}, " from this frame on") : null);
    return attributeFields(attributes, commands.setAttribute, changing);
  }

  store.on("selection", () => requestAnimationFrame(() => {
    requestAnimationFrame(() => reveal($(".selected", list), list));
  }));
  store.on("tracks frame shown playing selection view errors mode", render);
  render();
}
