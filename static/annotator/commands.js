/** What a person can do, by whatever means: keys, buttons and the pointer all end here. */

import { boxAt, keepInside, moveBox, nearestBox, resizeBox } from "./geometry.js";
import * as edits from "./edits.js";

export function createCommands({ store, history, player, canvas, marking }) {
  let gesture = 0;

  const selected = () => store.get(store.selected);
  const inside = (box) => keepInside(box, store.width, store.height);

  /** Say why nothing can be drawn now; true when something can. */
  function ready() {
    if (store.canDraw()) return true;
    if (store.readOnly) store.say("Nothing can be changed here.");
    else if (store.playing) player.pause();
    else if (!store.onStep(store.frame)) store.say(`Boxes are set on every ${store.frameStep}th frame only.`);
    else store.say("One moment: this frame is not on the screen yet.");
    return false;
  }

  /** Edit the selected track on this frame; `make` gets the track and the frame. */
  function edit(name, make, merge = null, can = ready) {
    const track = selected();
    if (!track || !can()) return;
    const after = make(track, store.frame);
    store.change(name, after ? [{ id: track.id, after }] : removal(track), { merge });
  }

  const eventsOf = (track) => store.intervals().filter((i) => i.track === track.id);

  /** An object goes with the events that are of it: they would be of nothing. One undo brings all back. */
  const removal = (track) =>
    [...eventsOf(track).map(({ id }) => ({ of: "interval", id, after: null })), { id: track.id, after: null }];

  function setBox(points, merge) {
    edit("box", (track, frame) => edits.setBox(track, frame, inside(points)), merge);
  }

  /** The selected object's box on this frame, or where it was nearest. */
  const boxOf = (track) => boxAt(track, store.frame)?.points ?? nearestBox(track, store.frame);

  function add(points) {
    const label = store.labelOf(store.label);
    if (!label || !ready()) return null;
    const id = store.freeId();
    const track = edits.newTrack({
      id, label: label.name, frame: store.frame, points: inside(points), attributes: edits.defaultsOf(label),
    });
    store.change("new", [{ id, after: track }]);
    store.select(id);
    return id;
  }

  /** A box in the middle of what is in sight, to be put in place by keys. */
  function addHere() {
    const [x1, y1, x2, y2] = canvas.sight();
    const [wide, high] = [(x2 - x1) / 6, (y2 - y1) / 4];
    const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
    if (add([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2])) canvas.element.focus();
  }

  function nudge(dx, dy) {
    const track = selected();
    if (track) setBox(moveBox(boxOf(track), dx, dy), `nudge ${track.id} ${store.frame}`);
  }

  function grow(dx, dy) {
    const track = selected();
    if (track) setBox(resizeBox(boxOf(track), "se", dx, dy), `grow ${track.id} ${store.frame}`);
  }

  const isOutside = (track) => !boxAt(track, store.frame);
  const isOccluded = (track) => Boolean(boxAt(track, store.frame)?.occluded);

  /** Outside or back; an object that would have no box left, and none to come back with, stays. */
  function toggledOutside(track, frame) {
    const after = edits.setOutside(track, frame, !isOutside(track));
    if (nearestBox(after, frame)) return after;
    store.say("This is the object's only box. Delete the object if it is nowhere.");
    return track;
  }

  function toggleOccluded() {
    const track = selected();
    if (!track || isOutside(track)) return;
    edit("occluded", (t, frame) => edits.setOccluded(t, frame, !isOccluded(t)));
  }

  function selectNext(by) {
    const tracks = store.all();
    if (!tracks.length) return;
    const at = tracks.findIndex((t) => t.id === store.selected);
    const next = at < 0 ? (by > 0 ? 0 : tracks.length - 1) : (at + by + tracks.length) % tracks.length;
    store.select(tracks[next].id);
  }

  /** The label of the selected object or event; while drawing, or with none selected, of the next one. */
  function setLabel(name) {
    const label = store.labelOf(name);
    const ofEvents = store.chosen && store.eventLabels.includes(label);
    if (ofEvents || !store.drawn.includes(label)) return marking.setLabel(name);
    store.setLabel(name);
    const track = store.mode === "draw" ? null : selected();
    if (track && label && track.label !== name) edit("label", (t) => edits.setLabel(t, label));
    return undefined;
  }

  /** To a keyframe of the selected track: the first, the last, the one before or after this frame. */
  function goToKeyframe(which) {
    if (store.chosen) return marking.goTo(which);
    const frames = selected()?.keyframes.map((k) => k.frame);
    if (!frames) return undefined;
    const to = {
      first: frames[0],
      last: frames[frames.length - 1],
      before: frames.filter((f) => f < store.frame).pop(),
      after: frames.find((f) => f > store.frame),
    }[which];
    return to === undefined ? undefined : player.show(to);
  }

  return {
    add, addHere, nudge, grow, setBox, boxOf, selectNext, setLabel, goToKeyframe, toggleOccluded, isOutside, isOccluded,
    ready,
    newGesture: () => `gesture ${(gesture += 1)}`,
    toggleOutside: () => edit("outside", toggledOutside),
    pin: () => edit("keyframe", (t, frame) => (isOutside(t) ? t : edits.pin(t, frame))),
    dropKeyframe: () => edit("keyframe", (t, frame) => edits.dropKeyframe(t, frame)),

    /** What belongs to the whole track is said on any frame, shown or not. */
    setAttribute(attribute, value) {
      const can = attribute.mutable ? ready : () => !store.readOnly;
      edit("attribute", (t, frame) => edits.setAttribute(t, frame, attribute, value), null, can);
    },

    remove() {
      if (store.chosen) return marking.remove();
      const track = selected();
      if (!track || store.readOnly) return undefined;
      const own = eventsOf(track).length;
      store.change("delete", removal(track));
      const also = own ? ` and its ${own === 1 ? "event" : `${own} events`}` : "";
      return store.say(`${track.label} ${track.id}${also} deleted. Undo brings it back.`);
    },

    undo() {
      const entry = store.readOnly ? null : history.undo();
      if (entry) player.show(entry.frame);
    },

    redo() {
      const entry = store.readOnly ? null : history.redo();
      if (entry) player.show(entry.frame);
    },
  };
}
