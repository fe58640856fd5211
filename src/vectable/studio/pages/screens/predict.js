import { ask, askText, runAt, withQuery } from "../api.js";
import { el, say } from "../dom.js";
import { button } from "../parts/fields.js";
import { namesOfRun } from "../parts/name-search.js";
import { heading, notesOf, notice } from "../parts/notice.js";
import { needsRun } from "../parts/run-choice.js";
import { saveText } from "../map/csv.js";
import { answerCard } from "../predict/answer.js";
import { rowForm } from "../predict/row-form.js";
import { insightParts } from "../predict/insight.js";

/** Predict: one row from a form, or many from a file; then how far the model can be trusted. */
export async function show(place) {
  if (needsRun(place, "Predict")) return;
  const base = runAt(place.project.name, place.run.id);
  const [columns, insight] = await Promise.all([
    ask(`${base}/columns`, { signal: place.signal }),
    ask(`${base}/insight`, { signal: place.signal }),
  ]);
  const answer = el("div.stack.tight", { "aria-live": "polite" });
  const predict = async () => {
    const row = form.values();
    if (row === null) return;
    try {
      const got = await ask(`${base}/predict`, { method: "POST", body: { rows: [row] }, signal: place.signal });
      answer.replaceChildren(answerCard(got, place.project), ...[notesOf(got.notes)].filter(Boolean));
    } catch (why) {
      if (why.name !== "AbortError") answer.replaceChildren(notice(why.message, "bad"));
    }
  };
  const form = rowForm(columns.fields, predict, findersOf(place, columns.fields, base));
  place.main.append(
    heading("Predict", "Fill in a row and see the answer, how sure it is, and what moved it."),
    el("section.card", { "aria-label": "A row" }, form.box, button("Predict", predict, "main")),
    answer,
    ...(insight.parts?.length ? [el("h2", {}, "How far can it be trusted?"), ...insightParts(insight.parts)] : []),
  );
  place.details.append(fileCard(base));
}

/** What finds users and items for a form of ratings: its first field is the user, its second the item. */
function findersOf(place, fields, base) {
  if (place.project.task !== "ratings") return {};
  return { [fields[0].name]: namesOfRun(base, "users"), [fields[1].name]: namesOfRun(base, "items") };
}

function fileCard(base) {
  const told = el("div", { role: "status" });
  const input = el("input", { type: "file", accept: ".csv,.tsv,.txt", "aria-label": "A CSV with rows to predict" });
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    told.replaceChildren(notice(`Predicting the rows of ${file.name}…`));
    try {
      const text = await askText(withQuery(`${base}/predict.csv`, { label: file.name }), { method: "POST", raw: file });
      const name = file.name.replace(/\.[a-z]+$/i, "") + "-predicted.csv";
      told.replaceChildren(notice("The predictions are here.", "good"), button(`Save ${name}`, () => saveText(name, text, "text/csv")));
      say("The predictions are here.");
    } catch (why) {
      told.replaceChildren(notice(why.message, "bad"));
    }
  });
  return el("section.card", {}, el("h2", {}, "Many rows"), el("p.small.quiet", {}, "A CSV with the same columns comes back with a column of predictions."), input, told);
}
