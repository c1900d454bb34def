/**
 * The whole segment at a glance: a row per event, whose ends can be dragged, and a row per track with its presence, its
 * keyframes and, for a reviewer, its disputes.
 *
 * The rows are for the eye and the pointer; the slider above them and the lists say and do the same by keyboard.
 */

import { onNextFrame } from "./dom.js";
import { clamp } from "./geometry.js";
import { createRows, LABEL_WIDE, ROW, rowsOf } from "./rows.js";

const REACH = { mouse: 6, pen: 10, touch: 16 };

export function createTimeline({ element, slider, store, player, marking, newGesture }) {
  const canvas = element.querySelector("canvas");
  const context = canvas.getContext("2d");
  let drag = null;
  let rows = [];

  const frames = store.stop - store.start;
  const wide = () => canvas.clientWidth - LABEL_WIDE - 6;
  const xOf = (frame) => LABEL_WIDE + ((frame - store.start) / frames) * wide();
  const placeOf = (x) => store.start + ((x - LABEL_WIDE) / wide()) * frames;
  const style = (name) => getComputedStyle(element).getPropertyValue(name).trim();
  const drawRow = createRows({ context, store, xOf, style });

  const render = onNextFrame(paint);

  /** What is dragged stays in its row until it is let go. */
  function order() {
    if (!drag?.end) return rowsOf(store);
    const now = (row) => (row.interval ? { interval: store.interval(row.interval.id) } : row);
    return rows.map(now).filter((row) => row.interval !== null);
  }

  function paint() {
    const ratio = window.devicePixelRatio || 1;
    rows = order();
    const tall = Math.max(element.clientHeight, rows.length * ROW + 4);
    const high = Math.min(tall, 8000);
    canvas.style.height = `${high}px`;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = high * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const first = Math.floor(element.scrollTop / ROW);
    const last = first + Math.ceil(element.clientHeight / ROW) + 1;
    const colours = { ink: style("--ink"), soft: style("--ink-soft"), line: style("--line"), picked: style("--picked") };
    rows.slice(first, last).forEach((row, i) => drawRow(row, (first + i) * ROW + 2, colours));
    drawCursor(high);
    // The same without eyes or a mouse.
    slider.value = String(store.frame);
    slider.setAttribute("aria-valuetext", `frame ${store.frame}`);
  }

  function drawCursor(high) {
    const x = xOf(store.frame + 0.5);
    context.fillStyle = style("--accent");
    context.fillRect(x - 1, 0, 2, high);
  }

  const at = (event) => {
    const bounds = canvas.getBoundingClientRect();
    return { x: event.clientX - bounds.left, row: rows[Math.floor((event.clientY - bounds.top - 2) / ROW)] };
  };

  /** The end of an event that is under the pointer: the nearer one of both. */
  function endAt(event) {
    const { x, row } = at(event);
    if (!row?.interval || store.readOnly || x < LABEL_WIDE - 4) return null;
    const [left, right] = [Math.abs(x - xOf(row.interval.start)), Math.abs(x - xOf(row.interval.stop))];
    const reach = REACH[event.pointerType] ?? REACH.mouse;
    if (Math.min(left, right) > reach) return null;
    return left < right ? "first" : "last";
  }

  function begin(event) {
    const { row } = at(event);
    const end = endAt(event);
    if (row?.interval) store.choose(row.interval.id);
    if (row?.track) store.select(row.track.id);
    const { pointerId: pointer, clientX: from } = event;
    return { pointer, end, id: row?.interval?.id, merge: newGesture(), from, moved: false };
  }

  /** An end lies between two frames: a first one begins there, a last one ends there. The picture follows. */
  function pull(event) {
    drag.moved ||= Math.abs(event.clientX - drag.from) >= 2;
    if (!drag.moved || drag.id !== store.chosen) return;
    const edge = Math.round(placeOf(at(event).x));
    marking.setEnds({ [drag.end]: drag.end === "first" ? edge : edge - 1 }, drag.merge);
    marking.goTo(drag.end);
  }

  function scrub(event) {
    const { x } = at(event);
    if (x >= LABEL_WIDE - 4) player.show(clamp(Math.floor(placeOf(x)), store.start, store.stop - 1));
  }

  const follow = (event) => (drag.end ? pull(event) : scrub(event));

  canvas.addEventListener("pointerdown", (event) => {
    if (drag) return;
    // What is being typed is taken first: for the object and the frame that it was typed for.
    element.focus({ preventScroll: true });
    drag = begin(event);
    canvas.setPointerCapture(event.pointerId);
    if (drag.end) marking.goTo(drag.end);
    else scrub(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) canvas.style.cursor = endAt(event) ? "ew-resize" : "pointer";
    else if (event.pointerId === drag.pointer) follow(event);
  });
  ["pointerup", "pointercancel"].forEach((type) => canvas.addEventListener(type, ({ pointerId }) => {
    if (drag?.pointer !== pointerId) return;
    drag = null;
    render();
  }));
  slider.min = String(store.start);
  slider.max = String(store.stop - 1);
  slider.addEventListener("input", () => player.show(Number(slider.value)));
  element.addEventListener("scroll", render);
  new ResizeObserver(render).observe(element);
  store.on("tracks frame selection view errors mode", render);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
}
