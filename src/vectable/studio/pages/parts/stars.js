import { el, freshId } from "../dom.js";

const MOST = 10; // more steps than that are a number to type

/**
 * A rating to give: stars, or a number where the scale has many steps.
 * @param {{min: number, max: number, step: number}} scale
 */
export function stars(label, scale, value, onChange) {
  const step = scale.step || 1;
  const steps = Math.round((scale.max - scale.min) / step) + 1;
  if (steps > MOST) {
    return el("input.slim", {
      type: "number", min: scale.min, max: scale.max, step: "any", "aria-label": label,
      is: { value }, onchange: (event) => onChange(Number(event.target.value)),
    });
  }
  const name = freshId("stars");
  const box = el("fieldset.stars", { role: "radiogroup", "aria-label": label });
  const light = (upTo) => box.querySelectorAll("label").forEach((one) => one.classList.toggle("lit", Number(one.dataset.value) <= upTo));
  for (let at = 0; at < steps; at += 1) {
    const given = Number((scale.min + at * step).toFixed(6));
    const choose = () => { light(given); onChange(given); };
    const input = el("input", { type: "radio", name, value: given, "aria-label": String(given), is: { checked: given === value }, onchange: choose });
    box.append(el("label", { "data-value": given }, "★", input));
  }
  light(value);
  return box;
}
