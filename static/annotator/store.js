/**
 * The state of the bench: tracks, frames, selection. It alone changes them, and it says what changed.
 *
 * Tracks are never changed in place: an edit puts a new one for the old, so a change set is a list of
 * `{ id, before, after, index }`, with null for "was not there" and "is gone". Undo only listens to these.
 *
 * `frame` is the frame that is asked for, `shown` the frame that the picture is proven to show. Drawing is possible
 * only where they are the same.
 */

import { clamp } from "./geometry.js";
import { readTrack } from "./edits.js";

const PALETTE = ["#e5484d", "#3b82f6", "#22a06b", "#d97706", "#a855f7", "#0ea5b7", "#db2777", "#84a30f"];

export function createStore(piece) {
  const { start, stop, width, height, labels = [], frameStep = 1, readOnly = false } = piece;
  const listeners = new Map();
  let tracks = (piece.tracks ?? []).map(readTrack);

  const emit = (type, detail = {}) => (listeners.get(type) ?? []).forEach((listen) => listen(detail));

  const store = {
    start, stop, width, height, labels, frameStep, readOnly,
    intervals: piece.intervals ?? [],
    ghosts: (piece.ghosts ?? []).map(readTrack),
    layers: [],
    hidden: new Set(),
    errors: new Map(),
    frame: start,
    shown: null,
    playing: false,
    selected: null,
    label: labels[0]?.name ?? null,
    mode: "select",
    notice: "",

    on(types, listen) {
      types.split(" ").forEach((type) => listeners.set(type, [...(listeners.get(type) ?? []), listen]));
    },

    all: () => tracks,
    get: (id) => tracks.find((t) => t.id === id) ?? null,
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
      const used = tracks.map((t) => Number(t.id)).filter((n) => Number.isInteger(n) && n < 1e12);
      return String(Math.max(0, ...used) + 1);
    },

    /** Put each `after` for the track of that id. Edits of one gesture carry one `merge` word. */
    change(name, edits, { merge = null, origin = "user" } = {}) {
      const changes = edits.map(({ id, after, index }) => place(id, after, index)).filter(Boolean);
      if (!changes.length) return;
      changes.forEach(({ id }) => store.errors.delete(id));
      if (store.selected && !store.get(store.selected)) store.select(null);
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

    select(id) {
      if (id === store.selected) return;
      store.selected = id;
      emit("selection");
    },

    setLabel(name) {
      store.label = name;
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

    /** Errors by track: a map from id to `[{ frame, message }]`. */
    setErrors(errors) {
      store.errors = errors;
      emit("errors");
    },

    say(notice) {
      store.notice = notice;
      emit("notice");
    },
  };

  function place(id, after, wish) {
    const at = tracks.findIndex((t) => t.id === id);
    const before = at < 0 ? null : tracks[at];
    if (before === after) return null;
    const index = at >= 0 ? at : Math.min(wish ?? tracks.length, tracks.length);
    tracks = tracks.slice();
    if (after) tracks.splice(index, before ? 1 : 0, after);
    else tracks.splice(index, 1);
    return { id, before, after, index };
  }

  return store;
}
