import { el } from "../dom.js";
import { figure } from "../format.js";
import { button } from "./fields.js";

const PAGE = 50;

function cell(value, isHead, name) {
  const traits = isHead ? { scope: "row", role: "rowheader" } : { role: "cell", "data-name": name };
  if (value instanceof Node) return el(isHead ? "th" : "td", traits, value);
  return el(`${isHead ? "th" : "td"}${typeof value === "number" ? ".number" : ""}`, traits, figure(value));
}

/**
 * A table; the first cell of a row is its head. Long ones grow by a button.
 * @param {string} caption
 * @param {string[]} columns
 * @param {Array<Array<Node|string|number|null>>|{length: number, at: (i: number) => Array}} rows
 */
export function sheet(caption, columns, rows, { high = false } = {}) {
  const row = (at) => (Array.isArray(rows) ? rows[at] : rows.at(at));
  const body = el("tbody", { role: "rowgroup" });
  const first = rows.length ? row(0) : [];
  const head = columns.map((name, at) => el(typeof first[at] === "number" ? "th.number" : "th", { scope: "col", role: "columnheader" }, name));
  // The roles are written out because a table that is laid out as blocks, on a phone, would lose them.
  const top = el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, head));
  const table = el("table", { role: "table" }, el("caption", {}, caption), top, body);
  const more = button("Show more", () => grow(), "plain slim");
  const grow = () => {
    const end = Math.min(rows.length, body.rows.length + PAGE);
    for (let at = body.rows.length; at < end; at += 1) {
      body.append(el("tr", { role: "row" }, row(at).map((value, place) => cell(value, place === 0, columns[place]))));
    }
    more.hidden = end === rows.length;
  };
  grow();
  return el("div", {}, el(high ? "div.sheet.high" : "div.sheet", { tabindex: "0", role: "region", "aria-label": caption }, table), more);
}

/** A table that is made each time it is opened: the way to a picture's numbers without the picture. */
export function asTable(summary, make) {
  const head = el("summary", {}, summary);
  const box = el("details", {}, head);
  box.addEventListener("toggle", () => box.replaceChildren(head, ...(box.open ? [make()] : [])));
  return box;
}
