/**
 * Draws the proven picture and, on it, what the tracks say about that very frame; holds zoom and pan.
 *
 * Boxes are drawn for the frame that the picture shows, never for one that is only asked for: picture and boxes
 * cannot disagree.
 */

import { onNextFrame } from "./dom.js";
import { boxAt, fitView, HANDLES, handlePoint, keepInSight, nearestBox, toSource, zoomView } from "./geometry.js";

const HANDLE_PX = 8;
const MOST_ZOOM = 32;

export function createCanvas({ element, store, picture }) {
  const context = element.getContext("2d");
  let view = { scale: 1, x: 0, y: 0 };
  let fitted = true;
  let draft = null;

  const size = () => [element.clientWidth, element.clientHeight];
  const fit = () => fitView(store.width, store.height, ...size());
  const kept = (wish) => keepInSight(wish, store.width, store.height, ...size());

  const render = onNextFrame(paint);

  function resize() {
    view = fitted ? fit() : kept(view);
    render();
  }

  /** As many pixels as the screen has: another screen may have more, and nothing on the page tells. */
  function measure() {
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = size().map((length) => Math.round(length * ratio));
    if (element.width !== wide) element.width = wide;
    if (element.height !== high) element.height = high;
    return ratio;
  }

  /** Everything visible on a frame: `[{ id, points, occluded, keyframe, track }]`. */
  function shapes(frame) {
    return store.all().filter((t) => !store.hidden.has(t.id)).flatMap((track) => {
      const found = boxAt(track, frame);
      return found ? [{ ...found, id: track.id, track }] : [];
    });
  }

  function paint() {
    const ratio = measure();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, ...size());
    if (store.shown === null && !picture.dataset.painted) return;
    context.imageSmoothingEnabled = view.scale * (store.width / picture.width) < 3;
    context.drawImage(picture, view.x, view.y, store.width * view.scale, store.height * view.scale);
    const frame = store.shown;
    if (frame === null) return;
    drawLayers(frame);
    shapes(frame).forEach((shape) => shape.id !== store.selected && drawShape(shape, false));
    drawSelected(frame);
    if (draft) outline(draft, { colour: store.colourOf(store.label), dash: [4, 3], width: 2 });
  }

  function drawLayers(frame) {
    const ghost = { tracks: store.ghosts, colour: "#9aa4b2", dash: [2, 4] };
    [ghost, ...store.layers.filter((l) => l.on)].forEach(({ tracks, colour, dash = [6, 4] }) => {
      tracks.forEach((track) => {
        const found = boxAt(track, frame);
        if (found) outline(found.points, { colour, dash, width: 1.5 });
      });
    });
  }

  function drawSelected(frame) {
    const track = store.get(store.selected);
    if (!track || store.hidden.has(track.id)) return;
    const found = boxAt(track, frame);
    if (found) return drawShape({ ...found, id: track.id, track }, true);
    const points = nearestBox(track, frame);
    if (points && !store.readOnly) outline(points, { colour: store.colourOf(track.label), dash: [2, 5], width: 1.5, alpha: 0.6 });
  }

  function drawShape({ points, occluded, keyframe, track }, selected) {
    const colour = store.colourOf(track.label);
    outline(points, { colour, dash: occluded ? [6, 4] : [], width: selected ? 3 : 2, fill: selected ? 0.12 : 0.05 });
    caption(points, `${track.label} ${track.id}${keyframe ? " ◆" : ""}`, colour, store.errors.has(track.id));
    if (selected && store.canDraw()) HANDLES.forEach((handle) => drawHandle(handlePoint(points, handle), colour));
  }

  const corner = (x, y) => [x * view.scale + view.x, y * view.scale + view.y];

  function outline([x1, y1, x2, y2], { colour, dash, width, fill = 0, alpha = 1 }) {
    const [left, top] = corner(x1, y1);
    const wide = (x2 - x1) * view.scale;
    const high = (y2 - y1) * view.scale;
    context.save();
    context.globalAlpha = fill;
    context.fillStyle = colour;
    if (fill) context.fillRect(left, top, wide, high);
    context.globalAlpha = alpha;
    // A dark line under the coloured one: seen on any picture.
    context.strokeStyle = "rgba(0, 0, 0, 0.55)";
    context.lineWidth = width + 2;
    context.setLineDash(dash);
    context.strokeRect(left, top, wide, high);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(left, top, wide, high);
    context.restore();
  }

  function caption([x1, y1], text, colour, wrong) {
    const [left, top] = corner(x1, y1);
    context.font = "600 12px system-ui, sans-serif";
    const words = wrong ? `! ${text}` : text;
    const wide = context.measureText(words).width + 10;
    const at = Math.max(0, top - 18);
    context.fillStyle = wrong ? "#b3121d" : "rgba(15, 18, 24, 0.82)";
    context.fillRect(left - 1, at, wide + 4, 17);
    context.fillStyle = colour;
    context.fillRect(left - 1, at, 4, 17);
    context.fillStyle = "#ffffff";
    context.fillText(words, left + 7, at + 12.5);
  }

  function drawHandle([x, y], colour) {
    const [left, top] = corner(x, y);
    context.fillStyle = "#ffffff";
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.fillRect(left - HANDLE_PX / 2, top - HANDLE_PX / 2, HANDLE_PX, HANDLE_PX);
    context.strokeRect(left - HANDLE_PX / 2, top - HANDLE_PX / 2, HANDLE_PX, HANDLE_PX);
  }

  function zoom(factor, sx, sy) {
    const [wide, high] = size();
    const least = fit().scale;
    view = kept(zoomView(view, factor, sx ?? wide / 2, sy ?? high / 2, least, MOST_ZOOM));
    fitted = view.scale <= least;
    if (fitted) view = fit();
    render();
  }

  new ResizeObserver(resize).observe(element);
  store.on("tracks frame selection playing mode view errors", render);
  store.on("shown", () => {
    picture.dataset.painted = "yes";
    render();
  });

  return {
    element, render, zoom, shapes,
    reach: () => (HANDLE_PX + 2) / view.scale,
    at: (event) => {
      const bounds = element.getBoundingClientRect();
      return toSource(view, event.clientX - bounds.left, event.clientY - bounds.top);
    },
    pan: (dx, dy) => {
      if (fitted) return;
      view = kept({ ...view, x: view.x + dx, y: view.y + dy });
      render();
    },
    reset: () => {
      fitted = true;
      view = fit();
      render();
    },
    /** The part of the picture that is in sight, as a box of the source. */
    sight: () => {
      const [wide, high] = size();
      const [x1, y1] = toSource(view, 0, 0);
      const [x2, y2] = toSource(view, wide, high);
      return [Math.max(0, x1), Math.max(0, y1), Math.min(store.width, x2), Math.min(store.height, y2)];
    },
    setDraft: (box) => {
      draft = box;
      render();
    },
    view: () => view,
  };
}
