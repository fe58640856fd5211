import { el } from "../dom.js";
import { count } from "../format.js";

/**
 * The colours' key. A press on one lets it stand out; another press ends that.
 * @param {import("./colouring.js").Colouring} colouring
 * @param {(shown: boolean[]|null) => void} onShow
 */
export function legend(colouring, onShow) {
  let alone = new Set();
  const entries = colouring.legend.map((one, at) => {
    const dot = el("span.dot", { "aria-hidden": "true" });
    dot.style.background = one.colour;
    const pressed = el("button.button.plain.slim", { type: "button", "aria-pressed": "false" }, dot, one.name, el("span.quiet", {}, ` ${count(one.count)}`));
    pressed.addEventListener("click", () => {
      alone = new Set(alone.has(at) ? [...alone].filter((other) => other !== at) : [...alone, at]);
      pressed.setAttribute("aria-pressed", String(alone.has(at)));
      onShow(alone.size ? colouring.palette.map((_, colour) => alone.has(colour)) : null);
    });
    return el("li", {}, pressed);
  });
  return entries.length ? el("ul.legend", { "aria-label": "Colours; press one to let it stand out" }, entries) : el("div");
}
