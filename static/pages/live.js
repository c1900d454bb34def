/** The manager's overview: whole snapshots over a WebSocket, so a lost one costs nothing. */

import { post } from "../annotator/api.js";
import { $, countdown, h } from "../annotator/dom.js";
import { act } from "./actions.js";
import { line, stacked } from "./charts.js";
import { refresh } from "./refresh.js";

const root = $("[data-live]");
const link = $("[data-link]");
const TABLE_MS = 10000;
const seen = [];
const SLEPT_MS = 150000;
const UNKNOWN = 4401;
let failures = 0;
let socket = null;
let again = 0;

const pick = (object, path) => path.split(".").reduce((o, name) => o?.[name], object);
const SAY = {
  percent: (v) => `${Math.round(v * 100)} %`,
  clock: countdown,
  money: (v) => `${(v / 1e6).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 6 })} ${root.dataset.currency}`,
  two: (v) => v.toFixed(2),
  time: (v) => new Date(v).toLocaleString([], { dateStyle: "short", timeStyle: "short" }),
};

function write(node, progress) {
  const value = pick(progress, node.dataset.figure);
  const text = value === null || value === undefined ? "–" : (SAY[node.dataset.as] ?? String)(value);
  const whole = node.dataset.of ? `${text} of ${pick(progress, node.dataset.of)}` : text;
  if (node.textContent === whole) return;
  node.textContent = whole;
  const place = node.closest("li");
  place.classList.remove("moved");
  requestAnimationFrame(() => place.classList.add("moved"));
}

function show(progress) {
  document.querySelectorAll("[data-figure]").forEach((node) => write(node, progress));
  const { tasks } = progress;
  $('[data-chart="tasks"]').replaceChildren(...stacked([
    { name: "done", count: tasks.done, tone: "good" }, { name: "in review", count: tasks.in_review, tone: "warn" },
    { name: "filled", count: tasks.filled, tone: "accent" }, { name: "open", count: tasks.open, tone: "soft" },
    { name: "opening", count: tasks.opening, tone: "faint" }, { name: "quarantined", count: tasks.quarantined, tone: "bad" },
  ]));
  const why = (name) => progress.redundancy.why[name] ?? 0;
  $('[data-chart="why"]').replaceChildren(...stacked([
    { name: "they disagree", count: why("agreement"), tone: "warn" },
    { name: "another is expected to mend enough", count: why("gain"), tone: "accent" },
    { name: "nothing drawn by people not proven on gold", count: why("empty"), tone: "soft" },
    { name: "a first one was missing", count: why("first"), tone: "faint" },
  ]));
  const withheld = (name) => progress.redundancy.withheld[name] ?? 0;
  $('[data-chart="withheld"]').replaceChildren(...stacked([
    { name: "the budget did not cover it", count: withheld("budget"), tone: "bad" },
    { name: "as many as are allowed had submitted", count: withheld("max_redundancy"), tone: "warn" },
    { name: "a reviewer had rejected it, and asks for more themselves", count: withheld("verdict"), tone: "faint" },
  ]));
  seen.push([Date.now() / 1000, progress.submissions]);
  $('[data-chart="submissions"]').replaceChildren(...line(seen.slice(-600)));
  const { alarms } = progress;
  const alarm = $("[data-alarm]");
  alarm.hidden = alarms.length === 0;
  alarm.replaceChildren(...alarms.map(({ message }) => h("p", {}, message)));
}

let planned = 0;
let looked = 0;

/** The table of people is read from the server: at once after a pause, else now and then; never at each snapshot. */
function refreshSoon() {
  if (planned || document.hidden) return;
  planned = setTimeout(() => {
    looked = Date.now();
    planned = 0;
    refresh();
  }, Math.max(200, looked + TABLE_MS - Date.now()));
}

function refused(code) {
  link.textContent = code === UNKNOWN ? "logged out: these figures are old. " : "not allowed";
  if (code === UNKNOWN) link.append(h("a", { href: `/login/?next=${encodeURIComponent(location.pathname)}` }, "Log in"));
}

function connect() {
  clearTimeout(again);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const own = new WebSocket(`${scheme}://${location.host}/ws/projects/${root.dataset.live}/`);
  socket = own;
  own.addEventListener("message", (event) => {
    if (socket !== own) return;
    failures = 0;
    link.dataset.state = "live";
    link.textContent = "live";
    show(JSON.parse(event.data).progress);
    refreshSoon();
  });
  own.addEventListener("close", ({ code }) => {
    if (socket !== own) return;
    link.dataset.state = "lost";
    // 44xx: the server said no, and would say so again.
    if (code >= 4400 && code < 4500) return refused(code);
    link.textContent = "connection lost, trying again";
    failures += 1;
    again = setTimeout(connect, Math.min(30000, 1000 * 2 ** failures));
  });
}

/** A line that broke while the machine slept is not always told of: where the time has jumped, there is a new one. */
function afresh() {
  if (!socket || link.querySelector("a")) return;
  const old = socket;
  connect();
  old.close();
}

let ticked = Date.now();
setInterval(() => {
  if (Date.now() - ticked > SLEPT_MS) afresh();
  ticked = Date.now();
}, 5000);
window.addEventListener("online", afresh);

const dialog = $("[data-sanction]");
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-move]");
  if (!button) return;
  const { move, who } = button.dataset;
  const form = $("form", dialog);
  form.reset();
  $("h2", dialog).textContent = `${move[0].toUpperCase()}${move.slice(1)} ${who}`;
  dialog.returnValue = "";
  // No button of the form's: the first of those is what Enter presses.
  $("[data-close]", dialog).onclick = () => dialog.close();
  dialog.showModal();
  dialog.onclose = () => {
    if (dialog.returnValue !== "yes") return;
    const path = `/projects/${root.dataset.live}/workers/${encodeURIComponent(who)}/${move}/`;
    act(button, () => post(path, { reason: form.elements.reason.value }));
  };
});

$("[data-invite]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { role } = event.target.elements;
  act(event.submitter, async () => {
    const { data } = await post(`/projects/${root.dataset.live}/invites/`, { role: role.value });
    $("[data-link-made]").replaceChildren(h("code", {}, data.url));
  });
});

show(JSON.parse($("#progress").textContent));
connect();
