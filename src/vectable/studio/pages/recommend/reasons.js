import { ask, modelAt, runAt, withQuery } from "../api.js";
import { el } from "../dom.js";
import { sumBars } from "../parts/bars.js";

const REASONS = 3; // known items that are named
const NAMES = { mean: "the average", user: "this user's level", item: "this item's level", taste: "taste", "end of scale": "end of the scale", "everything else": "everything else" };

function nameOf(term) {
  if (term.term !== "because") return NAMES[term.term] ?? term.meaning ?? term.term;
  const title = term.title ?? term.item;
  return term.your_rating === undefined ? `because of ${title}` : `because of ${title}, rated ${term.your_rating}`;
}

/**
 * What a prediction is the sum of. Where reasons are named, they stand for the taste that they are parts of.
 * @returns {{total: number, parts: Array<{name: string, points: number}>}}
 */
export function summands(terms) {
  const whole = terms.find((one) => one.term === "prediction" || one.term === "score");
  const hasReasons = terms.some((one) => one.term === "because" || one.term === "everything else");
  const parts = terms
    .filter((one) => one !== whole && !(hasReasons && one.term === "taste"))
    .map((one) => ({ name: nameOf(one), points: one.points }));
  return { total: whole?.points ?? parts.reduce((sum, one) => sum + one.points, 0), parts };
}

/** Asks why an item is on the list of a known user, or of a basket. */
export async function reasonsOf(place, run, asked, item) {
  if (asked.user !== undefined) {
    const path = withQuery(`${modelAt(run.model)}/explanations`, { user: asked.user, item, n: REASONS });
    return (await ask(path, { signal: place.signal })).terms;
  }
  const body = { ...asked.basket, item, n: REASONS };
  return (await ask(`${runAt(place.project.name, run.id)}/explain`, { method: "POST", body, signal: place.signal })).terms;
}

/** The bars that add up to a prediction. */
export function reasonBars(terms, title) {
  const { parts } = summands(terms);
  const isRating = terms.some((one) => one.term === "prediction");
  return el("div.why", {}, sumBars(parts, isRating ? "prediction" : "score", `What adds up for ${title}`));
}
