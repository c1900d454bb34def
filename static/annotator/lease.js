/** The time that a seat is held: shown, counted by the server's clock, renewed by a button or a key press in time. */

import { countdown } from "./dom.js";

const SOON_S = 300;

export function createLease({ until, renewals, now, renew, view, onOver }) {
  let end = Date.parse(until) / 1000;
  let left = renewals;
  let warned = false;
  let over = false;
  let renewing = false;

  function tick() {
    const seconds = end - now();
    view.time.textContent = seconds > 0 ? countdown(seconds) : "over";
    view.root.classList.toggle("soon", seconds < SOON_S);
    view.button.disabled = left <= 0 || over || renewing;
    view.button.title = left > 0 ? `Renew the lease (${left} left)` : "No renewals left";
    if (seconds < SOON_S && !warned) {
      warned = true;
      view.warn(left > 0);
    }
    if (seconds <= 0 && !over) {
      over = true;
      onOver();
    }
  }

  async function extend() {
    if (renewing) return;
    renewing = true;
    view.button.disabled = true;
    try {
      const { data } = await renew();
      end = Date.parse(data.lease_until) / 1000;
      left = data.renewals_left ?? left - 1;
      warned = false;
      view.renewed();
    } catch (problem) {
      if (problem.status === 409) left = 0;
      view.failed(problem);
    }
    renewing = false;
    tick();
  }

  view.button.addEventListener("click", extend);
  const timer = setInterval(tick, 1000);
  tick();
  return { extend, left: () => left, stop: () => clearInterval(timer) };
}
