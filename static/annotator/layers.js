/** What each worker drew, to be laid over the consensus: boxes over the picture, events as rows of the timeline. */

import { readTrack } from "./edits.js";
import { byTime, readInterval, span, spoken } from "./intervals.js";
import { $, dot, h, iconButton } from "./dom.js";

const COLOURS = ["#ffd24a", "#5ad1ff", "#ff8ad8", "#8affa1", "#ffa35c", "#c3a6ff", "#f5f5f5"];

export function openLayers({ submissions }, { store, player, marking }) {
  const layers = submissions.map(({ id, worker, tracks, intervals = [] }, i) => ({
    id, name: worker, colour: COLOURS[i % COLOURS.length], tracks: tracks.map(readTrack),
    intervals: intervals.map(readInterval).toSorted(byTime), on: false,
  }));
  store.setLayers(layers);

  function line(layer) {
    const events = h("ul", { class: "events" }, ...layer.intervals.map((interval) => event(interval, layer)));
    events.hidden = true;
    const turn = (on) => {
      layer.on = on;
      events.hidden = !on;
      store.setLayers(layers);
    };
    return h("li", {}, h("label", {}, h("input", { type: "checkbox", onchange: (e) => turn(e.target.checked) }),
      dot(layer.colour), `${layer.name} (${sizeOf(layer)})`), layer.intervals.length ? events : null);
  }

  const sizeOf = ({ tracks, intervals }) =>
    (store.eventful() ? `${counted(tracks, "object")}, ${counted(intervals, "event")}` : String(tracks.length));
  const counted = ({ length }, what) => `${length} ${what}${length === 1 ? "" : "s"}`;

  /** A worker's event: to be looked at, and to be taken over into what a reviewer sends. */
  function event(interval, layer) {
    const words = spoken(interval);
    const go = { type: "button", class: "link", "aria-label": words, onclick: () => player.show(interval.start) };
    const take = () => iconButton("plus", `Take over from ${layer.name}: ${words}`, () => marking.takeOver(interval));
    return h("li", { class: "row" }, h("button", go, `${interval.label} ${span(interval)}`),
      h("span", { class: "grow" }), store.readOnly ? null : take());
  }

  $("[data-layers]").replaceChildren(...layers.map(line));
}
