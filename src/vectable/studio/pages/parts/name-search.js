import { ask, withQuery } from "../api.js";
import { el, freshId } from "../dom.js";

/**
 * A labelled box to find a name in: suggestions while one types, chosen by arrow keys and Enter or by the mouse.
 * @param {(text: string, signal: AbortSignal) => Promise<Array<{name: any, title?: string}>>} find
 * @param {(found: {name: any, title?: string}) => void} onChoose with what was typed where no suggestion was taken
 */
export function nameSearch(label, find, onChoose) {
  const listId = freshId("names");
  const list = el("ul", { id: listId, role: "listbox", "aria-label": `Suggestions: ${label}`, hidden: true });
  const input = el("input", {
    type: "text", id: freshId("search"), role: "combobox", autocomplete: "off", spellcheck: "false",
    "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list",
  });
  let found = [];
  let at = -1;
  let asking = new AbortController();

  const close = () => {
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (one) => {
    asking.abort();
    close();
    onChoose(one, input);
  };
  const mark = (next) => {
    at = next;
    [...list.children].forEach((one, place) => one.setAttribute("aria-selected", String(place === at)));
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", list.children[at].id);
      list.children[at].scrollIntoView({ block: "nearest" });
    }
  };
  const suggest = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      found = await find(input.value.trim(), signal);
    } catch (why) {
      if (signal.aborted) return;
      throw why;
    }
    if (signal.aborted || document.activeElement !== input) return;
    list.replaceChildren(
      ...found.map((one) =>
        el("li", { id: freshId("name"), role: "option", "aria-selected": "false", onmousedown: (event) => event.preventDefault(), onclick: () => choose(one) }, one.title ?? String(one.name)),
      ),
    );
    at = -1;
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
  };
  input.addEventListener("input", suggest);
  input.addEventListener("focus", suggest);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown" && found.length) mark((at + 1) % found.length);
    else if (event.key === "ArrowUp" && found.length) mark((at - 1 + found.length) % found.length);
    else if (event.key === "Enter") {
      const typed = input.value.trim();
      const exact = found.find((one) => String(one.name) === typed || one.title === typed);
      if (at >= 0) choose(found[at]);
      else if (typed) choose(exact ?? { name: typed });
    } else return;
    event.preventDefault();
  });
  return { input, box: el("div.field", {}, el("label", { for: input.id }, label), el("div.choices", {}, input, list)) };
}

/** Finds names of a run: its users, its items. */
export function namesOfRun(base, of) {
  return async (text, signal) => (await ask(withQuery(`${base}/names`, { of, q: text, n: 20 }), { signal })).names;
}
