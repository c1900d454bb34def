/** Small charts as SVG of our own: a stacked bar with its legend, and a line over time. */

import { h } from "../annotator/dom.js";

const SVG = "http://www.w3.org/2000/svg";

function s(name, props, ...children) {
  const node = document.createElementNS(SVG, name);
  Object.entries(props).forEach(([key, value]) => node.setAttribute(key, value));
  node.append(...children);
  return node;
}

/** `parts` are `[{ name, count, tone }]`; the bar says nothing that the legend does not say in words. */
export function stacked(parts) {
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  const bar = s("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", class: "stacked", "aria-hidden": "true" });
  let x = 0;
  parts.forEach(({ count, tone }) => {
    const wide = total ? (count / total) * 100 : 0;
    bar.append(s("rect", { x, y: 0, width: wide, height: 8, class: `tone ${tone}` }));
    x += wide;
  });
  const legend = h("ul", { class: "legend" }, ...parts.map(({ name, count, tone }) =>
    h("li", {}, h("span", { class: `key tone ${tone}` }), `${name} `, h("b", {}, String(count)))));
  return [bar, legend];
}

/** `points` are `[[seconds, value], …]`, in order. */
export function line(points) {
  const [first, last] = [points[0], points[points.length - 1]];
  const span = Math.max(1, last[0] - first[0]);
  const low = Math.min(...points.map(([, v]) => v));
  const high = Math.max(low + 1, ...points.map(([, v]) => v));
  const at = ([t, v]) => `${(((t - first[0]) / span) * 300).toFixed(2)},${(96 - ((v - low) / (high - low)) * 88).toFixed(2)}`;
  // A count stays what it is until it moves: steps, not slopes.
  const steps = points.flatMap((p, i) => (i ? [at([p[0], points[i - 1][1]]), at(p)] : [at(p)])).join(" ");
  const chart = s("svg", { viewBox: "0 0 300 100", preserveAspectRatio: "none", class: "chart", role: "img" },
    s("polygon", { points: `0,100 ${steps} 300,100`, class: "area" }), s("polyline", { points: steps, class: "line" }));
  chart.setAttribute("aria-label", `from ${first[1]} to ${last[1]}`);
  return [chart, h("p", { class: "axis" }, h("span", {}, String(first[1])), h("span", {}, `now ${last[1]}`))];
}
