/** Elements without a library: text goes in as text, so nobody's label can become markup. */

const SPRITE = document.querySelector('meta[name="icons"]')?.content ?? "/static/icons.svg";
const SVG = "http://www.w3.org/2000/svg";

export const $ = (selector, root = document) => root.querySelector(selector);

/** `h("button", { class: "x", onclick: f, disabled: true }, "text", child, …)` */
export function h(name, props = {}, ...children) {
  const node = document.createElement(name);
  Object.entries(props).forEach(([key, value]) => {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  });
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}

export function iconButton(name, title, onclick, more = {}) {
  return h("button", { type: "button", class: "icon-button", title, "aria-label": title, onclick, ...more }, icon(name));
}

/** A colour dot; colours come from data, so they are set as a style and not as markup. */
export function dot(colour) {
  const node = h("span", { class: "dot", "aria-hidden": "true" });
  node.style.backgroundColor = colour;
  return node;
}

/** Scroll what holds an element, and not the page, so far that it is in sight: its top where it is taller. */
export function reveal(element, holder) {
  if (!element || holder.scrollHeight <= holder.clientHeight) return;
  const [inner, outer] = [element.getBoundingClientRect(), holder.getBoundingClientRect()];
  const above = inner.top - outer.top;
  if (above < 0) holder.scrollTop += above;
  else holder.scrollTop += Math.max(0, Math.min(above, inner.bottom - outer.bottom));
}

/** A function that paints with the next frame, once, however often it was called until then. */
export function onNextFrame(paint) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      paint();
    });
  };
}

/**
 * A function that shows items in a list, given as `[id, looks, make]`, or what `none` makes.
 *
 * An item is made anew only where what it looks by is other than before: there may be thousands, and a frame lasts
 * 40 ms. The focus stays on what has the same `data-key`. It answers with `{ looks, item }` by id.
 */
export function itemsIn(list, none) {
  let shown = new Map();
  return (wanted) => {
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const before = shown;
    shown = new Map(wanted.map(([id, looks, make]) => {
      const old = before.get(id);
      return [id, old?.looks.every((look, i) => look === looks[i]) ? old : { looks, item: make(...looks) }];
    }));
    const items = shown.size ? [...shown.values()].map(({ item }) => item) : [h("li", { class: "empty" }, none())];
    const changed = items.length !== list.children.length || items.some((item, i) => item !== list.children[i]);
    if (changed) list.replaceChildren(...items);
    if (changed && focused) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    return shown;
  };
}

/** Put plain text with blank lines between paragraphs into an element, as paragraphs. */
export function paragraphs(element, text) {
  element.replaceChildren(...text.split(/\n\s*\n/).filter((t) => t.trim()).map((t) => h("p", {}, t.trim())));
}

/** A time left, as `4:05` or `1:02:03`. */
export function countdown(seconds) {
  const left = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(left / 3600), Math.floor((left % 3600) / 60), left % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Ask in a dialog; resolves to whether the answer was yes. */
export function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
