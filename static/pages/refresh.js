/** Parts of a page that change by themselves: fetched as the server renders them and put in place. */

import { readPage } from "../annotator/api.js";
import { toLocal } from "./times.js";

const EVERY_MS = 2500;
let running = Promise.resolve();

/** Whether somebody has typed or ticked something that the page did not come with. */
const touched = (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked;

/** Nothing is replaced under somebody's hands: a part with the focus, an open details or what was typed stays for now. */
const busy = (part) => part.contains(document.activeElement) || part.querySelector("details[open] form, details[open] input")
  || [...part.querySelectorAll("input, textarea")].some(touched);

async function load() {
  if (!document.querySelector("[data-fresh]")) return;
  const html = await readPage(location.href);
  const fresh = new DOMParser().parseFromString(html, "text/html");
  toLocal(fresh);
  document.querySelectorAll("[data-fresh]").forEach((part) => {
    const next = fresh.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
    if (!next) return;
    part.toggleAttribute("data-unfinished", next.hasAttribute("data-unfinished"));
    if (busy(part) || next.innerHTML === part.innerHTML) return;
    const open = [...part.querySelectorAll("details")].map((d) => d.open);
    const chosen = [...part.querySelectorAll("select")].map(({ name, value }) => [name, value]);
    part.replaceChildren(...document.adoptNode(next).childNodes);
    // What is shown as chosen stays so, whatever the list begins with by now.
    chosen.forEach(([name, value]) => {
      const select = part.querySelector(`select[name="${name}"]`);
      if ([...(select?.options ?? [])].some((option) => option.value === value)) select.value = value;
    });
    part.querySelectorAll("details").forEach((d, i) => (d.open = open[i] ?? false));
  });
}

/** Look again; resolves when the page shows what the server says from now on, not what it said a moment ago. */
export function refresh() {
  running = running.then(load).catch(() => {});
  return running;
}

setInterval(() => {
  if (!document.hidden && document.querySelector("[data-unfinished]")) refresh();
}, EVERY_MS);
