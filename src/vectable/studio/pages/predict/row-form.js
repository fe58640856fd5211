import { el } from "../dom.js";
import { field, menu } from "../parts/fields.js";

const MOST_CHOICES = 200;

function control(column, state, onEnter) {
  state[column.name] = column.example ?? null;
  const keep = (value) => { state[column.name] = value; };
  if (column.choices?.length && column.choices.length <= MOST_CHOICES) {
    const choices = column.choices.map((value) => ({ value, label: value === null ? "(missing)" : String(value) }));
    return menu(choices, column.example, (text) => keep(column.choices.find((one) => String(one) === text) ?? text));
  }
  const isNumber = column.kind === "number";
  const input = el("input", { type: isNumber ? "number" : "text", step: "any", autocomplete: "off", is: { value: column.example ?? "" } });
  input.addEventListener("input", () => keep(input.value === "" ? null : isNumber ? Number(input.value) : input.value));
  input.addEventListener("keydown", (event) => event.key === "Enter" && onEnter());
  return input;
}

function hintOf(column) {
  if (column.min === undefined || column.min === null || column.max === undefined) return null;
  return `seen: ${column.min} to ${column.max}`;
}

/** A form of the columns that a model reads, filled with a row of the data. */
export function rowForm(columns, onEnter) {
  const state = {};
  const box = el("div.fields", {}, columns.map((one) => field(one.label ?? one.name, control(one, state, onEnter), hintOf(one))));
  const values = () => {
    const wrong = box.querySelector(":invalid");
    wrong?.reportValidity();
    return wrong ? null : { ...state };
  };
  return { box, values };
}
