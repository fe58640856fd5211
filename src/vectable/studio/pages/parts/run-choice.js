import { addressOf } from "../address.js";
import { el } from "../dom.js";
import { menu } from "./fields.js";
import { heading } from "./notice.js";
import { longRunName } from "./run-name.js";

const OF_A_RUN = ["map", "recommend", "predict", "photographs", "take-away"];

/** Says what is missing where a screen needs a trained model and there is none. */
export function needsRun(place, title) {
  if (place.run?.saved) return false;
  place.main.append(
    heading(title, "There is nothing to show yet: train a model first."),
    el("p", {}, el("a.button.main", { href: addressOf(place.project.name, "train") }, "Go to training")),
  );
  return true;
}

/** Runs with a model. */
export function trainedRuns(project) {
  return project.runs.filter((one) => one.saved);
}

/** Where several runs have a model: which of them the screen asks; else nothing. */
export function runChoice(address, project, run) {
  const runs = project ? trainedRuns(project) : [];
  if (runs.length < 2 || !run || !OF_A_RUN.includes(address.step)) return null;
  const choices = runs.map((one) => ({ value: one.id, label: longRunName(one) }));
  return menu(choices, run.id, (id) => { location.hash = addressOf(project.name, address.step, { run: id }); }, { class: "slim run-choice", "aria-label": "Model of" });
}
