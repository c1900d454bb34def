/** Puts the parts of a bench together on a page: the worker's and the reviewer's alike. */

import { createStore } from "./store.js";
import { createHistory } from "./history.js";
import { createPlayer } from "./player.js";
import { createCanvas } from "./canvas.js";
import { createMarking } from "./marking.js";
import { createCommands } from "./commands.js";
import { createTools } from "./tools.js";
import { createTimeline } from "./timeline.js";
import { createObjects } from "./objects.js";
import { createEvents } from "./events.js";
import { createKeys, keyTable } from "./keys.js";
import { $ } from "./dom.js";

/**
 * `piece` is what `createStore` takes; `clip` is the contract's, or one without an address where there are pictures
 * alone; `loadPicture(frame)` resolves to a picture.
 */
export function createBench({ root, piece, clip, loadPicture }) {
  const store = createStore(piece);
  const video = $("[data-video]", root);
  const help = $("[data-help]");
  const times = clip.frame_times_s;
  const player = createPlayer({ video, store, times, width: clip.width, height: clip.height, loadPicture });
  const history = createHistory(store, { onChange: () => paintButtons() });
  const canvas = createCanvas({ element: $("[data-canvas]", root), store, picture: player.picture });
  const marking = createMarking({ store, player });
  const commands = createCommands({ store, history, player, canvas, marking });
  createTools({ store, canvas, commands, player });
  createTimeline({
    element: $("[data-timeline]", root), slider: $("[data-slider]", root), store, player, marking,
    newGesture: commands.newGesture,
  });
  createObjects({ root: $("[data-objects]", root), store, commands, player });
  createEvents({ root: $("[data-events]", root), store, marking, player });
  createKeys({ table: keyTable({ store, player, canvas, commands, marking }), help });

  const actions = {
    select: () => store.setMode("select"),
    draw: () => store.setMode("draw"),
    undo: commands.undo,
    redo: commands.redo,
    zoomIn: () => canvas.zoom(1.25),
    zoomOut: () => canvas.zoom(0.8),
    fit: canvas.reset,
    help: () => help.showModal(),
    first: () => player.show(store.start),
    back: () => player.step(-1),
    play: player.toggle,
    next: () => player.step(1),
    last: () => player.show(store.stop - 1),
    begin: () => marking.begin(),
    end: () => marking.endHere("last"),
  };
  const button = (name) => $(`[data-do="${name}"]`, root);
  Object.entries(actions).forEach(([name, run]) => button(name).addEventListener("click", run));

  function paintButtons() {
    button("undo").disabled = store.readOnly || !history.canUndo();
    button("redo").disabled = store.readOnly || !history.canRedo();
    [$("[data-event-tools]", root), $("[data-event-help]", help)].forEach((part) => (part.hidden = !store.eventful()));
    button("begin").disabled = store.readOnly;
    button("end").disabled = store.readOnly || !marking.meant();
    button("draw").disabled = store.readOnly || !store.drawn.length;
    button("select").setAttribute("aria-pressed", String(store.mode === "select"));
    button("draw").setAttribute("aria-pressed", String(store.mode === "draw"));
    root.classList.toggle("playing", store.playing);
  }

  const field = $("[data-frame]", root);
  field.min = String(store.start);
  field.max = String(store.stop - 1);
  field.addEventListener("change", () => {
    player.show(Number(field.value));
    field.value = String(store.frame); // the nearest that there is
  });
  $("[data-speed]", root).addEventListener("change", (event) => player.setSpeed(Number(event.target.value)));

  function paintFrame() {
    if (field !== document.activeElement || store.playing) field.value = String(store.frame);
    const shown = store.playing || store.shown === store.frame;
    const source = player.proof.source === "picture" ? " · picture from the server" : "";
    $("[data-proof]", root).textContent = shown ? `of ${store.start}–${store.stop - 1}${source}` : "loading…";
    if (store.shown !== null) $("[data-waiting]", root).hidden = true;
  }

  let quiet = 0;
  store.on("notice", () => {
    const toast = $("[data-notice]", root);
    toast.textContent = store.notice;
    clearTimeout(quiet);
    quiet = setTimeout(() => (toast.textContent = ""), 5000);
  });
  store.on("frame shown playing", paintFrame);
  store.on("mode playing tracks selection", paintButtons);
  paintButtons();
  paintFrame();

  video.addEventListener("error", () => {
    // The pictures of the server go on where the clip does not play.
    if (store.shown === null) player.show(store.frame);
  });
  if (clip.url) video.src = clip.url;
  player.show(store.start);

  const bench = { store, player, history, canvas, commands, marking, piece, clip };
  // For tests and for the curious: what is proven to be on the screen.
  window.trackweave = { ...bench, frame: () => (store.canDraw() || store.shown === store.frame ? store.shown : null), proof: player.proof };
  return bench;
}
