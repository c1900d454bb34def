/**
 * The state of the bench: tracks, intervals, frames, selection. It alone changes them, and it says what changed.
 *
 * Nothing is changed in place: an edit puts a new track or interval for the old, so a change set is a list of
 * `{ of, id, before, after, index }`, with null for "was not there" and "is gone", of a "track" or an "interval". Undo
 * only listens to these.
 *
 * `frame` is the frame that is asked for, `shown` the frame that the picture is proven to show. Drawing is possible
 * only where they are the same.
 */

import { clamp } from "./geometry.js";
import { readTrack } from "./edits.js";
import { readInterval } from "./intervals.js";

const PALETTE = ["#e5484d", "#3b82f6", "#22a06b", "#d97706", "#a855f7", "#0ea5b7", "#db2777", "#84a30f"];

export function createStore(piece) {
  const { start, stop, width, height, labels = [], frameStep = 1, readOnly = false } = piece;
  const listeners = new Map();
  const lists = { track: (piece.tracks ?? []).map(readTrack), interval: [] };
  const drawn = labels.filter((l) => l.shape !== "interval");
  const others = labels.filter((l) => l.shape === "interval");
  let named = 0;
  let eventful = others.length > 0 || Boolean(piece.eventful);

  const emit = (type, detail = {}) => (listeners.get(type) ?? []).forEach((listen) => listen(detail));

  const store = {
    start, stop, width, height, labels, frameStep, readOnly,
    /** Labels that boxes can have, and those that are offered for events. */
    drawn,
    eventLabels: others.length ? others : labels,
    ghosts: (piece.ghosts ?? []).map(readTrack),
    layers: [],
    hidden: new Set(),
    errors: new Map(),
    intervalErrors: new Map(),
    frame: start,
    shown: null,
    playing: false,
    selected: null,
    chosen: null,
    label: drawn[0]?.name ?? null,
    eventLabel: (others[0] ?? labels[0])?.name ?? null,
    mode: "select",
    notice: "",

    on(types, listen) {
      types.split(" ").forEach((type) => listeners.set(type, [...(listeners.get(type) ?? []), listen]));
    },

    all: () => lists.track,
    get: (id) => lists.track.find((t) => t.id === id) ?? null,
    intervals: () => lists.interval,
    whole: () => ({ tracks: lists.track, intervals: lists.interval }),
    interval: (id) => lists.interval.find((i) => i.id === id) ?? null,
    newInterval: (said) => readInterval(said, `interval ${(named += 1)}`),
    /** Whether events are spoken of at all: where there is a label for them, or one was there. */
    eventful: () => eventful,
    labelOf: (name) => labels.find((l) => l.name === name) ?? null,

    colourOf(name) {
      const index = labels.findIndex((l) => l.name === name);
      const own = labels[index]?.color;
      return /^#[0-9a-f]{6}$/i.test(own ?? "") ? own : PALETTE[Math.max(0, index) % PALETTE.length];
    },

    /** Can something be drawn now, on the frame that is asked for? */
    canDraw: () => !store.readOnly && !store.playing && store.shown === store.frame && store.onStep(store.frame),

    /** Keyframes may be set only on multiples of the project's frame step. */
    onStep: (frame) => frame % frameStep === 0,

    /** A number that no track has. Those with large numbers are left alone: past 2^53 one more is the same again. */
    freeId() {
      const used = lists.track.map((t) => Number(t.id)).filter((n) => Number.isInteger(n) && n < 1e12);
      return String(Math.max(0, ...used) + 1);
    },

    /** Put each `after` for the track, or the interval, of that id. Edits of one gesture carry one `merge` word. */
    change(name, edits, { merge = null, origin = "user" } = {}) {
      const changes = edits.map(place).filter(Boolean);
      if (!changes.length) return;
      changes.forEach(({ of, id }) => (of === "track" ? store.errors : store.intervalErrors).delete(id));
      if (store.selected && !store.get(store.selected)) store.select(null);
      if (store.chosen && !store.interval(store.chosen)) store.choose(null);
      emit("tracks", { name, changes, merge, origin, frame: store.frame });
    },

    setFrame(frame) {
      const next = clamp(Math.round(frame), start, stop - 1);
      if (next === store.frame) return;
      store.frame = next;
      emit("frame");
    },

    /** The picture is proven to show this frame; null while nothing is proven. */
    setShown(frame) {
      store.shown = frame;
      emit("shown");
    },

    setPlaying(playing) {
      store.playing = playing;
      emit("playing");
    },

    /** An object or an event is selected, never both: a key is meant for one of them. */
    select(id) {
      if (id === store.selected && !store.chosen) return;
      Object.assign(store, { selected: id, chosen: null });
      emit("selection");
    },

    choose(id) {
      if (id === store.chosen) return;
      Object.assign(store, { selected: null, chosen: id });
      emit("selection");
    },

    setLabel(name) {
      store.label = name;
      emit("mode");
    },

    setEventLabel(name) {
      store.eventLabel = name;
      emit("mode");
    },

    setMode(mode) {
      store.mode = mode;
      emit("mode");
    },

    setReadOnly(value) {
      store.readOnly = value;
      emit("mode");
    },

    setHidden(id, hidden) {
      if (hidden) store.hidden.add(id);
      else store.hidden.delete(id);
      emit("view");
    },

    setLayers(layers) {
      store.layers = layers;
      emit("view");
    },

    /** Errors by track and by interval: maps from id to `[{ frame, message }]`. */
    setErrors(errors, intervalErrors = new Map()) {
      Object.assign(store, { errors, intervalErrors });
      emit("errors");
    },

    hasErrors: () => store.errors.size + store.intervalErrors.size > 0,

    say(notice) {
      store.notice = notice;
      emit("notice");
    },
  };

  function place({ of = "track", id, after, index: wish }) {
    const list = lists[of].slice();
    const at = list.findIndex((one) => one.id === id);
    const before = at < 0 ? null : list[at];
    if (before === after) return null;
    const index = at >= 0 ? at : Math.min(wish ?? list.length, list.length);
    if (after) list.splice(index, before ? 1 : 0, after);
    else list.splice(index, 1);
    lists[of] = list;
    eventful ||= of === "interval";
    return { of, id, before, after, index };
  }

  lists.interval = (piece.intervals ?? []).map(store.newInterval);
  eventful ||= lists.interval.length > 0;
  return store;
}
