/** The form of a new project. */

import { post } from "../annotator/api.js";
import { $ } from "../annotator/dom.js";
import { act, leave } from "./actions.js";
import { labelLines } from "./labels.js";

const form = $("[data-new-project]");
const labels = labelLines(form);

async function make() {
  const { name, instructions } = form.elements;
  const { data } = await post("/projects/", {
    name: name.value, instructions: instructions.value, labels: labels.read(),
  });
  await leave(`/projects/${data.id}/`);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, make, form);
});
