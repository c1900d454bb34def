/**
 * Buttons and forms that call the REST API, as data in the markup:
 *
 * `data-post="/path/"` on a button posts, `data-delete` deletes (`data-sure` asks first); `data-claim="project"` takes a seat and goes there;
 * `data-send="/path/"` on a form sends its fields (`data-method`, `data-nest="policy"`), then goes to `data-then`.
 * A field with `data-micros` is an amount of money, which goes out in micros; an empty one with `data-none` is null.
 */

import { assignments, patch, post, remove } from "../annotator/api.js";
import { $, h } from "../annotator/dom.js";
import { refresh } from "./refresh.js";

export function complain(problem, near = document) {
  const place = $("[data-wrong]", near) ?? $("[data-wrong]");
  const lines = problem.errors.slice(0, 8).map(({ pointer, message }) => `${pointer || "What was sent"} ${message}`);
  place.textContent = lines.length ? lines.join("; ") : problem.message;
  if (problem.status === 401) place.append(" ", wayIn());
  place.hidden = false;
}

/** Logging in elsewhere, so that what is filled in here stays and can be sent then. */
const wayIn = () => h("a", { href: "/login/", target: "_blank" }, "Log in in another tab");

/** What the fields say. An empty one says nothing, but for a change of what is there: a text may become empty. */
function fieldsOf(form) {
  const out = {};
  const changes = form.dataset.method === "PATCH";
  const says = (e) => e.value !== "" || "none" in e.dataset || (changes && e.type !== "number");
  [...form.elements].filter((e) => e.name && says(e)).forEach((e) => (out[e.name] = valueOf(e)));
  return form.dataset.nest ? { [form.dataset.nest]: out } : out;
}

function valueOf(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.type !== "number") return field.value;
  if (field.value === "") return null;
  return "micros" in field.dataset ? Math.round(Number(field.value) * 1e6) : Number(field.value);
}

async function send(form) {
  const body = fieldsOf(form);
  if (form.dataset.method === "PATCH") await patch(form.dataset.send, body);
  else await post(form.dataset.send, body);
  if (form.dataset.then) await leave(form.dataset.then);
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
}

/** Run one action with its button disabled, say what went wrong, and show what became of it. */
export async function act(button, run, near = document) {
  document.querySelectorAll("[data-wrong], [data-nothing]").forEach((note) => (note.hidden = true));
  button.disabled = true;
  try {
    await run();
  } catch (problem) {
    complain(problem, near);
  }
  button.disabled = false;
  button.blur();
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
  act(event.submitter ?? $("button[type=submit]", form), () => send(form), form);
});
