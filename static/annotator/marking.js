/** What a person can do with intervals, which the page calls events: keys, buttons and the timeline all end here. */

import { byTime, defaultsOf, lastFrame, setAttribute, setEnds, setLabel, spoken } from "./intervals.js";

export function createMarking({ store, player }) {
  const chosen = () => store.interval(store.chosen);
  let begun = null; // the event whose end was not said yet

  /** The event that is selected, or else the one that was begun last and is not ended. */
  const meant = () => chosen() ?? store.interval(begun);

  /** An event is marked on the frame that is on the screen: also while it plays, and off the frame step of boxes. */
  function ready() {
    if (store.readOnly) store.say("Nothing can be changed here.");
    else if (store.shown !== store.frame) store.say("One moment: this frame is not on the screen yet.");
    return !store.readOnly && store.shown === store.frame;
  }

  function edit(name, make, merge = null) {
    const interval = chosen();
    if (interval && !store.readOnly) {
      store.change(name, [{ of: "interval", id: interval.id, after: make(interval) }], { merge });
    }
  }

  /** A new event on this frame, of the whole scene or of an object; where it ends is said later. */
  function begin(track = null) {
    const label = store.labelOf(store.eventLabel);
    if (!label || !ready()) return;
    const said = { label: label.name, start: store.frame, stop: store.frame + 1, track, attributes: defaultsOf(label) };
    const interval = store.newInterval(said);
    store.change("event", [{ of: "interval", id: interval.id, after: interval }]);
    store.choose(interval.id);
    begun = interval.id;
    store.say(`${label.name} begins on frame ${store.frame}. Go to its last frame and press X.`);
  }

  /** Another source's event as one's own. The object that it is of has another name there. */
  function takeOver({ label, start, stop, track, attributes }) {
    if (store.readOnly) return;
    const interval = store.newInterval({ label, start, stop, attributes });
    store.change("event", [{ of: "interval", id: interval.id, after: interval }]);
    store.choose(interval.id);
    if (track !== null) store.say("Choose the object that it is of.");
  }

  function beginOfObject() {
    if (store.selected) begin(store.selected);
    else store.say("Select the object first that the event is of.");
  }

  /** This frame is the first, or the last, one of the event that is selected. */
  function endHere(which) {
    const interval = meant();
    if (!interval) return store.say("Select an event first, or press E where one begins.");
    if (!ready()) return undefined;
    const { frame } = store;
    const last = lastFrame(interval);
    if (which === "first" && frame > last) return store.say(`It ends on frame ${last}, before this one.`);
    const { start } = interval;
    if (which === "last" && frame < start) return store.say(`It begins on frame ${start}, after this one.`);
    store.choose(interval.id);
    if (which === "last") begun = null;
    edit("event", (one) => setEnds(one, { [which]: frame }, store));
    return store.say(`${spoken(chosen())}.`);
  }

  function selectNext(by) {
    const all = store.intervals().toSorted(byTime);
    if (!all.length) return;
    const at = all.findIndex((i) => i.id === store.chosen);
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length;
    store.choose(all[next].id);
  }

  return {
    meant, begin, beginOfObject, endHere, selectNext, takeOver,

    setEnds: (ends, merge = null) => edit("event", (one) => setEnds(one, ends, store), merge),
    attach: (track) => edit("event", (one) => ({ ...one, track })),
    setAttribute: ({ name }, value) => edit("attribute", (one) => setAttribute(one, name, value)),

    /** The label of the event that is selected, and of the next one. */
    setLabel(name) {
      const [label, interval] = [store.labelOf(name), chosen()];
      if (store.eventLabels.includes(label)) store.setEventLabel(name);
      if (interval && interval.label !== name) edit("label", (one) => setLabel(one, label, store.labelOf(one.label)));
    },

    goTo(which) {
      const interval = chosen();
      if (interval) player.show(which === "first" || which === "before" ? interval.start : lastFrame(interval));
    },

    remove() {
      const interval = chosen();
      if (!interval || store.readOnly) return;
      store.change("delete", [{ of: "interval", id: interval.id, after: null }]);
      store.say(`${spoken(interval)} deleted. Undo brings it back.`);
    },
  };
}
