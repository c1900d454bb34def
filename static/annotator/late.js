/** Work whose time is over: submitted late it is kept as it is, and a manager may take it in. */

import { isOut } from "./out.js";
import { $ } from "./dom.js";

/** `send` rejects as a submission does that comes too late; where it does not, it was in time after all: `inTime`. */
export function offerLate(store, { send, kept, inTime }) {
  const [button, text] = [$("[data-late]"), $("[data-fatal-text]")];
  button.hidden = !store.all().length && !store.intervals().length;
  button.onclick = async () => {
    button.disabled = true;
    try {
      await send();
      return inTime();
    } catch (problem) {
      button.disabled = false;
      if (problem.code !== "lease-is-over") return isOut(problem) || (text.textContent = problem.message);
    }
    kept();
    button.hidden = true;
    text.textContent = "Submitted late. A manager looks at it: if they take it in, it is judged and paid like any other.";
  };
}
