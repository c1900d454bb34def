/** The pointer on the canvas: select, draw, move, resize, zoom, pan. */

import { boxFrom, handleAt, hit, moveBox, resizeBox } from "./geometry.js";

const LEAST_PX = 3; // a drag shorter than this on the screen is a click
const CURSORS = { n: "ns", s: "ns", e: "ew", w: "ew", nw: "nwse", se: "nwse", ne: "nesw", sw: "nesw" };

export function createTools({ store, canvas, commands, player }) {
  const { element } = canvas;
  let drag = null;

  const inSight = () => canvas.shapes(store.shown);

  /** The handle or the body of the selected box under the pointer. */
  function grip(x, y) {
    const track = store.get(store.selected);
    if (!track || store.hidden.has(track.id)) return null;
    const points = commands.boxOf(track);
    if (!points) return null;
    const handle = handleAt(points, x, y, canvas.reach());
    if (handle) return { handle, points };
    return hit([{ points }], x, y, canvas.reach() / 2) ? { handle: null, points } : null;
  }

  function begin(event) {
    if (event.button === 1 || (event.button === 0 && event.shiftKey)) return { kind: "pan" };
    if (event.button !== 0) return null;
    if (store.playing) {
      player.pause();
      return null;
    }
    const [x, y] = canvas.at(event);
    const held = store.mode === "draw" ? null : grip(x, y);
    if (held?.handle) return edit("resize", held, x, y);
    if (store.mode === "draw") return commands.ready() ? { kind: "draw", x, y } : null;
    // A click on a smaller box inside the selected one means the smaller one.
    const found = hit(inSight(), x, y, canvas.reach() / 2);
    if (found && (!held || found.id !== store.selected)) {
      store.select(found.id);
      return edit("move", { points: found.points }, x, y);
    }
    if (held) return edit("move", held, x, y);
    // An event stays selected: it is not in the picture, and waits for its end.
    if (store.selected) store.select(null);
    return { kind: "pan" };
  }

  function edit(kind, { handle, points }, x, y) {
    return store.canDraw() ? { kind, handle, points, x, y, id: store.selected, merge: commands.newGesture() } : null;
  }

  function follow(event) {
    const [x, y] = canvas.at(event);
    const [dx, dy] = [x - drag.x, y - drag.y];
    if (drag.kind === "pan") canvas.pan(event.movementX, event.movementY);
    if (drag.kind === "draw") drag.box = boxFrom(drag.x, drag.y, x, y);
    if (drag.kind === "draw") canvas.setDraft(store.mode === "draw" ? drag.box : null);
    // A key may select another object meanwhile: that one was not taken hold of.
    if (!drag.moved || drag.id !== store.selected) return;
    if (drag.kind === "move") commands.setBox(moveBox(drag.points, dx, dy), drag.merge);
    if (drag.kind === "resize") commands.setBox(resizeBox(drag.points, drag.handle, dx, dy), drag.merge);
  }

  function end() {
    // Escape takes it back while the button is still down.
    if (drag.kind === "draw" && store.mode === "draw" && drag.moved && drag.box && bigEnough(drag.box)) {
      commands.add(drag.box);
      store.setMode("select");
    }
    canvas.setDraft(null);
  }

  const bigEnough = ([x1, y1, x2, y2]) => Math.min(x2 - x1, y2 - y1) >= 1;

  function point(event) {
    const [x, y] = canvas.at(event);
    const held = store.mode === "select" && store.canDraw() ? grip(x, y) : null;
    const over = held?.handle ? `${CURSORS[held.handle]}-resize` : held || hit(inSight(), x, y) ? "move" : "default";
    element.style.cursor = store.mode === "draw" ? "crosshair" : over;
  }

  element.addEventListener("pointerdown", (event) => {
    // A second finger, or a palm, is no second start of what the first one does.
    if (drag && element.hasPointerCapture(drag.pointer)) return;
    element.focus({ preventScroll: true });
    drag = begin(event);
    if (!drag) return;
    event.preventDefault();
    drag.pointer = event.pointerId;
    drag.from = [event.clientX, event.clientY];
    element.setPointerCapture(event.pointerId);
  });

  element.addEventListener("pointermove", (event) => {
    if (!drag) {
      point(event);
      return;
    }
    if (event.pointerId !== drag.pointer) return;
    const [x, y] = drag.from;
    drag.moved ||= Math.hypot(event.clientX - x, event.clientY - y) >= LEAST_PX;
    follow(event);
  });

  element.addEventListener("pointerup", ({ pointerId }) => {
    if (drag?.pointer !== pointerId) return;
    end();
    drag = null;
  });

  element.addEventListener("pointercancel", ({ pointerId }) => {
    if (drag?.pointer !== pointerId) return;
    canvas.setDraft(null);
    drag = null;
  });

  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const bounds = element.getBoundingClientRect();
    canvas.zoom(Math.exp(-event.deltaY / 400), event.clientX - bounds.left, event.clientY - bounds.top);
  }, { passive: false });
}
