import { el } from "../dom.js";
import { figure, signed } from "../format.js";

function track(from, to, low, high, look) {
  const span = high - low || 1;
  const bar = el(look ? `i.${look}` : "i");
  bar.style.left = `${((Math.min(from, to) - low) / span) * 100}%`;
  bar.style.width = `${(Math.abs(to - from) / span) * 100}%`;
  return el("span.track", { "aria-hidden": "true" }, bar);
}

/**
 * Bars of sizes, each from nothing.
 * @param {Array<{name: string, value: number, text?: string}>} rows
 */
export function bars(rows, label, most = Math.max(...rows.map((one) => Math.abs(one.value)), 0)) {
  const lines = rows.map((one) =>
    el("li", {}, el("span.name", {}, one.name), track(0, Math.abs(one.value), 0, most, one.value < 0 ? "minus" : ""), el("span.value", {}, one.text ?? figure(one.value))),
  );
  return el("ul.bars", { "aria-label": label }, lines);
}

/**
 * Bars that add up: each begins where the one before ended, and the last is their sum.
 * @param {Array<{name: string, points: number}>} terms
 * @param {string} sumName what they add up to
 */
export function sumBars(terms, sumName, label) {
  let sum = 0;
  const spans = terms.map((one) => {
    const from = sum;
    sum += one.points;
    return [from, sum];
  });
  const reached = spans.flat().concat(0);
  // A long first term would squeeze the others: the scale begins shortly below where they are.
  const moving = spans.length > 1 ? spans.slice(1).flat() : reached;
  const room = Math.max(Math.max(...moving) - Math.min(...moving), 0.1);
  const low = Math.min(...moving) - room > 0 ? Math.min(...moving) - room / 2 : Math.min(...reached);
  const high = Math.max(...reached);
  const clipped = (value) => Math.max(low, value);
  const lines = terms.map((one, at) =>
    el(
      "li",
      {},
      el("span.name", {}, one.name),
      track(clipped(spans[at][0]), clipped(spans[at][1]), low, high, at === 0 ? "rest" : one.points < 0 ? "minus" : ""),
      el("span.value", {}, at === 0 ? one.points.toFixed(2) : signed(one.points)),
    ),
  );
  lines.push(el("li.sum", {}, el("span.name", {}, sumName), track(clipped(0), sum, low, high, ""), el("span.value", {}, sum.toFixed(2))));
  return el("ul.bars", { "aria-label": label }, lines);
}
