/**
 * Boxes, views and times: plain arithmetic, no DOM.
 *
 * A box is [x1, y1, x2, y2] in float pixels of the source video. A track is the public contract's JSON with its
 * keyframes sorted by frame. The rules of interpolation are those of annotation/core/tracks.py, to the last bit.
 */

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

const cents = (value) => Math.round(value * 100) / 100;

export const tidy = (box) => box.map(cents);

/** Index of the last keyframe at or before `frame`, or -1. */
export function keyframeBefore(track, frame) {
  const { keyframes } = track;
  let low = 0;
  let high = keyframes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyframes[middle].frame <= frame) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What the track shows on a frame: `{ points, occluded, keyframe }`, or null where it is absent. */
export function boxAt(track, frame) {
  const index = keyframeBefore(track, frame);
  const left = track.keyframes[index];
  if (!left || left.outside) return null;
  const right = track.keyframes[index + 1];
  const found = { points: left.points, occluded: Boolean(left.occluded), keyframe: left.frame === frame };
  // A box is held, not moved, towards an outside keyframe.
  if (!right || right.outside) return found;
  const share = (frame - left.frame) / (right.frame - left.frame);
  found.points = left.points.map((a, i) => a + (right.points[i] - a) * share);
  return found;
}

/** The track on every frame of [start, stop): a list of boxes, null where absent. */
export function fillTrack(track, start, stop) {
  const out = [];
  for (let frame = start; frame < stop; frame += 1) out.push(boxAt(track, frame));
  return out;
}

/** Ranges of frames in which the track is present, as [[start, stop], …]. */
export function runs(track, start, stop) {
  const out = [];
  track.keyframes.forEach((keyframe, i) => {
    if (keyframe.outside) return;
    const next = track.keyframes[i + 1];
    const from = Math.max(keyframe.frame, start);
    const to = Math.min(next ? next.frame : stop, stop);
    if (from >= to) return;
    const last = out[out.length - 1];
    if (last && last[1] === from) last[1] = to;
    else out.push([from, to]);
  });
  return out;
}

/** The nearest box that the track has anywhere, for an object that is absent here; null if it has none. */
export function nearestBox(track, frame) {
  const seen = track.keyframes.filter((k) => k.points);
  if (!seen.length) return null;
  const nearest = seen.reduce((a, b) => (Math.abs(b.frame - frame) < Math.abs(a.frame - frame) ? b : a));
  return nearest.points;
}

export const area = ([x1, y1, x2, y2]) => Math.max(0, x2 - x1) * Math.max(0, y2 - y1);

/** Corners in any order → a box. */
export const boxFrom = (ax, ay, bx, by) => [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];

/** Keep at least `margin` pixels of the box inside the picture: a box wholly outside it is refused by the server. */
export function keepInside([x1, y1, x2, y2], width, height, margin = 1) {
  const dx = clamp(0, margin - x2, width - margin - x1);
  const dy = clamp(0, margin - y2, height - margin - y1);
  return [x1 + dx, y1 + dy, x2 + dx, y2 + dy];
}

export const moveBox = ([x1, y1, x2, y2], dx, dy) => [x1 + dx, y1 + dy, x2 + dx, y2 + dy];

export const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

export function handlePoint([x1, y1, x2, y2], handle) {
  const x = handle.includes("w") ? x1 : handle.includes("e") ? x2 : (x1 + x2) / 2;
  const y = handle.includes("n") ? y1 : handle.includes("s") ? y2 : (y1 + y2) / 2;
  return [x, y];
}

/** Drag one handle by (dx, dy); edges that cross swap, so a box never inverts, and no side falls under `least`. */
export function resizeBox([x1, y1, x2, y2], handle, dx, dy, least = 1) {
  const left = handle.includes("w") ? x1 + dx : x1;
  const right = handle.includes("e") ? x2 + dx : x2;
  const top = handle.includes("n") ? y1 + dy : y1;
  const bottom = handle.includes("s") ? y2 + dy : y2;
  const box = boxFrom(left, top, right, bottom);
  if (box[2] - box[0] < least) box[2] = box[0] + least;
  if (box[3] - box[1] < least) box[3] = box[1] + least;
  return box;
}

/** The handle of `box` within `reach` source pixels of (x, y), or null. */
export function handleAt(box, x, y, reach) {
  const near = (handle) => {
    const [hx, hy] = handlePoint(box, handle);
    return Math.abs(hx - x) <= reach && Math.abs(hy - y) <= reach;
  };
  return HANDLES.find(near) ?? null;
}

/** Of `[{ id, points }]`, the smallest box under (x, y): small ones often stand in front of large ones. */
export function hit(shapes, x, y, reach = 0) {
  const under = shapes.filter(({ points: [x1, y1, x2, y2] }) =>
    x >= x1 - reach && x <= x2 + reach && y >= y1 - reach && y <= y2 + reach);
  return under.sort((a, b) => area(a.points) - area(b.points))[0] ?? null;
}

/** The view that shows all of a width × height picture in a canvas: screen = source · scale + (x, y). */
export function fitView(width, height, canvasWidth, canvasHeight) {
  const scale = Math.min(canvasWidth / width, canvasHeight / height) || 1;
  return { scale, x: (canvasWidth - width * scale) / 2, y: (canvasHeight - height * scale) / 2 };
}

/** Zoom by a factor so that the point (sx, sy) on the screen stays where it is. */
export function zoomView(view, factor, sx, sy, least, most) {
  const scale = clamp(view.scale * factor, least, most);
  const ratio = scale / view.scale;
  return { scale, x: sx - (sx - view.x) * ratio, y: sy - (sy - view.y) * ratio };
}

/** The view moved so far that some of the picture stays in sight. */
export function keepInSight({ scale, x, y }, width, height, canvasWidth, canvasHeight, margin = 48) {
  const kept = (at, size, room) => {
    const least = Math.min(margin, size, room);
    return clamp(at, least - size, room - least);
  };
  return { scale, x: kept(x, width * scale, canvasWidth), y: kept(y, height * scale, canvasHeight) };
}

export const toSource = (view, sx, sy) => [(sx - view.x) / view.scale, (sy - view.y) / view.scale];

/** The middle of frame k's time on the screen: the one place to seek to that no rounding can miss. */
export function middleOf(times, k) {
  if (k + 1 < times.length) return (times[k] + times[k + 1]) / 2;
  const step = times.length > 1 ? times[k] - times[k - 1] : 0.04;
  return times[k] + step / 2;
}

/** The frame whose presentation time is `time`, or -1 when none is within a quarter of its duration. */
export function indexOfTime(times, time) {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= time) low = middle;
    else high = middle - 1;
  }
  const next = times[low + 1];
  const k = next !== undefined && next - time < Math.abs(time - times[low]) ? low + 1 : low;
  const step = k + 1 < times.length ? times[k + 1] - times[k] : times[k] - (times[k - 1] ?? times[k] - 0.04);
  return Math.abs(times[k] - time) <= step / 4 ? k : -1;
}
