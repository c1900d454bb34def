/** The list of events (the contract's intervals), and what can be said of the one that is selected. */

import { byTime, lastFrame, span, spoken } from "./intervals.js";
import { $, dot, h, iconButton, itemsIn, onNextFrame, reveal } from "./dom.js";
import { attributeFields, fillFields, paintLabels } from "./fields.js";

const SCENE = "The whole scene";

export function createEvents({ root, store, marking, player }) {
  const list = $("[data-event-list]", root);
  const detail = $("[data-event-detail]", root);
  const show = itemsIn(list, () => (store.readOnly ? "No events." : "No events yet. Press E where one begins."));
  const render = onNextFrame(() => {
    root.hidden = !store.eventful();
    if (!root.hidden) paint();
  });

  function paint() {
    const interval = store.interval(store.chosen);
    $("[data-event-count]", root).textContent = String(store.intervals().length);
    show(store.intervals().toSorted(byTime).map((one) => [one.id, [one, ...looksOf(one)], row]));
    paintStart(interval);
    const same = interval && detail.dataset.key === keyOf(interval);
    if (!same || !detail.contains(document.activeElement)) paintDetail(interval);
    if (interval) refreshDetail(interval);
  }

  const nameOf = (id) => {
    const track = store.get(id);
    return track ? `${track.label} ${id}` : `${id}, which is gone`;
  };

  /** What of an event's row may change while the event does not. */
  const looksOf = ({ id, start, stop, track }) => [
    id === store.chosen, start <= store.frame && store.frame < stop, track === null ? "" : `of ${nameOf(track)}`,
    store.intervalErrors.get(id),
  ];

  function row(interval, chosen, now, of, errors = []) {
    const { id, label, start } = interval;
    return h("li", { class: `object${chosen ? " selected" : ""}`, "data-interval": id },
      h("button", {
        type: "button", class: "object-name", "data-key": id, "aria-pressed": String(chosen),
        "aria-label": `${[spoken(interval), of].filter(Boolean).join(", ")}${now ? ", now" : ""}`,
        onclick: () => store.choose(id), ondblclick: () => player.show(start),
      }, dot(store.colourOf(label)), h("span", { class: "event-name" }, label, of ? h("small", {}, ` ${of}`) : null),
      h("span", { class: "state" }, now ? h("b", {}, "now ") : null, span(interval))),
      errors.length ? h("ul", { class: "errors" }, ...errors.map(({ message }) => h("li", {}, message))) : null);
  }

  /** What begins an event: a label, and a button for the scene or for the object that is selected. */
  function paintStart(interval) {
    const shown = store.eventLabels.find((l) => l.name === interval?.label)?.name ?? store.eventLabel;
    paintLabels($("[data-event-labels]", root), store, store.eventLabels, shown, marking.setLabel);
    const ofObject = $("[data-event=object]", root);
    ofObject.hidden = !store.selected;
    $("[data-of]", ofObject).textContent = store.selected ? nameOf(store.selected) : "";
    root.querySelectorAll("[data-event]").forEach((button) => (button.disabled = store.readOnly));
    $("[data-event=last]", root).disabled = store.readOnly || !marking.meant();
  }

  /** The detail is made anew for another event, or where what there is to choose from is another. */
  const keyOf = ({ id, label }) => JSON.stringify([id, label, store.readOnly, store.all().map((t) => nameOf(t.id))]);

  function paintDetail(interval) {
    detail.hidden = !interval;
    detail.dataset.key = interval ? keyOf(interval) : "";
    const parts = interval ? [h("h3", {}, interval.label), moves(), ends(), choices(interval), fields(interval)] : [];
    detail.replaceChildren(...parts);
  }

  const fields = ({ label }) => attributeFields(store.labelOf(label)?.attributes ?? [], marking.setAttribute);

  const moves = () => h("div", { class: "row" },
    iconButton("first", "To its first frame (Shift+G)", () => marking.goTo("first")),
    iconButton("last", "To its last frame (G)", () => marking.goTo("last")),
    h("span", { class: "grow" }),
    iconButton("begins", "This frame is its first one (Q)", () => marking.endHere("first"), { "data-edit": true }),
    iconButton("ends", "This frame is its last one (X)", () => marking.endHere("last"), { "data-edit": true }),
    iconButton("trash", "Delete the event (Delete)", marking.remove, { "data-edit": true }));

  function end(name, text) {
    const say = (event) => {
      if (event.target.value !== "") marking.setEnds({ [name]: Math.round(Number(event.target.value)) });
      marking.goTo(name);
      refreshDetail(store.interval(store.chosen), true);
    };
    return h("label", {}, h("span", {}, text), h("input", {
      type: "number", inputmode: "numeric", "data-end": name, min: store.start, max: store.stop - 1, onchange: say,
    }));
  }

  const ends = () => h("div", { class: "ends" },
    end("first", "First frame"), end("last", "Last frame"), h("small", { "data-length": true }));

  function choice(text, name, options, set) {
    const select = h("select", { "data-choice": name, onchange: (event) => set(event.target.value) });
    select.append(...options.map(([value, words]) => h("option", { value }, words)));
    return h("label", {}, h("span", {}, text), select);
  }

  function choices({ label, track }) {
    const names = [...new Set([...store.eventLabels.map((l) => l.name), label])];
    const ids = [...new Set([...store.all().map((t) => t.id), ...(track === null ? [] : [track])])];
    const objects = [["", SCENE], ...ids.map((id) => [id, nameOf(id)])];
    return h("div", { class: "fields" },
      names.length > 1 ? choice("Label", "label", names.map((n) => [n, n]), marking.setLabel) : null,
      ids.length ? choice("Of", "track", objects, (id) => marking.attach(id || null)) : null);
  }

  function refreshDetail(interval, typed = false) {
    const values = { first: interval.start, last: lastFrame(interval) };
    detail.querySelectorAll("[data-end]").forEach((field) => {
      if (typed || field !== document.activeElement) field.value = String(values[field.dataset.end]);
      field.disabled = store.readOnly;
    });
    const long = interval.stop - interval.start;
    $("[data-length]", detail).textContent = long === 1 ? "1 frame" : `${long} frames`;
    detail.querySelectorAll("[data-choice]").forEach((select) => {
      select.value = (select.dataset.choice === "label" ? interval.label : interval.track) ?? "";
      select.disabled = store.readOnly;
    });
    detail.querySelectorAll("[data-edit]").forEach((b) => (b.disabled = store.readOnly));
    fillFields(detail, (name) => interval.attributes[name], () => store.readOnly);
  }

  const actions = { begin: () => marking.begin(), object: marking.beginOfObject, last: () => marking.endHere("last") };
  Object.entries(actions).forEach(([name, run]) => $(`[data-event=${name}]`, root).addEventListener("click", run));
  store.on("selection", () => requestAnimationFrame(() => {
    requestAnimationFrame(() => {
      reveal($(".selected", list), list);
      if (store.chosen) reveal(detail, root.parentElement);
    });
  }));
  store.on("tracks frame selection errors mode", render);
  render();
}
