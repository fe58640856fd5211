import { el } from "../dom.js";
import { field, menu } from "../parts/fields.js";
import { nameSearch } from "../parts/name-search.js";

function control(column, state, onEnter) {
  state[column.name] = column.example ?? null;
  const keep = (value) => { state[column.name] = value; };
  if (column.choices?.length && !column.more_choices) {
    const choices = column.choices.map((value) => ({ value, label: value === null ? "(missing)" : String(value) }));
    return menu(choices, column.example, (text) => keep(column.choices.find((one) => String(one) === text) ?? text));
  }
  const isNumber = column.kind === "number" && typeof (column.example ?? 0) === "number";
  const input = el("input", { type: isNumber ? "number" : "text", step: "any", autocomplete: "off", is: { value: column.example ?? "" } });
  input.addEventListener("input", () => keep(input.value === "" ? null : isNumber ? Number(input.value) : input.value));
  input.addEventListener("keydown", (event) => event.key === "Enter" && onEnter());
  return input;
}

function hintOf(column) {
  if (column.min === undefined || column.min === null || column.max === undefined) return null;
  return `seen: ${column.min} to ${column.max}`;
}

/** A name typed as it is: a number where names are numbers. */
function asNamed(text, example) {
  if (typeof text !== "string") return text;
  return typeof example === "number" && text.trim() !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
}

function nameField(column, state, find) {
  state[column.name] = column.example ?? null;
  const search = nameSearch(column.name, find, (found, input) => {
    input.value = String(found.title ?? found.name);
    state[column.name] = asNamed(found.name, column.example);
  });
  search.input.value = column.example ?? "";
  search.input.addEventListener("input", () => { state[column.name] = asNamed(search.input.value, column.example); });
  return search.box;
}

/**
 * A form of the columns that a model reads, filled with a row of the data.
 * @param {Object<string, Function>} finders what finds names, by the column that holds names
 */
export function rowForm(columns, onEnter, finders) {
  const state = {};
  const box = el("div.fields", {}, columns.map((one) =>
    finders[one.name] ? nameField(one, state, finders[one.name]) : field(one.name, control(one, state, onEnter), hintOf(one))));
  const values = () => {
    const wrong = box.querySelector(":invalid");
    wrong?.reportValidity();
    return wrong ? null : { ...state };
  };
  return { box, values };
}
