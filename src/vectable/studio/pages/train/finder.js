import { el } from "../dom.js";
import { chart } from "../parts/chart.js";
import { button } from "../parts/fields.js";
import { notice } from "../parts/notice.js";

const rounded = (rate) => Number(rate.toPrecision(2));

/**
 * The learning-rate finder's curve as it comes; a click takes a rate, and so does the button beside the suggestion.
 * @param {(rate: number) => void} onChoose
 */
export function finderCard(run, onChoose, signal) {
  const told = el("div");
  const chosen = el("p", { role: "status" });
  const choose = (rate) => {
    onChoose(rounded(rate));
    chosen.textContent = `Chosen: ${rounded(rate)}`;
  };
  const curve = chart({
    label: "Loss by learning rate", xLabel: "learning rate", yLabel: "loss", logX: true,
    series: [{ name: "loss", colour: "c1" }], onPick: choose, signal,
  });
  const suggestion = el("div.row");
  const box = el(
    "section.card",
    { "aria-label": "Learning-rate finder" },
    el("h2", {}, "Which learning rate?"),
    el("p.quiet", {}, "Steeply down is where it learns. Click on the curve, or take the suggestion."),
    curve.box, suggestion, chosen, told,
  );
  const add = (events) => {
    const last = events.findLast((one) => one.type === "finder");
    if (!last) return;
    curve.update([last.lrs, last.losses]);
    if (last.suggested) {
      suggestion.replaceChildren(button(`Take ${rounded(last.suggested)}`, () => choose(last.suggested), "", { "data-suggested": rounded(last.suggested) }));
    }
  };
  const end = (ended) => {
    if (ended.found?.withheld) told.replaceChildren(notice(ended.found.withheld));
    if (ended.state === "failed") told.replaceChildren(notice(ended.error ?? "The finder ended without a curve.", "bad"));
  };
  return { box, add, end };
}
