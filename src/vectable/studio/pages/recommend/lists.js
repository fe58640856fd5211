import { ask, modelAt } from "../api.js";
import { el } from "../dom.js";
import { counted } from "../format.js";
import { button } from "../parts/fields.js";
import { notesOf, notice } from "../parts/notice.js";
import { runName } from "../parts/run-name.js";
import { reasonBars, reasonsOf } from "./reasons.js";

/**
 * Asks a model for a list.
 * @param {{user?: any, basket?: object}} asked
 * @returns {Promise<{items: object[], notes: object[]}>}
 */
async function listOf(place, run, asked, filters) {
  const at = modelAt(run.model);
  const how = (body) => ({ method: "POST", body: { ...body, ...filters }, signal: place.signal });
  if (asked.basket) return ask(`${at}/fold-in`, how(asked.basket));
  const answer = await ask(`${at}/recommendations`, how({ users: [asked.user] }));
  return { items: answer.users[0]?.items ?? [], notes: answer.notes };
}

/** The list that a model gives, each item with the bars that add up to its prediction. */
export async function listCard(place, run, asked, filters, isBeside) {
  const title = isBeside ? runName(run) : "The list";
  const answer = await listOf(place, run, asked, filters);
  const isUnknown = answer.notes?.some((one) => one.code === "unknown_user");
  const items = answer.items.map((item, at) => listItem(place, run, asked, item, at === 0 && !isBeside, isUnknown));
  const list = el("ol.recommended", {}, items);
  const openAll = button("All reasons", () => list.querySelectorAll("details").forEach((one) => { one.open = true; }), "plain slim");
  return el(
    "section.card",
    { "aria-label": title },
    el("div.row.ends", {}, el("h2", {}, title), items.length && !isUnknown ? openAll : null),
    notesOf(answer.notes),
    items.length ? list : el("p.quiet", {}, "Nothing is left to recommend under these conditions."),
  );
}

function listItem(place, run, asked, item, isOpen, isUnknown) {
  const title = String(item.title ?? item.item);
  const value = item.prediction ?? item.score;
  const facts = [item.ratings ?? item.count].filter((one) => one !== undefined).map((one) => counted(one, "row"));
  const box = el("details", {}, el("summary", {}, el("span.title", {}, title), el("span.value.number", {}, value.toFixed(2))));
  const fill = async () => {
    if (!box.open || box.children.length > 1) return;
    const why = el("div", { role: "status" }, el("p.quiet.small", {}, "Asking why…"));
    box.append(why);
    try {
      const terms = await reasonsOf(place, run, asked, item.item);
      why.replaceChildren(el("p.quiet.small", {}, facts.join(", ")), reasonBars(terms, title));
    } catch (refused) {
      if (refused.name !== "AbortError") why.replaceChildren(notice(refused.message));
    }
  };
  if (isUnknown) return el("li", {}, el("div.plain-item", {}, el("span.title", {}, title), el("span.value.number", {}, value.toFixed(2))));
  box.addEventListener("toggle", fill);
  box.open = isOpen;
  return el("li", {}, box);
}
