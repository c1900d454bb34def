/** Logged out in the middle of the work: what is drawn stays, the page says how to go on, and goes on by itself. */

import { $ } from "./dom.js";

const WHY = { 401: "You are logged out.", 404: "This browser is logged in as somebody else." };
let looking = false;

const note = () => $("[data-out]");

/** Whether a problem comes from who is logged in here, or from nobody being; then the page says so. */
export function isOut({ status }) {
  if (!(status in WHY)) return false;
  $("[data-out-text]").textContent = WHY[status];
  note().hidden = false;
  return true;
}

/** Whenever somebody comes back to this tab, see with `goOn` whether it works again; it rejects with a problem if not. */
export function onReturn(goOn) {
  async function look() {
    if (note().hidden || looking || document.hidden) return;
    looking = true;
    await goOn().then(() => (note().hidden = true), isOut);
    looking = false;
  }
  window.addEventListener("focus", look);
  document.addEventListener("visibilitychange", look);
}
