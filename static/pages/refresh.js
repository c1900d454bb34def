/** Parts of a page that change by themselves: fetched as the server renders them and put in place. */

import { readPage } from "../annotator/api.js";
import { $, h } from "../annotator/dom.js";
import { findAgain, focusAgain, placeOf } from "./places.js";
import { toLocal } from "./times.js";

const EVERY_MS = 2500;
const PATIENCE_MS = 30000;
let running = Promise.resolve();
let looking = 0;
const shown = new WeakMap(); // what the server said of each part: what is open or has the focus in it is no news

/** Whether somebody has typed or ticked something that the page did not come with. */
const touched = (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked;

/** Nothing is replaced under somebody's hands: a list or a file that is being chosen, an open form, what was typed. */
const busy = (part) => (part.contains(document.activeElement) && document.activeElement.matches("select, [type=file]"))
  || part.querySelector("details[open] form, details[open] input")
  || [...part.querySelectorAll("input, textarea")].some(touched);

/** A line that is dead without saying so, as after a laptop's sleep, is not waited for. */
const impatiently = (promise) => Promise.race([
  promise, new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), PATIENCE_MS)),
]);

function put(part, next) {
  const html = next.innerHTML;
  if (busy(part) || html === (shown.get(part) ?? part.innerHTML)) return;
  shown.set(part, html);
  const focus = part.contains(document.activeElement) && placeOf(document.activeElement, part);
  const open = [...part.querySelectorAll("details[open]")].map((details) => placeOf(details, part));
  const chosen = [...part.querySelectorAll("select")].map(({ name, value }) => [name, value]);
  part.replaceChildren(...document.adoptNode(next).childNodes);
  // What is shown as chosen stays so, whatever the list begins with by now.
  chosen.forEach(([name, value]) => {
    const select = part.querySelector(`select[name="${name}"]`);
    if ([...(select?.options ?? [])].some((option) => option.value === value)) select.value = value;
  });
  open.map((place) => findAgain(part, place)).forEach((details) => details && (details.open = true));
  if (focus) focusAgain(part, focus);
}

/** Logging in elsewhere, so that what is filled in here stays and can be sent then. */
export const wayIn = () => h("a", { href: "/login/", target: "_blank" }, "Log in in another tab");

let old = false;

/** Where another page comes instead, such as the one to log in on, what is shown is old, and says so. */
function tellOld(yes) {
  const place = $("[data-wrong]");
  if (!place || (yes ? !place.hidden : !old)) return;
  old = yes;
  place.hidden = !yes;
  place.replaceChildren(...(yes ? ["What is shown here is old: you are logged out, or this page is no longer for you. ", wayIn()] : []));
}

async function load() {
  if (!document.querySelector("[data-fresh]")) return;
  const html = await impatiently(readPage(location.href));
  // What opened a dialog gets the focus back, so it stays till then.
  if (document.querySelector("dialog[open]")) return;
  const fresh = new DOMParser().parseFromString(html, "text/html");
  toLocal(fresh);
  tellOld(!fresh.querySelector("[data-fresh]"));
  document.querySelectorAll("[data-fresh]").forEach((part) => {
    const next = fresh.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
    if (!next) return;
    part.toggleAttribute("data-unfinished", next.hasAttribute("data-unfinished"));
    put(part, next);
  });
}

/** Look again; resolves when the page shows what the server says from now on, not what it said a moment ago. */
export function refresh() {
  looking += 1;
  running = running.then(load).catch(() => {}).finally(() => (looking -= 1));
  return running;
}

setInterval(() => {
  if (!looking && !document.hidden && document.querySelector("[data-unfinished]")) refresh();
}, EVERY_MS);
