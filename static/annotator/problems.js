/** JSON pointers of a refusal → the object or the event, and the frame, that they speak of. */

import { span } from "./intervals.js";
import { $, h } from "./dom.js";

const POINTER = /^\/(tracks|intervals)\/(\d+)(?:\/(?:keyframes\/)?(\w+))?/;

/**
 * `sent` are the tracks and the intervals in the order in which they were sent. Returns `byTrack` and `byInterval`,
 * maps from id to `[{ frame, message }]`, and `rest`, messages.
 */
export function sortProblems(errors, sent) {
  const sorted = { byTrack: new Map(), byInterval: new Map(), rest: [] };
  errors.forEach(({ pointer = "", message }) => {
    const [, list, index, more] = POINTER.exec(pointer) ?? [];
    const found = sent[list]?.[Number(index)];
    if (!found) {
      sorted.rest.push(pointer ? `${pointer}: ${message}` : message);
      return;
    }
    const map = list === "tracks" ? sorted.byTrack : sorted.byInterval;
    const frame = list === "tracks" ? found.keyframes[Number(more)]?.frame ?? null : found.start;
    map.set(found.id, [...(map.get(found.id) ?? []), { frame, message }]);
  });
  return sorted;
}

/** Show a refusal of what was sent, at each object and event what is wrong with it, and go to the first of them. */
export function explain(problem, sent, { store, player }) {
  const { byTrack, byInterval, rest } = sortProblems(problem.errors, sent);
  store.setErrors(byTrack, byInterval);
  const box = $("[data-problems]");
  box.replaceChildren(h("p", {}, problem.message), h("ul", {}, ...rest.map((text) => h("li", {}, text))));
  box.hidden = false;
  const [[id, [{ frame }]] = [null, [{ frame: null }]]] = byTrack.size ? byTrack : byInterval;
  if (byTrack.size) store.select(id);
  else if (id) store.choose(id);
  if (frame !== null) player.show(frame);
}

const counted = (n, what) => (n === 1 ? `1 ${what}` : `${n || "no"} ${what}s`);

/** What there is, in a sentence: of events only where they are spoken of, of objects only where there can be some. */
export function summary(store) {
  const objects = store.drawn.length || store.all().length ? [counted(store.all().length, "object")] : [];
  const text = [...objects, ...(store.eventful() ? [counted(store.intervals().length, "event")] : [])].join(", ");
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** What a person may want to look at again before submitting; none of it forbids to submit. */
export function doubts(store) {
  const ofEvents = store.intervals().flatMap((interval) => doubtsOfEvent(interval, store));
  return [...store.all().flatMap((track) => doubtsOf(track, store)), ...ofEvents];
}

const unsaid = (label, { attributes }, asked = () => true) =>
  (label?.attributes ?? []).filter((a) => asked(a) && a.default == null && attributes[a.name] === undefined);

function doubtsOf(track, store) {
  const out = [];
  const name = `${track.label} ${track.id}`;
  if (track.keyframes.every((k) => k.outside)) out.push(`${name} is outside everywhere.`);
  else if (track.keyframes.length === 1 && store.stop - store.start > 1) {
    out.push(`${name} has one keyframe only: its box stays where it is to the end.`);
  }
  const missing = unsaid(store.labelOf(track.label), track, (a) => !a.mutable);
  return [...out, ...missing.map((a) => `${name} has no ${a.name}.`)];
}

function doubtsOfEvent(interval, store) {
  const name = `${interval.label} on ${span(interval)}`;
  const short = interval.stop - interval.start === 1;
  const missing = unsaid(store.labelOf(interval.label), interval).map((a) => `${name} has no ${a.name}.`);
  return short ? [`${name} is one frame long: say where it ends if it goes on.`, ...missing] : missing;
}
