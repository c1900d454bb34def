/** How long somebody worked: with the page in sight; time in another tab is no work on this task. */

let before = 0;
let since = performance.now();

export const workedSeconds = () => (before + (since === null ? 0 : performance.now() - since)) / 1000;

document.addEventListener("visibilitychange", () => {
  before = workedSeconds() * 1000;
  since = document.hidden ? null : performance.now();
});
