import { el, say } from "../dom.js";
import { button } from "../parts/fields.js";
import { nameSearch } from "../parts/name-search.js";
import { stars } from "../parts/stars.js";

/**
 * A basket to fill: items, with stars where the model knows ratings.
 * @param {{min: number, max: number, step: number}|null} scale
 * @param {(basket: object|null) => void} onChange null while it is empty
 */
export function basket(scale, find, onChange) {
  const inside = [];
  const list = el("ul.basket");
  const tell = () => {
    draw();
    if (!inside.length) onChange(null);
    else onChange(scale ? { ratings: inside.map(({ item, rating }) => ({ item, rating })) } : { items: inside.map((one) => one.item) });
  };
  const draw = () => {
    list.replaceChildren(
      ...inside.map((one) =>
        el(
          "li",
          {},
          el("span.title", {}, one.title),
          scale ? stars(`Rating of ${one.title}`, scale, one.rating, (rating) => { one.rating = rating; tellLater(); }) : null,
          button("Remove", () => { inside.splice(inside.indexOf(one), 1); tell(); }, "plain slim", { "aria-label": `Remove ${one.title}` }),
        ),
      ),
    );
  };
  const tellLater = () => onChange({ ratings: inside.map(({ item, rating }) => ({ item, rating })) });
  const search = nameSearch(scale ? "Add what somebody rated" : "Add what is in the basket", find, (found, input) => {
    input.value = "";
    if (inside.some((one) => String(one.item) === String(found.name))) return;
    inside.push({ item: found.name, title: String(found.title ?? found.name), rating: scale?.max });
    say(`${found.title ?? found.name} is in the basket.`);
    tell();
  });
  return el("div.stack.tight", {}, search.box, list);
}
