/**
 * The whole segment at a glance: a row per track with its presence, its keyframes and, for a reviewer, its disputes.
 *
 * The rows are for the eye and the mouse; the slider above them and the object list say and do the same by keyboard.
 */

import { clamp, runs } from "./geometry.js";

const ROW = 16;
const LABEL_WIDE = 96;

export function createTimeline({ element, slider, store, player }) {
  const canvas = element.querySelector("canvas");
  const context = canvas.getContext("2d");
  let waiting = false;
  let dragging = false;

  const span = store.stop - store.start;
  const xOf = (frame) => LABEL_WIDE + ((frame - store.start) / span) * (canvas.clientWidth - LABEL_WIDE - 6);
  const frameOf = (x) => store.start + Math.floor(((x - LABEL_WIDE) / (canvas.clientWidth - LABEL_WIDE - 6)) * span);
  const style = (name) => getComputedStyle(element).getPropertyValue(name).trim();

  function render() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      paint();
    });
  }

  function paint() {
    const ratio = window.devicePixelRatio || 1;
    const rows = store.all();
    const tall = Math.max(element.clientHeight, rows.length * ROW + 4);
    const high = Math.min(tall, 8000);
    canvas.style.height = `${high}px`;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = high * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const first = Math.floor(element.scrollTop / ROW);
    const last = first + Math.ceil(element.clientHeight / ROW) + 1;
    const colours = { ink: style("--ink"), soft: style("--ink-soft"), line: style("--line"), picked: style("--picked") };
    rows.slice(first, last).forEach((track, i) => drawRow(track, (first + i) * ROW + 2, colours));
    drawCursor(colours, high);
    // The same without eyes or a mouse.
    slider.value = String(store.frame);
    slider.setAttribute("aria-valuetext", `frame ${store.frame}`);
  }

  function drawRow(track, top, colours) {
    const selected = track.id === store.selected;
    if (selected) {
      context.fillStyle = colours.picked;
      context.fillRect(0, top - 1, canvas.clientWidth, ROW);
    }
    context.fillStyle = selected ? colours.ink : colours.soft;
    context.font = `${selected ? 600 : 400} 11px system-ui, sans-serif`;
    context.fillText(`${store.errors.has(track.id) ? "! " : ""}${track.label} ${track.id}`, 4, top + 11, LABEL_WIDE - 8);
    context.fillStyle = store.colourOf(track.label);
    context.globalAlpha = store.hidden.has(track.id) ? 0.2 : 0.45;
    runs(track, store.start, store.stop).forEach(([from, to]) => bar(from, to, top + 4, 6));
    context.globalAlpha = 1;
    context.fillStyle = style("--bad");
    (track.disputes ?? []).forEach(([from, to]) => bar(from, to, top + 11, 3));
    track.keyframes.forEach((keyframe) => diamond(keyframe, top + 7, colours));
  }

  function bar(from, to, top, high) {
    context.fillRect(xOf(from), top, Math.max(2, xOf(to) - xOf(from)), high);
  }

  function diamond({ frame, outside }, y, colours) {
    const x = xOf(frame + 0.5);
    context.beginPath();
    context.moveTo(x, y - 4);
    context.lineTo(x + 3.5, y);
    context.lineTo(x, y + 4);
    context.lineTo(x - 3.5, y);
    context.closePath();
    context.fillStyle = outside ? style("--surface") : colours.ink;
    context.strokeStyle = colours.ink;
    context.fill();
    context.stroke();
  }

  function drawCursor(colours, high) {
    const x = xOf(store.frame + 0.5);
    context.fillStyle = style("--accent");
    context.fillRect(x - 1, 0, 2, high);
  }

  function point(event) {
    const bounds = canvas.getBoundingClientRect();
    const row = store.all()[Math.floor((event.clientY - bounds.top - 2) / ROW)];
    if (event.type === "pointerdown" && row) store.select(row.id);
    const x = event.clientX - bounds.left;
    if (x >= LABEL_WIDE - 4) player.show(clamp(frameOf(x), store.start, store.stop - 1));
  }

  canvas.addEventListener("pointerdown", (event) => {
    // What is being typed is taken first: for the object and the frame that it was typed for.
    element.focus({ preventScroll: true });
    dragging = true;
    canvas.setPointerCapture(event.pointerId);
    point(event);
  });
  canvas.addEventListener("pointermove", (event) => dragging && point(event));
  ["pointerup", "pointercancel"].forEach((type) => canvas.addEventListener(type, () => {
    dragging = false;
  }));
  slider.min = String(store.start);
  slider.max = String(store.stop - 1);
  slider.addEventListener("input", () => player.show(Number(slider.value)));
  element.addEventListener("scroll", render);
  new ResizeObserver(render).observe(element);
  store.on("tracks frame selection view errors", render);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
}
