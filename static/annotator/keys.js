/** Keys as one table: it makes them work and it fills the help. Inside a text field no key is taken. */

import { $, h } from "./dom.js";

/** `[group, keys, what, run]`; a key is `event.key`, with `Ctrl+`, `Alt+` or `Shift+` before it where that matters. */
export function keyTable({ store, player, canvas, commands, marking }) {
  const nudge = (dx, dy) => [() => commands.nudge(dx, dy), () => commands.nudge(dx * 10, dy * 10)];
  const grow = (dx, dy) => [() => commands.grow(dx, dy), () => commands.grow(dx * 10, dy * 10)];
  const both = (key, what, [one, ten]) => [
    ["Box", [key], what, one], ["", [`Shift+${key}`], "", ten],
  ];
  const step = store.frameStep;
  const table = [
    ["Frames", ["ArrowRight", "."], "One frame on", () => player.step(1)],
    ["Frames", ["ArrowLeft", ","], "One frame back", () => player.step(-1)],
    ["Frames", ["Shift+ArrowRight"], "Ten frames on", () => player.step(10)],
    ["Frames", ["Shift+ArrowLeft"], "Ten frames back", () => player.step(-10)],
    ["Frames", ["Home"], "First frame", () => player.show(store.start)],
    ["Frames", ["End"], "Last frame", () => player.show(store.stop - 1)],
    ["Frames", [" "], "Play or pause", player.toggle],
    ...(step > 1 ? [["Frames", ["F"], `Next frame to draw on (every ${step}th)`, () => player.show((Math.floor(store.frame / step) + 1) * step)]] : []),
    ["Box", ["R"], "Draw with the pointer", () => store.setMode(store.mode === "draw" ? "select" : "draw")],
    ["Box", ["N"], "New box in the middle of the view", commands.addHere],
    ...both("A", "Move left (Shift: ten pixels)", nudge(-1, 0)), ...both("D", "Move right", nudge(1, 0)),
    ...both("W", "Move up", nudge(0, -1)), ...both("S", "Move down", nudge(0, 1)),
    ...both("J", "Narrower (Shift: ten pixels)", grow(-1, 0)), ...both("L", "Wider", grow(1, 0)),
    ...both("I", "Lower in height", grow(0, -1)), ...both("K", "Taller", grow(0, 1)),
    ["Object", ["]"], "Select the next object", () => commands.selectNext(1)],
    ["Object", ["["], "Select the object before", () => commands.selectNext(-1)],
    ["Object", ["Escape"], "Select nothing, stop drawing", () => {
      store.setMode("select");
      store.select(null);
    }],
    ...store.labels.slice(0, 9).map((label, i) => ["Object", [String(i + 1)], `Label: ${label.name}`, () => commands.setLabel(label.name)]),
    ["Object", ["O"], "Outside from this frame on, or back", commands.toggleOutside],
    ["Object", ["C"], "Occluded from this frame on, or not", commands.toggleOccluded],
    ["Object", ["H"], "Hide or show", () => store.selected && store.setHidden(store.selected, !store.hidden.has(store.selected))],
    ["Object", ["Delete"], store.eventful() ? "Delete the object or the event" : "Delete the object", commands.remove],
    ...(store.eventful() ? eventKeys({ commands, marking }) : []),
    ["Keyframes", ["P"], "Set a keyframe on this frame", commands.pin],
    ["Keyframes", ["Backspace"], "Remove the keyframe on this frame", commands.dropKeyframe],
    ["Keyframes", ["B"], "To the keyframe before", () => commands.goToKeyframe("before")],
    ["Keyframes", ["M"], "To the keyframe after", () => commands.goToKeyframe("after")],
    ["Keyframes", ["Shift+G"], "To the first keyframe", () => commands.goToKeyframe("first")],
    ["Keyframes", ["G"], "To the last keyframe", () => commands.goToKeyframe("last")],
    ["View", ["+", "="], "Zoom in", () => canvas.zoom(1.25)],
    ["View", ["-"], "Zoom out", () => canvas.zoom(0.8)],
    ["View", ["0"], "All of the picture", canvas.reset],
    ["View", ["Ctrl+ArrowLeft"], "Pan left", () => canvas.pan(60, 0)],
    ["View", ["Ctrl+ArrowRight"], "Pan right", () => canvas.pan(-60, 0)],
    ["View", ["Ctrl+ArrowUp"], "Pan up", () => canvas.pan(0, 60)],
    ["View", ["Ctrl+ArrowDown"], "Pan down", () => canvas.pan(0, -60)],
    ["Edit", ["Ctrl+Z"], "Undo", commands.undo],
    ["Edit", ["Ctrl+Shift+Z", "Ctrl+Y"], "Redo", commands.redo],
  ];
  // Where no label can be drawn, neither can a box.
  return store.drawn.length ? table : table.filter(([group]) => group && group !== "Box");
}

const eventKeys = ({ commands, marking }) => [
  ["Events", ["E"], "An event of the scene begins on this frame", () => marking.begin()],
  ["Events", ["Shift+E"], "An event of the selected object begins here", marking.beginOfObject],
  ["Events", ["X"], "This frame is the last one of the event", () => marking.endHere("last")],
  ["Events", ["Q"], "This frame is its first one", () => marking.endHere("first")],
  ["Events", ["V"], "Select the next event", () => marking.selectNext(1)],
  ["Events", ["Shift+V"], "Select the event before", () => marking.selectNext(-1)],
  ["Events", ["Shift+G"], "To its first frame", () => commands.goToKeyframe("first")],
  ["Events", ["G"], "To its last frame", () => commands.goToKeyframe("last")],
];

const NAMES = { " ": "Space", ArrowRight: "→", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓" };
const written = (keys) => keys.map((k) => k.split("+").map((part) => NAMES[part] ?? part).join("+") || "+");

const SIGNS = { BracketLeft: "[", BracketRight: "]", Comma: ",", Period: "." };

/** Where a keyboard types another alphabet, the key is known by its place. */
function keyOf({ key, code }) {
  if (key.length !== 1 || /[\x20-\x7e]/.test(key.toUpperCase())) return key;
  return SIGNS[code] ?? /^Key([A-Z])$/.exec(code)?.[1] ?? key;
}

function nameOf(event) {
  const typed = keyOf(event);
  const key = typed.length === 1 ? typed.toUpperCase() : typed;
  // Signs are typed with Shift on some keyboards and without it on others.
  const shift = event.shiftKey && (/^[A-Z]$/.test(key) || event.key.length > 1);
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
}

const typing = (target) => target.matches("input:not([type=checkbox], [type=range]), select, textarea, [contenteditable]");
const pressing = (target, key) => target.matches("button, a, summary") && (key === " " || key === "Enter");
const sliding = (target, key) => target.matches("input[type=range]") && key.startsWith("Arrow");

export function createKeys({ table, help }) {
  const byKey = new Map(table.flatMap(([, keys, , run]) => keys.map((key) => [key, run])));
  const single = $("[data-single]", help);
  single.checked = localStorage.getItem("trackweave:keys") !== "off";
  single.addEventListener("change", () => localStorage.setItem("trackweave:keys", single.checked ? "on" : "off"));

  document.addEventListener("keydown", (event) => {
    const key = nameOf(event);
    if (document.querySelector("dialog[open]") || typing(event.target) || sliding(event.target, event.key)) return;
    if (pressing(event.target, event.key)) return;
    if (key === "?") help.showModal();
    const run = byKey.get(key);
    // Screen reader and voice users can switch letters and signs off; arrows and what has Ctrl stay.
    if (!run || (!single.checked && /^(Shift\+)?\S$/.test(key))) return;
    event.preventDefault();
    run();
  });

  const groups = [...new Set(table.map(([group]) => group).filter(Boolean))];
  $("[data-keys]", help).replaceChildren(...groups.map((group) => h("section", {}, h("h3", {}, group),
    h("dl", {}, ...table.filter(([g]) => g === group).flatMap(([, keys, what]) => [
      h("dt", {}, ...written(keys).map((k) => h("kbd", {}, k))), h("dd", {}, what)])))));
}
