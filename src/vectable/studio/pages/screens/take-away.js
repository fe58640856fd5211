import { ask, runAt } from "../api.js";
import { el, withCode } from "../dom.js";
import { bytes } from "../format.js";
import { codeBlock } from "../parts/code.js";
import { heading } from "../parts/notice.js";
import { runName } from "../parts/run-name.js";
import { needsRun } from "../parts/run-choice.js";

/** Take away: the model, lists, vectors, the script that does the same, and a report that needs no server. */
export async function show(place) {
  if (needsRun(place, "Take away")) return;
  const at = `${runAt(place.project.name, place.run.id)}/take-away`;
  const got = await ask(at, { signal: place.signal });
  const card = (one) =>
    el(
      "li.card",
      {},
      el("h2", {}, one.label),
      el("p.quiet", {}, withCode(one.line)),
      one.why_not
        ? el("p.small.quiet", {}, one.why_not)
        : el("p", {}, el("a.button", { href: `${at}/${encodeURIComponent(one.name)}`, download: one.name }, `Save ${one.name}`), one.bytes ? el("span.quiet.small", {}, `  ${bytes(one.bytes)}`) : null),
    );
  place.main.append(
    heading("Take away", "All of it is yours: files that work without the studio, on any computer."),
    el("ul.cards.wide", {}, got.files.map(card)),
    got.serve ? el("section.stack.tight", {}, el("h2", {}, "Answer a shop's page"), el("p.quiet", {}, "This command serves the model over HTTP."), codeBlock("Serve", got.serve)) : "",
  );
  const figures = Object.entries(place.run.figures ?? {});
  place.details.append(
    el("section.card", {}, el("h2", {}, runName(place.run)), el("dl.facts", {}, figures.map(([name, value]) => [el("dt", {}, name), el("dd", {}, typeof value === "number" ? value.toPrecision(4) : String(value))]))),
  );
}
