import { el } from "../dom.js";
import { count, figure } from "../format.js";
import { bars } from "../parts/bars.js";
import { sheet } from "../parts/table.js";

function importance(part) {
  return bars(part.rows, part.title);
}

function confusion(part) {
  const most = Math.max(...part.counts.flat(), 1);
  const body = part.counts.map((row, at) =>
    el("tr", {}, el("th", { scope: "row" }, String(part.classes[at])), row.map((value, place) => {
      const cell = el(at === place ? "td.right" : "td", {}, count(value));
      cell.style.setProperty("--share", String(value / most));
      return cell;
    })),
  );
  return el(
    "div.sheet.confusion",
    { tabindex: "0", role: "region", "aria-label": part.title },
    el(
      "table",
      {},
      el("caption", {}, "Rows: what it is. Columns: what was predicted."),
      el("thead", {}, el("tr", {}, el("td"), part.classes.map((name) => el("th.number", { scope: "col" }, String(name))))),
      el("tbody", {}, body),
    ),
  );
}

function calibration(part) {
  const rows = part.points.map((one) => [figure(one.predicted), one.observed, one.count ?? null]);
  return el(
    "div.stack.tight",
    {},
    bars(part.points.map((one) => ({ name: `said ${figure(one.predicted)}`, value: one.observed, text: `was ${figure(one.observed)}` })), part.title),
    el("details", {}, el("summary", {}, "As a table"), sheet(part.title, ["Predicted", "Observed", "Rows"], rows)),
  );
}

function worst(part) {
  return sheet("The largest errors first", part.columns, part.rows, { high: true });
}

const KINDS = { importance, confusion, calibration, worst };

/** What a model's answers depend on and where it errs, each with a sentence. */
export function insightParts(parts) {
  return parts
    .filter((one) => KINDS[one.kind])
    .map((one) => el("section.card", { "aria-label": one.title }, el("h3", {}, one.title), one.sentence ? el("p.quiet", {}, one.sentence) : null, KINDS[one.kind](one)));
}
