import { el, freshId } from "../dom.js";

/** A control with its label above and a hint below. */
export function field(label, control, hint) {
  const id = control.id || freshId("field");
  control.id = id;
  const below = hint ? el("p.hint", { id: `${id}-hint` }, hint) : null;
  if (below) control.setAttribute("aria-describedby", below.id);
  return el("div.field", {}, el("label", { for: id }, label), control, below);
}

/**
 * A menu.
 * @param {Array<{value: string, label: string}>} choices
 */
export function menu(choices, value, onChange, traits = {}) {
  const options = choices.map((one) => el("option", { value: one.value, is: { selected: String(one.value) === String(value) } }, one.label));
  return el("select", { ...traits, onchange: (event) => onChange?.(event.target.value) }, options);
}

/** A box to tick, with its label beside it. */
export function check(label, checked, onChange, traits = {}) {
  const box = el("input", { type: "checkbox", ...traits, is: { checked }, onchange: (event) => onChange?.(event.target.checked) });
  return el("label.check", {}, box, el("span", {}, label));
}

/** A button; `look` is "", "main", "plain", and "slim" with any of them. */
export function button(label, onClick, look = "", traits = {}) {
  const kind = ["button", "button", ...look.split(" ").filter(Boolean)].join(".");
  return el(kind, { type: "button", ...traits, onclick: onClick }, label);
}
