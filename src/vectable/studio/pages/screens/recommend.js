import { noteInAddress } from "../address.js";
import { runAt } from "../api.js";
import { el, say } from "../dom.js";
import { button, field, menu } from "../parts/fields.js";
import { namesOfRun, nameSearch } from "../parts/name-search.js";
import { heading, notice } from "../parts/notice.js";
import { longRunName } from "../parts/run-name.js";
import { needsRun, trainedRuns } from "../parts/run-choice.js";
import { basket } from "../recommend/basket.js";
import { filters } from "../recommend/filters.js";
import { listCard } from "../recommend/lists.js";

/** Recommend: for a user or a basket, with reasons; two models side by side. */
export async function show(place) {
  if (needsRun(place, "Recommend")) return;
  const { run, project } = place;
  const find = (of) => namesOfRun(runAt(project.name, run.id), of);
  const lists = el("div.lists", { "aria-live": "off" });
  let asked = null;
  let other = null;
  let turn = 0;

  const ask = async () => {
    turn += 1;
    const mine = turn;
    if (!asked) {
      lists.replaceChildren();
      return;
    }
    const runs = other ? [run, other] : [run];
    const cards = await Promise.all(
      runs.map((one) => listCard(place, one, asked, conditions.values(), runs.length > 1).catch((why) => {
        if (why.name === "AbortError") throw why;
        return notice(why.message, "bad");
      })),
    );
    if (mine !== turn) return;
    lists.replaceChildren(...cards);
    say("The list is here.");
  };
  const conditions = filters(project.task === "ratings", ask);
  const forUser = nameSearch("For whom?", find("users"), (one, input) => {
    input.value = String(one.title ?? one.name);
    asked = { user: one.name };
    noteInAddress(place, { user: one.name });
    ask();
  });
  const scale = project.task === "ratings" ? run.scale ?? { min: 1, max: 5, step: 1 } : null;
  const forBasket = basket(scale, find("items"), (filled) => {
    asked = filled ? { basket: filled } : null;
    ask();
  });
  place.main.append(
    heading("Recommend", "For somebody the model knows, or for a basket you fill. Open an entry to see what it adds up from."),
    whoCard(forUser.box, forBasket, () => { asked = null; noteInAddress(place, { user: null }); ask(); }),
    lists,
  );
  place.details.append(conditions.box);
  const others = trainedRuns(project).filter((one) => one.id !== run.id);
  if (others.length) {
    const choices = [{ value: "", label: "nothing" }, ...others.map((one) => ({ value: one.id, label: longRunName(one) }))];
    place.details.append(el("section.card", {}, field("Side by side with", menu(choices, "", (id) => {
      other = others.find((one) => one.id === id) ?? null;
      ask();
    }))));
  }
  const wanted = place.address.query.get("user");
  if (wanted) {
    forUser.input.value = wanted;
    const known = (await find("users")(wanted, place.signal)).find((one) => String(one.name) === wanted);
    asked = { user: known ? known.name : wanted };
    await ask();
  }
}

function whoCard(user, filled, onSwitch) {
  const bodies = { user, basket: filled };
  const choose = (which) => {
    Object.entries(bodies).forEach(([name, body]) => { body.hidden = name !== which; });
    Object.entries(buttons).forEach(([name, one]) => one.setAttribute("aria-pressed", String(name === which)));
    onSwitch();
  };
  const buttons = {
    user: button("Somebody known", () => choose("user"), "", { "aria-pressed": "true" }),
    basket: button("A basket", () => choose("basket"), "", { "aria-pressed": "false" }),
  };
  filled.hidden = true;
  return el("section.card", { "aria-label": "For whom" }, el("div.row", {}, Object.values(buttons)), user, filled);
}
