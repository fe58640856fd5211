import { el } from "../dom.js";
import { figure, signed } from "../format.js";
import { bars } from "../parts/bars.js";

const MOST_CLASSES = 10;

function percent(share) {
  return `${(share * 100).toFixed(share > 0.1 && share < 0.995 ? 0 : 1)} %`;
}

/** The answer for one row: its value, how sure it is, what moved it. */
export function answerCard(got, project) {
  const [one] = got.predictions;
  const target = project.target ?? project.columns?.find((column) => column.role === "target")?.name ?? "Prediction";
  const share = one.coverage ?? 0.9;
  return el(
    "section.card.answer",
    { "aria-label": "The answer" },
    el("p.quiet.small", {}, target),
    el("p.answered.number", {}, figure(one.value)),
    one.low !== undefined && one.low !== null ? el("p.quiet", {}, `${Math.round(share * 100)} of 100 such rows lie between ${figure(one.low)} and ${figure(one.high)}`) : null,
    one.classes?.length ? classBars(one.classes) : null,
    got.sentence ? el("p.quiet", {}, got.sentence) : null,
    one.moved?.length ? [el("h3", {}, "What moved it"), movedBars(one.moved)] : null,
  );
}

function classBars(classes) {
  const rows = [...classes].sort((a, b) => b.probability - a.probability).slice(0, MOST_CLASSES);
  return bars(rows.map((row) => ({ name: String(row.name), value: row.probability, text: percent(row.probability) })), "Probabilities", 1);
}

function movedBars(moved) {
  return bars(moved.map((one) => ({ name: one.value === undefined ? one.name : `${one.name}: ${figure(one.value)}`, value: one.points, text: signed(one.points) })), "What moved the answer");
}
