/**
 * What an edit makes of an interval: pure functions from an interval to a new one.
 *
 * The contract has `[start, stop)`; people are told the first frame and the last one. `id` is this page's own, and
 * never sent. Ends may lie on any frame, whatever the project's frame step.
 */

import { clamp } from "./geometry.js";

/** An interval of the contract, made whole. */
export const readInterval = ({ label, start, stop, track, attributes }, id) =>
  ({ id, label, start, stop, track: track == null ? null : String(track), attributes: { ...attributes } });

/** What is sent to the server: the contract's fields alone. */
export const writeInterval = ({ label, start, stop, track, attributes }) => ({ label, start, stop, track, attributes });

export const lastFrame = ({ stop }) => stop - 1;

/** With its first and its last frame inside the segment, the last one never before the first. */
export function setEnds(interval, { first, last }, segment) {
  const start = clamp(first ?? interval.start, segment.start, Math.max(segment.start, last ?? lastFrame(interval)));
  const stop = clamp(last ?? lastFrame(interval), start, segment.stop - 1) + 1;
  return start === interval.start && stop === interval.stop ? interval : { ...interval, start, stop };
}

/** Every attribute of its label belongs to the whole of it: those that may change in a track, too. */
export const defaultsOf = (label) =>
  Object.fromEntries((label.attributes ?? []).filter((a) => a.default != null).map((a) => [a.name, a.default]));

export function setAttribute(interval, name, value) {
  const { [name]: _, ...others } = interval.attributes;
  return { ...interval, attributes: value === undefined ? others : { ...others, [name]: value } };
}

/** Another label: of the attributes only those that it has with the same kind and values. */
export function setLabel(interval, label, old) {
  const same = (a) => old?.attributes?.some((b) =>
    a.name === b.name && a.kind === b.kind && JSON.stringify(a.values) === JSON.stringify(b.values));
  const kept = (label.attributes ?? []).filter((a) => same(a) && a.name in interval.attributes);
  const said = Object.fromEntries(kept.map((a) => [a.name, interval.attributes[a.name]]));
  return { ...interval, label: label.name, attributes: { ...defaultsOf(label), ...said } };
}

export const byTime = (a, b) => a.start - b.start || a.stop - b.stop;

/** `130–179`, the last frame included; `130` where that is all. */
export const span = ({ start, stop }) => (stop - start > 1 ? `${start}–${stop - 1}` : `${start}`);

/** In words, for messages and for those who listen. */
export const spoken = ({ label, start, stop }) =>
  stop - start > 1 ? `${label}, frames ${start} to ${stop - 1}` : `${label}, frame ${start}`;
