/**
 * Where something stands in a part of a page, in words that outlive it: what the server renders anew has other elements.
 *
 * A place is a list of steps, from the element itself to what it stands in, and last what comes after that.
 */

import { $ } from "../annotator/dom.js";

const TELLING = /^(data-|name$|href$|aria-label$)/;
const HEADING = "h1, h2, h3, h4";

/** What tells an element from its neighbours, as a selector; "" where nothing does. */
const wordsOf = ({ attributes }) =>
  [...attributes].filter(({ name }) => TELLING.test(name)).map(({ name, value }) => `[${name}="${CSS.escape(value)}"]`).join("");

function chainOf(element, part) {
  const chain = [];
  for (let at = element; at && at !== part; at = at.parentElement) if (at === element || wordsOf(at)) chain.push(at);
  return chain;
}

function stepTo(element, part) {
  const selector = chainOf(element, part).reverse().map((e) => e.localName + wordsOf(e)).join(" ");
  return { selector, index: [...part.querySelectorAll(selector)].indexOf(element) };
}

export function placeOf(element, part) {
  const chain = chainOf(element, part);
  const next = chain.length > 1 ? chain.at(-1).nextElementSibling : null;
  return [...chain, ...(next ? [next] : [])].map((e) => stepTo(e, part));
}

const found = (part, { selector, index }) => part.querySelectorAll(selector)[index];

/** The element of a place, if it is still there. */
export const findAgain = (part, [step]) => found(part, step);

/** The focus to where it was; to the heading of what it stood in, where that is gone: no other button is pressed unasked. */
export function focusAgain(part, place) {
  const itself = findAgain(part, place);
  if (itself) return itself.focus({ preventScroll: true });
  const holder = place.slice(1).map((step) => found(part, step)).find(Boolean);
  const landing = holder ? $(HEADING, holder) ?? holder : $(HEADING, part) ?? $(HEADING, part.closest("section") ?? document);
  if (!landing) return;
  landing.tabIndex = -1;
  landing.focus();
}
