import { el } from "../dom.js";
import { button, check, field } from "../parts/fields.js";

const SURPRISE = 0.6; // how different the items of a surprising list are, of 1

/**
 * The conditions of a list.
 * @param {() => void} onChange
 * @returns {{box: HTMLElement, values: () => object}}
 */
export function filters(hasRatings, onChange) {
  const state = { n: 10, exclude_seen: true, min_ratings: 0, surprise: false };
  const whole = (label, name, least, most, hint) => {
    const input = el("input", { type: "number", min: least, max: most, step: 1, is: { value: state[name] } });
    input.addEventListener("change", () => {
      if (!input.reportValidity()) return;
      state[name] = Number(input.value);
      onChange();
    });
    return field(label, input, hint);
  };
  const surprise = button("Surprise me", () => {
    state.surprise = !state.surprise;
    surprise.setAttribute("aria-pressed", String(state.surprise));
    onChange();
  }, "", { "aria-pressed": "false" });
  const box = el(
    "section.card",
    {},
    el("h2", {}, "The list"),
    whole("Length", "n", 1, 50),
    hasRatings ? whole("Rated at least so often", "min_ratings", 0, 1000000, "Leaves out what few have rated.") : null,
    check("Leave out what is known", true, (value) => { state.exclude_seen = value; onChange(); }),
    surprise,
    el("p.quiet.small", {}, "A surprising list has items that differ from each other, not ten of a kind."),
  );
  const values = () => ({
    n: state.n,
    exclude_seen: state.exclude_seen,
    ...(hasRatings && state.min_ratings ? { min_ratings: state.min_ratings } : {}),
    ...(state.surprise ? { diversity: SURPRISE } : {}),
  });
  return { box, values };
}
