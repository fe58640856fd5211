import { el, say } from "../dom.js";
import { check, field, menu } from "../parts/fields.js";

function control(setting, state) {
  const keep = (value) => { state[setting.name] = value; };
  if (setting.type === "boolean") {
    return el("div.field", {}, check(setting.label, setting.value, keep), el("p.hint", {}, setting.line));
  }
  if (setting.type === "choice") return field(setting.label, menu(setting.choices, setting.value, keep), setting.line);
  const step = setting.step ?? (setting.type === "integer" ? 1 : "any");
  const input = el("input", {
    type: setting.type === "text" ? "text" : "number", min: setting.min, max: setting.max, step, name: setting.name, is: { value: setting.value ?? "" },
  });
  input.addEventListener("input", () => {
    const empty = input.value === "";
    keep(setting.type === "text" ? input.value : empty ? null : Number(input.value));
  });
  return field(setting.label, input, setting.line);
}

/**
 * The settings of a training, each with a line; the rarer ones folded away.
 * @returns {{box: HTMLElement, values: () => object|null, set: (name: string, value: number) => void}} values: null
 *   where one is out of its range, and the browser shows which
 */
export function settingsForm(settings) {
  const state = Object.fromEntries(settings.map((one) => [one.name, one.value]));
  const basic = settings.filter((one) => one.basic !== false);
  const more = settings.filter((one) => one.basic === false);
  const box = el(
    "form",
    { onsubmit: (event) => event.preventDefault() },
    el("div.fields", {}, basic.map((one) => control(one, state))),
    more.length ? el("details", {}, el("summary", {}, "More settings"), el("div.fields", {}, more.map((one) => control(one, state)))) : null,
  );
  const values = () => {
    const wrong = box.querySelector(":invalid");
    if (!wrong) return { ...state };
    const folded = wrong.closest("details");
    if (folded) folded.open = true;
    box.reportValidity();
    return null;
  };
  const set = (name, value) => {
    const input = box.querySelector(`[name="${name}"]`);
    if (!input) return;
    input.value = value;
    state[name] = value;
    input.closest("details")?.setAttribute("open", "");
    say(`The learning rate is ${value} now.`);
  };
  return { box, values, set };
}
