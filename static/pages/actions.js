/**
 * Buttons and forms that call the REST API, as data in the markup:
 *
 * `data-post="/path/"` on a button posts, `data-delete` deletes (`data-sure` asks first); `data-claim="project"` takes a seat and goes there;
 * `data-send="/path/"` on a form sends its fields (`data-method`, `data-nest="policy"`), then goes to `data-then`.
 * A field with `data-micros` is an amount of money, which goes out in micros; an empty one with `data-none` is null.
 * What is typed into one with `data-times="60"` goes out so many times as large; `data-list` is a list, with commas,
 * or of what is ticked among boxes of one name.
 */

import { assignments, patch, post, remove } from "../annotator/api.js";
import { $, h } from "../annotator/dom.js";
import { clearFaults, showFaults } from "./faults.js";
import { focusAgain, placeOf } from "./places.js";
import { refresh, wayIn } from "./refresh.js";

const PATIENCE_MS = 4000;
const LEFT = "trackweave:left";
const said = h("p", { class: "out-of-sight", role: "status" });
document.body.append(said);

/** Say what became of it: read out, and in sight too where nothing else on the page shows it. */
function say(text, visible = false) {
  said.className = visible ? "note said" : "out-of-sight";
  said.textContent = text;
}

export function complain(problem, near = document) {
  const place = $("[data-wrong]", near) ?? $("[data-wrong]");
  place.textContent = showFaults(near, problem.errors).join("; ") || problem.message;
  if (problem.status === 401) place.append(" ", wayIn());
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}

/** What the fields say. An empty one says nothing, but for a change of what is there: a text may become empty. */
export function fieldsOf(form) {
  const out = {};
  const changes = form.dataset.method === "PATCH";
  const says = (e) => e.value !== "" || "none" in e.dataset || (changes && e.type !== "number");
  const joined = (before, value) => (Array.isArray(before) ? [...before, ...value] : value);
  [...form.elements].filter((e) => e.name && says(e)).forEach((e) => (out[e.name] = joined(out[e.name], valueOf(e))));
  return form.dataset.nest ? { [form.dataset.nest]: out } : out;
}

function valueOf(field) {
  if (field.type === "checkbox" && "list" in field.dataset) return field.checked ? [field.value] : [];
  if (field.type === "checkbox") return field.checked;
  if ("list" in field.dataset) return field.value.split(",").map((part) => part.trim()).filter(Boolean);
  if (field.type !== "number") return field.value;
  if (field.value === "") return null;
  const times = "micros" in field.dataset ? 1e6 : Number(field.dataset.times ?? 1);
  return times === 1 ? Number(field.value) : Math.round(Number(field.value) * times);
}

async function send(form, button) {
  const body = fieldsOf(form);
  if (form.dataset.method === "PATCH") await patch(form.dataset.send, body);
  else await post(form.dataset.send, body);
  if (!form.dataset.then) return;
  // The page comes anew: what became of it is said there, and the focus goes back.
  const note = { to: form.dataset.then, text: done(button), place: placeOf(button, document.body) };
  sessionStorage.setItem(LEFT, JSON.stringify(note));
  await leave(form.dataset.then);
}

const done = (button) => `${button.getAttribute("aria-label") ?? button.textContent.trim()}: done.`;

function arrive() {
  const note = JSON.parse(sessionStorage.getItem(LEFT) ?? "null");
  sessionStorage.removeItem(LEFT);
  if (note?.to !== location.pathname + location.search) return;
  focusAgain(document.body, note.place);
  setTimeout(() => say(note.text), 100); // what a page comes with is not read out
}

/** Go there, and stay busy till then: a button pressed meanwhile would do it all again. */
export function leave(address) {
  location.assign(address);
  return new Promise((resolve) => window.addEventListener("pagehide", resolve, { once: true }));
}

async function claim(project) {
  const { status, data } = await assignments.claim(project);
  if (status !== 204 && data) await leave(`/work/${data.id}/`);
  else $("[data-nothing]").hidden = false;
  return false;
}

/**
 * Run one action with its button disabled, say what became of it, and show it. `run` says false where it said so itself,
 * or a text to be said instead.
 */
export async function act(button, run, near = document) {
  document.querySelectorAll("[data-wrong], [data-nothing]").forEach((note) => (note.hidden = true));
  const focused = document.activeElement;
  const words = done(button);
  const waiting = setTimeout(() => say("Still waiting for the site's answer…", true), PATIENCE_MS);
  say("");
  clearFaults();
  button.disabled = true;
  try {
    const came = await run();
    if (typeof came === "string") say(came, true);
    else if (came !== false) say(words);
  } catch (problem) {
    say("");
    complain(problem, near);
  }
  clearTimeout(waiting);
  button.disabled = false;
  // A button that is disabled loses the focus, and a keyboard would begin at the top of the page again.
  if (document.activeElement === document.body) focused?.focus({ preventScroll: true });
  await refresh();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-post], button[data-delete], button[data-claim]");
  if (!button || (button.dataset.sure && !window.confirm(button.dataset.sure))) return;
  const { claim: project, delete: gone, post: path } = button.dataset;
  act(button, () => (project ? claim(project) : gone ? remove(gone) : post(path)));
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-send]");
  if (!form) return;
  event.preventDefault();
  const button = event.submitter ?? $("button[type=submit]", form);
  act(button, () => send(form, button), form);
});
arrive();
