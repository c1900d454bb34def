/** A project's labels, changed: a new version, for what is launched from then on. */

import { patch } from "../annotator/api.js";
import { $ } from "../annotator/dom.js";
import { act, leave } from "./actions.js";
import { labelLines } from "./labels.js";

const form = $("[data-relabel]");

if (form) {
  const labels = labelLines(form, JSON.parse($("#labels").textContent));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(event.submitter, async () => {
      await patch(form.dataset.relabel, { labels: labels.read() });
      await leave(location.pathname);
    }, form);
  });
}
