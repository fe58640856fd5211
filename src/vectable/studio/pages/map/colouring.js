import { paletteColour } from "../parts/chart.js";
import { counted, figure } from "../format.js";

const HUES = ["c1", "c2", "c3", "c4", "c5", "c6"];
const REST = "c-rest";
// Cividis (Nuñez, Anderton and Renslow 2018), made for every colour vision, from low to high, without its palest end,
// which white paper swallows.
const RAMP = ["#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369"];

function rgb(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/** The colours of the ground and of what is written, now. */
export function groundColour() {
  return rgb(paletteColour("paper"));
}

/**
 * @typedef {object} Colouring
 * @property {Uint8Array} colours of each point, a place in `palette`
 * @property {number[][]} palette
 * @property {Array<{name: string, count: number, colour: string}>} legend
 */

/** All points in one colour. @returns {Colouring} */
export function plain(total) {
  return { colours: new Uint8Array(total), palette: [rgb(paletteColour("c1"))], legend: [] };
}

/** Points by a column: its commonest values, or ranges of its numbers. @returns {Colouring} */
export function colourBy(values) {
  const known = values.filter((one) => one !== null && one !== undefined);
  const isNumber = known.length > 0 && known.every((one) => typeof one === "number") && new Set(known).size > HUES.length;
  return isNumber ? byNumber(values, known) : byCategory(values);
}

function byCategory(values) {
  const counts = new Map();
  for (const one of values) if (one !== null && one !== undefined) counts.set(one, (counts.get(one) ?? 0) + 1);
  const ranked = [...counts].sort((a, b) => b[1] - a[1]);
  const named = ranked.length <= HUES.length ? ranked : ranked.slice(0, HUES.length);
  const legend = named.map(([name, count], at) => ({ name: String(name), count, colour: paletteColour(HUES[at]) }));
  const place = new Map(named.map(([name], at) => [name, at]));
  const rest = named.length;
  const colours = Uint8Array.from(values, (one) => place.get(one) ?? rest);
  const left = values.length - named.reduce((sum, [, count]) => sum + count, 0);
  if (left) {
    const others = ranked.length - named.length;
    const missing = values.some((one) => one === null || one === undefined);
    const words = [others ? counted(others, "other") : null, missing ? "missing" : null].filter(Boolean);
    legend.push({ name: words.join(" and "), count: left, colour: paletteColour(REST) });
  }
  return { colours, palette: [...named.map((_, at) => rgb(paletteColour(HUES[at]))), rgb(paletteColour(REST))], legend };
}

function byNumber(values, known) {
  const sorted = Float64Array.from(known).sort();
  const border = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const borders = RAMP.slice(1).map((_, at) => border((at + 1) / RAMP.length));
  const distinct = [...new Set(borders)];
  const step = (RAMP.length - 1) / Math.max(1, distinct.length);
  const ramp = [0, ...distinct].map((_, at) => RAMP[Math.round(at * step)]);
  const rangeOf = (value) => {
    let at = 0;
    while (at < distinct.length && value >= distinct[at]) at += 1;
    return at;
  };
  const colours = Uint8Array.from(values, (one) => (typeof one === "number" ? rangeOf(one) : ramp.length));
  const counts = new Array(ramp.length + 1).fill(0);
  colours.forEach((one) => { counts[one] += 1; });
  const edges = [sorted[0], ...distinct, sorted.at(-1)];
  const legend = ramp.map((colour, at) => ({ name: `${figure(edges[at])} to ${figure(edges[at + 1])}`, count: counts[at], colour }));
  if (counts[ramp.length]) legend.push({ name: "missing", count: counts[ramp.length], colour: paletteColour(REST) });
  return { colours, palette: [...ramp.map(rgb), rgb(paletteColour(REST))], legend };
}
