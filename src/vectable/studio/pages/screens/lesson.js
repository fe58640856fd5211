import { ask } from "../api.js";
import { el } from "../dom.js";
import { codeBlock } from "../parts/code.js";
import { chart } from "../parts/chart.js";
import { heading } from "../parts/notice.js";
import { guessCard } from "../lesson/guess.js";
import { raceCard } from "../lesson/race.js";

const COLOURS = ["c1", "c2", "c3", "c4", "c5", "c6"];

/** Lesson: each step with its curve and its sentence, numbers to guess, and optimizers that race on a surface. */
export async function show(place) {
  const lesson = await ask("/api/lesson", { signal: place.signal });
  const sections = lesson.steps.map((one, at) => stepSection(one, at, place.signal));
  place.main.append(
    heading("Lesson", "Learn how learning works, one number at a time. Guess before you look."),
    ...sections,
    lesson.race ? raceCard(lesson.race, place.signal) : "",
  );
  const go = (id) => place.main.querySelector(`#${CSS.escape(`step-${id}`)}`);
  place.details.append(
    el(
      "nav.card",
      { "aria-label": "Steps of the lesson" },
      el("h2", {}, "In this lesson"),
      el("ol.contents", {}, lesson.steps.map((one) => el("li", {}, el("button.link", {
        type: "button",
        onclick: () => { go(one.id).scrollIntoView({ block: "start" }); go(one.id).focus({ preventScroll: true }); },
      }, one.title)))),
    ),
  );
}

function stepSection(step, at, signal) {
  return el(
    "section.card.lesson-step",
    { id: `step-${step.id}`, tabindex: "-1", "aria-label": step.title },
    el("p.quiet.small", {}, `Step ${at + 1}`),
    el("h2", {}, step.title),
    el("p", {}, step.sentence),
    step.code ? codeBlock("In Python", step.code) : null,
    step.guess ? guessCard(step, () => curveOf(step, signal)) : curveOf(step, signal),
  );
}

function curveOf(step, signal) {
  if (!step.curve) return null;
  const { series, x_label: xLabel, y_label: yLabel, log_x: logX } = step.curve;
  const xs = [...new Set(series.flatMap((one) => one.x))].sort((a, b) => a - b);
  const made = chart({
    label: step.title, xLabel, yLabel, logX, signal,
    series: series.map((one, at) => ({ name: one.name, colour: COLOURS[at % COLOURS.length], points: one.x.length < 30 })),
  });
  const values = series.map((one) => {
    const known = new Map(one.x.map((x, at) => [x, one.y[at]]));
    return xs.map((x) => known.get(x) ?? null);
  });
  made.update([xs, ...values]);
  return made.box;
}
