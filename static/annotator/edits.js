/** What an edit makes of a track: pure functions from a track to a new track. */

import { boxAt, keyframeBefore, nearestBox, tidy } from "./geometry.js";

const byFrame = (a, b) => a.frame - b.frame;

/** The track with `more` laid over its keyframe on `frame`, which is made if it is not there. */
function withKeyframe(track, frame, more) {
  const others = track.keyframes.filter((k) => k.frame !== frame);
  const old = track.keyframes.find((k) => k.frame === frame) ?? fresh(track, frame);
  const keyframe = { ...old, ...more };
  if (keyframe.outside) delete keyframe.points;
  return { ...track, keyframes: [...others, keyframe].sort(byFrame) };
}

function fresh(track, frame) {
  const here = boxAt(track, frame);
  const keyframe = { frame, outside: !here, occluded: Boolean(here?.occluded), attributes: {} };
  return here ? { ...keyframe, points: tidy(here.points) } : keyframe;
}

export function newTrack({ id, label, frame, points, attributes = {} }) {
  const keyframe = { frame, points: tidy(points), outside: false, occluded: false, attributes: {} };
  return { id, label, attributes, keyframes: [keyframe] };
}

/** The object is here on this frame, with this box. */
export const setBox = (track, frame, points) => withKeyframe(track, frame, { points: tidy(points), outside: false });

/** Say whether the object is outside from this frame on. Coming back, it has the last box that it had. */
export function setOutside(track, frame, outside) {
  if (outside) return withKeyframe(track, frame, { outside: true, occluded: false });
  const before = track.keyframes.slice(0, keyframeBefore(track, frame) + 1).reverse();
  const points = before.find((k) => k.points)?.points ?? nearestBox(track, frame);
  return points ? withKeyframe(track, frame, { points, outside: false }) : track;
}

export const setOccluded = (track, frame, occluded) => withKeyframe(track, frame, { occluded });

/** A keyframe where the object is, as interpolated. */
export const pin = (track, frame) => withKeyframe(track, frame, {});

/** Without its keyframe on this frame; null when no box is left. */
export function dropKeyframe(track, frame) {
  const keyframes = track.keyframes.filter((k) => k.frame !== frame);
  return keyframes.some((k) => k.points) ? { ...track, keyframes } : null;
}

const said = (attributes, name, value) => {
  const { [name]: _, ...others } = attributes ?? {};
  return value === undefined ? others : { ...others, [name]: value };
};

/**
 * A mutable attribute holds from this frame until a later keyframe sets it anew; others hold for the whole track.
 * `undefined` takes back what was said.
 */
export function setAttribute(track, frame, { name, mutable }, value) {
  if (!mutable) return { ...track, attributes: said(track.attributes, name, value) };
  const old = track.keyframes.find((k) => k.frame === frame);
  if (!old && value === undefined) return track;
  return withKeyframe(track, frame, { attributes: said(old?.attributes, name, value) });
}

/** The value that an attribute has on a frame. */
export function attributeAt(track, frame, { name, mutable, default: initial }) {
  if (!mutable) return track.attributes?.[name] ?? initial;
  for (let i = keyframeBefore(track, frame); i >= 0; i -= 1) {
    const value = track.keyframes[i].attributes?.[name];
    if (value !== undefined) return value;
  }
  return track.attributes?.[name] ?? initial;
}

/** A new track's attributes: the defaults of those that belong to the whole track. */
export function defaultsOf(label) {
  const fixed = (label?.attributes ?? []).filter((a) => !a.mutable && a.default !== undefined && a.default !== null);
  return Object.fromEntries(fixed.map((a) => [a.name, a.default]));
}

const TYPES = { number: "number", boolean: "boolean" };
const fits = ({ kind, values = [] }, value) =>
  typeof value === (TYPES[kind] ?? "string") && (!values.length || values.includes(value));

/** Another label: attributes that the new label does not have, or has with other values, are let go. */
export function setLabel(track, label) {
  const kept = (attributes, mutable) => Object.fromEntries(Object.entries(attributes ?? {}).filter(([name, value]) =>
    (label.attributes ?? []).some((a) => a.name === name && Boolean(a.mutable) === mutable && fits(a, value))));
  const keyframes = track.keyframes.map((k) => ({ ...k, attributes: kept(k.attributes, true) }));
  const attributes = { ...defaultsOf(label), ...kept(track.attributes, false) };
  return { ...track, label: label.name, attributes, keyframes };
}

/** A track of the contract, made whole: keyframes sorted, flags and attributes present, nothing else kept. */
export function readTrack({ id, label, attributes, keyframes, confidence, support, disputes }) {
  const whole = (k) => {
    const out = { frame: k.frame, outside: Boolean(k.outside), occluded: Boolean(k.occluded) };
    out.attributes = { ...k.attributes };
    if (k.points && !out.outside) out.points = k.points;
    return out;
  };
  const track = { id: String(id), label, attributes: { ...attributes }, keyframes: keyframes.map(whole).sort(byFrame) };
  return confidence === undefined ? track : { ...track, confidence, support, disputes };
}

/** What is sent to the server: the contract's fields alone. */
export const writeTrack = ({ id, label, attributes, keyframes }) => ({ id, label, attributes, keyframes });
