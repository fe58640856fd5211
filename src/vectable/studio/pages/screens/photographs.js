import { noteInAddress } from "../address.js";
import { ask, runAt, withQuery } from "../api.js";
import { el, say } from "../dom.js";
import { count } from "../format.js";
import { button, check, field, menu } from "../parts/fields.js";
import { heading } from "../parts/notice.js";
import { needsRun } from "../parts/run-choice.js";
import { photographCard } from "../photographs/one.js";

/** Photographs: by class, with what was seen in each, what decided it, and the mistakes. */
export async function show(place) {
  if (needsRun(place, "Photographs")) return;
  const { query } = place.address;
  const state = { class: query.get("class"), mistakes: query.get("mistakes") };
  const grid = el("div.stack");
  const about = el("p.quiet.small.number", { role: "status" });
  const at = `${runAt(place.project.name, place.run.id)}/photographs`;
  let images = [];
  const load = async (offset = 0) => {
    const got = await ask(withQuery(at, { ...state, offset: offset || null }), { signal: place.signal });
    images = offset ? [...images, ...got.images] : got.images;
    const kept = got.matching === got.total ? "" : `, of ${count(got.total)} in all`;
    about.textContent = `${count(images.length)} of ${count(got.matching)} shown${kept}; the least sure come first`;
    const more = images.length < got.matching && got.images.length ? button("Show more", () => load(images.length)) : "";
    grid.replaceChildren(...byClass(images, choose), more);
    return got;
  };
  const choose = (one) => {
    place.details.replaceChildren(photographCard(one, classes, images, choose, place.signal));
    place.main.querySelectorAll(".thumb").forEach((thumb) => thumb.setAttribute("aria-pressed", String(thumb.dataset.id === String(one.id))));
    if (matchMedia("(max-width: 1080px)").matches) place.details.scrollIntoView({ block: "start" });
    say(`${one.name}: ${one.predicted}.`);
  };
  const first = await load();
  const { classes } = first;
  const change = (changes) => {
    Object.assign(state, changes);
    noteInAddress(place, state);
    load();
  };
  place.main.append(
    heading("Photographs", "What the model sees in pictures that it was not trained on."),
    el(
      "div.row.low",
      {},
      field("Class", menu([{ value: "", label: "all" }, ...classes.map((value) => ({ value, label: value }))], state.class ?? "", (value) => change({ class: value || null }))),
      check("Mistakes alone", Boolean(state.mistakes), (value) => change({ mistakes: value ? "1" : null })),
    ),
    about,
    grid,
  );
  place.details.append(el("section.card", {}, el("h2", {}, "One of them"), el("p.small.quiet", {}, "Press a photograph for its probabilities and for what decided it.")));
}

function byClass(images, choose) {
  const groups = Map.groupBy ? Map.groupBy(images, (one) => one.class) : grouped(images);
  return [...groups].map(([name, members]) =>
    el(
      "section.stack.tight",
      { "aria-label": name },
      el("h2", {}, name, " ", el("span.tag", {}, count(members.length))),
      el("div.thumbs", {}, members.map((one) => thumb(one, choose))),
    ),
  );
}

function grouped(images) {
  const groups = new Map();
  for (const one of images) groups.set(one.class, [...(groups.get(one.class) ?? []), one]);
  return groups;
}

function thumb(one, choose) {
  const isWrong = one.class !== one.predicted;
  const words = `${one.class}, seen as ${one.predicted}`;
  return el(
    isWrong ? "button.thumb.wrong" : "button.thumb",
    { type: "button", "aria-pressed": "false", "data-id": one.id, onclick: () => choose(one) },
    el("img", { src: one.thumbnail, alt: words, loading: "lazy", width: 96, height: 96 }),
    el("span", { "aria-hidden": "true" }, isWrong ? `✗ ${one.predicted}` : `✓ ${Math.round(Math.max(...one.probabilities) * 100)} %`),
  );
}
