import { el } from "../dom.js";
import { count, counted, figure } from "../format.js";
import { button } from "../parts/fields.js";
import { sheet } from "../parts/table.js";
import { saveCsv } from "./csv.js";

const LISTED = 500;

/** A point: what is known of it, and its neighbours in all that was learned. */
export function chosenCard(got, at, neighbours, onGo) {
  const facts = Object.entries(got.columns ?? {}).map(([name, values]) => [name, values[at]]).filter(([, value]) => value !== null && value !== undefined);
  const rows = neighbours.map((one) => [
    el("button.link", { type: "button", onclick: () => onGo(one) }, String(one.name)),
    one.similarity.toFixed(2),
  ]);
  return el(
    "section.card",
    { "aria-label": "Chosen" },
    el("h2", {}, String(got.names[at])),
    el(
      "dl.facts",
      {},
      got.popularity?.length && !facts.some(([, value]) => value === got.popularity[at]) ? [el("dt", {}, "rows"), el("dd", {}, count(got.popularity[at]))] : null,
      facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, figure(value))]),
    ),
    rows.length ? sheet("Most alike, by all that was learned", ["Name", "Alike"], rows) : el("p.quiet", {}, "It has no neighbours: too little was seen of it."),
  );
}

/** What the lasso holds, as a list that can be saved. */
export function lassoCard(got, found, onGo) {
  const sorted = [...found].sort((a, b) => (got.popularity?.[b] ?? 0) - (got.popularity?.[a] ?? 0));
  const names = Object.keys(got.columns ?? {});
  const row = (at) => [got.names[at], got.popularity?.[at] ?? "", ...names.map((name) => got.columns[name][at])];
  const save = () => saveCsv("lasso.csv", ["name", "rows", ...names], sorted.map(row));
  const listed = sorted.slice(0, LISTED).map((at) => [el("button.link", { type: "button", onclick: () => onGo(at) }, String(got.names[at])), got.popularity?.[at] ?? null]);
  return el(
    "section.card",
    { "aria-label": "Inside the lasso" },
    el("h2", {}, `${counted(found.length, "point")} inside`),
    found.length ? button("Save as CSV", save) : null,
    found.length ? sheet(found.length > LISTED ? `The ${count(LISTED)} most frequent` : "The most frequent first", ["Name", "Rows"], listed, { high: true }) : el("p.quiet", {}, "Draw around some points."),
  );
}
