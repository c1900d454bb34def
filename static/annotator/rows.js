/** The rows of the timeline, each drawn at its height: an event, what a layer says of one label, or a track. */

import { runs } from "./geometry.js";
import { byTime } from "./intervals.js";

export const ROW = 16;
export const LABEL_WIDE = 96;

/** What the rows show, from the top: events first, since there may be thousands of tracks. */
export function rowsOf(store) {
  const own = store.intervals().toSorted(byTime).map((interval) => ({ interval }));
  const theirs = store.layers.filter((l) => l.on).flatMap((layer) =>
    [...new Set(layer.intervals.map((i) => i.label))].map((label) =>
      ({ layer, label, intervals: layer.intervals.filter((i) => i.label === label) })));
  return [...own, ...theirs, ...store.all().map((track) => ({ track }))];
}

export function createRows({ context, store, xOf, style }) {
  function bar(from, to, top, high) {
    context.fillRect(xOf(from), top, Math.max(2, xOf(to) - xOf(from)), high);
  }

  /** As much of a name as there is room for. */
  function cut(text) {
    const fits = (words) => context.measureText(words).width <= LABEL_WIDE - 8;
    if (fits(text)) return text;
    let long = text.length;
    while (long > 1 && !fits(`${text.slice(0, long)}…`)) long -= 1;
    return `${text.slice(0, long)}…`;
  }

  function name(text, top, colours, selected) {
    if (selected) {
      context.fillStyle = colours.picked;
      context.fillRect(0, top - 1, context.canvas.clientWidth, ROW);
    }
    context.fillStyle = selected ? colours.ink : colours.soft;
    context.font = `${selected ? 600 : 400} 11px system-ui, sans-serif`;
    context.fillText(cut(text), 4, top + 11);
  }

  function drawEvent({ id, label, start, stop, track }, top, colours) {
    const selected = id === store.chosen;
    const words = track === null ? label : `${label} (${track})`;
    name(store.intervalErrors.has(id) ? `! ${words}` : words, top, colours, selected);
    context.fillStyle = store.colourOf(label);
    context.globalAlpha = selected ? 0.9 : 0.6;
    bar(start, stop, top + 2, 10);
    context.globalAlpha = 1;
    if (!selected) return;
    // Ends to take hold of.
    context.fillStyle = colours.ink;
    [xOf(start), Math.max(xOf(start) + 2, xOf(stop)) - 2].forEach((x) => context.fillRect(x, top + 1, 2, 12));
  }

  function drawLayer({ layer, label, intervals }, top, colours) {
    name(label, top, colours, false);
    context.fillStyle = layer.colour;
    context.strokeStyle = colours.soft;
    intervals.forEach(({ start, stop }) => {
      bar(start, stop, top + 4, 6);
      context.strokeRect(xOf(start) + 0.5, top + 4.5, Math.max(2, xOf(stop) - xOf(start)) - 1, 5);
    });
  }

  function drawTrack(track, top, colours) {
    const words = `${track.label} ${track.id}`;
    name(store.errors.has(track.id) ? `! ${words}` : words, top, colours, track.id === store.selected);
    context.fillStyle = store.colourOf(track.label);
    context.globalAlpha = store.hidden.has(track.id) ? 0.2 : 0.45;
    runs(track, store.start, store.stop).forEach(([from, to]) => bar(from, to, top + 4, 6));
    context.globalAlpha = 1;
    context.fillStyle = style("--bad");
    (track.disputes ?? []).forEach(([from, to]) => bar(from, to, top + 11, 3));
    track.keyframes.forEach((keyframe) => diamond(keyframe, top + 7, colours));
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

  return (row, top, colours) => {
    if (row.interval) drawEvent(row.interval, top, colours);
    else if (row.layer) drawLayer(row, top, colours);
    else drawTrack(row.track, top, colours);
  };
}
