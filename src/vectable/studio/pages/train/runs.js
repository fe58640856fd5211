import { el } from "../dom.js";
import { figure, moment } from "../format.js";
import { button } from "../parts/fields.js";
import { runName } from "../parts/run-name.js";
import { sheet } from "../parts/table.js";

const KINDS = { train: "Training", finder: "Finder", opened: "Opened" };

/** The runs side by side: what they were set to where they differ, and what came out. */
export function runsTable(project, onShow, onRemove) {
  const runs = project.runs.filter((one) => one.kind in KINDS);
  if (!runs.length) return el("div");
  const names = new Set(runs.flatMap((one) => Object.keys(one.settings ?? {})));
  const differing = [...names].filter((name) => new Set(runs.map((one) => JSON.stringify(one.settings?.[name]))).size > 1);
  const labels = Object.fromEntries((project.settings ?? []).map((one) => [one.name, one.label]));
  const figures = [...new Set(runs.flatMap((one) => Object.keys(one.figures ?? {})))];
  const rows = runs.map((one) => [
    el("button.link.line", { type: "button", onclick: () => onShow(one) }, runName(one)),
    KINDS[one.kind],
    one.state,
    ...differing.map((name) => shown(one.settings?.[name])),
    ...figures.map((name) => one.figures?.[name] ?? "–"),
    one.started ? moment(one.started) : "",
    button("Delete", () => onRemove(one), "plain slim", { "aria-label": `Delete ${runName(one)}` }),
  ]);
  const columns = ["Run", "What", "State", ...differing.map((name) => labels[name] ?? name), ...figures, "Begun", ""];
  return el("section.stack.tight", { "aria-labelledby": "runs" }, el("h2", { id: "runs" }, "Runs side by side"), sheet("Settings that differ, and figures", columns, rows));
}

function shown(value) {
  return value === undefined || value === null ? "by itself" : typeof value === "boolean" ? (value ? "yes" : "no") : figure(value);
}
