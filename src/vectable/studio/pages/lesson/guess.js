import { el, say } from "../dom.js";
import { mark } from "../format.js";
import { button, field } from "../parts/fields.js";

function verdict(guessed, answer) {
  const off = Math.abs(guessed - answer) / Math.max(Math.abs(answer), 1e-9);
  if (off < 0.02) return "Right on it.";
  if (off < 0.15) return "Close.";
  return guessed < answer ? "It is more." : "It is less.";
}

/**
 * A number to guess; it, its sentence and its curve are shown afterwards.
 * @param {() => HTMLElement|null} makeCurve
 */
export function guessCard(step, makeCurve) {
  const { question, answer, unit, after } = step.guess;
  const input = el("input", { type: "number", step: "any", autocomplete: "off" });
  const shown = el("div.stack.tight", { "aria-live": "polite" });
  const show = () => {
    const number = `${mark(answer)}${unit ? ` ${unit}` : ""}`;
    const words = input.value === "" ? `It is ${number}.` : `${verdict(Number(input.value), answer)} You said ${mark(Number(input.value))}; it is ${number}.`;
    shown.replaceChildren(el("p", {}, el("strong", {}, words)), after ? el("p", {}, after) : "", makeCurve() ?? "");
    say(words);
  };
  input.addEventListener("keydown", (event) => event.key === "Enter" && show());
  return el("div.guess", {}, el("div.row.low", {}, field(question, input), button("Show", show, "main")), shown);
}
