/** A provider's statement, sent for one payout; what it settled is said, or which of its lines are wrong. */

import { upload } from "../annotator/api.js";
import { $ } from "../annotator/dom.js";
import { act } from "./actions.js";

function told({ paid, failed, unchanged, payout }) {
  const note = $("[data-cleared]");
  note.textContent = `${paid} paid, ${failed} failed, ${unchanged} known already; the payout is ${payout.status}.`;
  note.hidden = false;
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-statement]");
  if (!form) return;
  event.preventDefault();
  $("[data-cleared]").hidden = true;
  const body = new FormData(form);
  act($("button[type=submit]", form), async () => {
    told(await upload(form.dataset.statement, body, () => {}));
    form.reset();
  }, form);
});
