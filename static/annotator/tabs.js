/** One tab at a time: what two tabs draw on one seat would overwrite each other. */

const WAIT_MS = 1500; // a page that is being left, or loaded anew, lets go a moment later

/**
 * Resolves to whether no other tab of this browser has `name`, which this page then keeps for as long as it is open.
 * Browsers lend locks over https and to this machine only; elsewhere everybody is taken to be alone.
 */
export function alone(name) {
  if (!navigator.locks) return Promise.resolve(true);
  const left = new Promise((resolve) => window.addEventListener("pagehide", resolve));
  window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  return new Promise((resolve) => {
    const keep = () => {
      resolve(true);
      return left;
    };
    navigator.locks.request(name, { signal: AbortSignal.timeout(WAIT_MS) }, keep).catch(() => resolve(false));
  });
}
