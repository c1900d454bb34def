/**
 * One word on many: `data-decides="/path/"` on a form posts its fields to `/path/<button's value>/`, and what came of them
 * is told while the list comes anew. `data-tick` ticks all, or none where all are.
 */

import { post } from "../annotator/api.js";
import { act, fieldsOf } from "./actions.js";

const DONE = { accept: "accepted", reject: "rejected" };
const boxesOf = (form) => [...form.elements].filter(({ name }) => name === "ids");

function counted(values) {
  const counts = new Map();
  values.forEach((value) => counts.set(value, (counts.get(value) ?? 0) + 1));
  return [...counts];
}

/** In a few sentences: how many were decided, who was first with others, and what could not be. */
function tell(move, results) {
  const of = (outcome) => results.filter((one) => one.outcome === outcome);
  const earlier = counted(of("already_decided").map(({ status, decided_by: by }) => `${status} by ${by === "rule" ? "the rule" : by}`));
  const own = of("own_work").length;
  const others = of("no_submission").length + of("not_found").length;
  return [
    `${of("decided").length} ${DONE[move]}.`,
    ...earlier.map(([what, n]) => `${n} ${n === 1 ? "was" : "were"} ${what} before, and ${n === 1 ? "stays" : "stay"} so.`),
    ...(own ? [`${own} of your own ${own === 1 ? "waits" : "wait"} for somebody else.`] : []),
    ...(others ? [`${others} could not be decided.`] : []),
  ].join(" ");
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-decides]");
  if (!form) return;
  event.preventDefault();
  const move = event.submitter.value;
  act(event.submitter, async () => {
    const { data } = await post(`${form.dataset.decides}${move}/`, { ids: [], ...fieldsOf(form) });
    form.reset(); // what is filled in would keep the list from coming anew
    return tell(move, data.results);
  }, form);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-tick]");
  if (!button) return;
  const boxes = boxesOf(button.form);
  const every = boxes.every((box) => box.checked);
  boxes.forEach((box) => (box.checked = !every));
});
