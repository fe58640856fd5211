import { noteInAddress } from "../address.js";
import { ask, projectAt, runAt, withQuery } from "../api.js";
import { el, say } from "../dom.js";
import { count } from "../format.js";
import { colourBy, plain } from "../map/colouring.js";
import { chosenCard, lassoCard } from "../map/details.js";
import { legend } from "../map/legend.js";
import { MapCanvas } from "../map/map-canvas.js";
import { follow } from "../parts/events.js";
import { button, field, menu } from "../parts/fields.js";
import { nameSearch } from "../parts/name-search.js";
import { heading, notice } from "../parts/notice.js";
import { needsRun } from "../parts/run-choice.js";
import { asTable, sheet } from "../parts/table.js";

const ASKED = ["of", "x", "y", "method"];
const STABLE = ["ratings", "table"]; // tasks whose models start at random

/** Map: what was learned, as points that lie close where they are alike. */
export async function show(place) {
  if (needsRun(place, "Map")) return;
  const query = Object.fromEntries(ASKED.map((name) => [name, place.address.query.get(name)]));
  const got = await ask(withQuery(`${runAt(place.project.name, place.run.id)}/map`, query), { signal: place.signal });
  drawMap(place, got);
}

function again(place, changes) {
  noteInAddress(place, changes);
  window.dispatchEvent(new CustomEvent("studio:refresh"));
}

function drawMap(place, got) {
  const points = { xs: Float32Array.from(got.x), ys: Float32Array.from(got.y), names: got.names.map(String), popularity: got.popularity ?? [] };
  const keys = el("div");
  const seen = el("p.quiet.small.number", { role: "status" });
  const base = runAt(place.project.name, place.run.id);
  const placeOf = new Map(got.ids.map((one, at) => [String(one), at]));
  let colouring = null;

  const colour = (column) => {
    colouring = column ? colourBy(got.columns[column]) : plain(points.xs.length);
    keys.replaceChildren(legend(colouring, (shown) => map.colour(colouring, shown)));
    map.colour(colouring, null);
    noteInAddress(place, { colour: column });
  };
  const choose = async (at, isFollowed) => {
    map.choose(at, [], isFollowed);
    const answer = await ask(withQuery(`${base}/neighbours`, { of: got.of, name: got.ids[at], n: 10 }), { signal: place.signal });
    if (map.chosen !== at) return;
    const around = answer.items.map((one) => placeOf.get(String(one.id))).filter((one) => one !== undefined);
    map.choose(at, around);
    place.details.replaceChildren(chosenCard(got, at, answer.items, (neighbour) => {
      const next = placeOf.get(String(neighbour.id));
      if (next !== undefined) choose(next, true);
      else say(`${neighbour.name} is not among the points that are shown.`);
    }));
    say(`${got.names[at]}: ${answer.items.length} neighbours.`);
  };
  const map = new MapCanvas(points, {
    onChoose: (at) => choose(at, false),
    onLasso: (found) => {
      place.details.replaceChildren(lassoCard(got, found, (at) => choose(at, true)));
      say(`${found.length} inside.`);
    },
    onMove: () => { seen.textContent = `${count(got.shown)} of ${count(got.total)} shown`; },
    onRecolour: () => colour(place.address.query.get("colour")),
  }, place.signal);

  const search = nameSearch("Find", async (text) => found(got, text), (one, input) => {
    const at = one.at ?? got.names.findIndex((name) => String(name).toLowerCase() === String(one.name).toLowerCase());
    if (at >= 0) choose(at, true);
    else say(`There is no ${one.name} on the map.`);
    input.value = at >= 0 ? String(got.names[at]) : input.value;
  });
  place.main.append(
    heading("Map", "What lies close was learned to be alike. Nobody told the model what these are."),
    controls(place, got, search, colour, map),
    map.box,
    el("div.row.ends", {}, keys, seen),
    statisticOf(place, got),
    asTable("As a table: what is in view", () => tableOf(got, map.inView())),
  );
  place.details.append(el("section.card", {}, el("h2", {}, "Look closer"), el("p.small", {}, "Press a point for its neighbours. They are found in all that was learned, not in the picture."), el("p.small.quiet", {}, "Draw around points with the lasso for a list of them.")));
  const wanted = place.address.query.get("colour");
  colour(wanted && got.columns?.[wanted] ? wanted : null);
}

function found(got, text) {
  const wanted = text.toLowerCase();
  const hits = [];
  for (let at = 0; at < got.names.length && hits.length < 12; at += 1) {
    if (String(got.names[at]).toLowerCase().includes(wanted)) hits.push({ name: got.names[at], at });
  }
  return hits;
}

function controls(place, got, search, colour, map) {
  const columns = Object.keys(got.columns ?? {}).map((value) => ({ value, label: value }));
  const lasso = button("Lasso", () => {
    map.isLasso = !map.isLasso;
    lasso.setAttribute("aria-pressed", String(map.isLasso));
    map.surface.classList.toggle("lasso", map.isLasso);
  }, "", { "aria-pressed": "false" });
  const zoom = (factor) => { map.view.zoom(factor); map.redraw(); };
  const which = got.of_choices?.length > 1 ? field("Of", menu(got.of_choices, got.of, (of) => again(place, { of, x: null, y: null, colour: null }))) : null;
  const component = (axis, at) => {
    const named = got.explained.map((share, one) => ({ value: one, label: `${one + 1} (${Math.round(share * 100)} %)` }));
    return field(axis === "x" ? "Across: component" : "Up: component", menu(named, at, (value) => again(place, { [axis]: value })));
  };
  const byColour = columns.length ? field("Colour by", menu([{ value: "", label: "nothing" }, ...columns], place.address.query.get("colour") ?? "", (name) => colour(name || null))) : null;
  const hasComponents = got.explained?.length > 1 && got.method === "pca";
  return el(
    "section.stack.tight",
    { "aria-label": "What is shown" },
    el("div.map-controls", {}, search.box, byColour, which, methodChoice(place, got)),
    el(
      "div.row.low",
      {},
      hasComponents ? el("div.row.low.components", {}, component("x", got.x_component), component("y", got.y_component)) : null,
      button("+", () => zoom(1.5), "", { "aria-label": "Zoom in" }),
      button("−", () => zoom(1 / 1.5), "", { "aria-label": "Zoom out" }),
      button("Show all", () => { map.view.fit(); map.redraw(); }),
      lasso,
    ),
  );
}

/** Has a longer look at the vectors worked out as a run of its own, then shows the map again. */
async function workOut(place, got, method, sentence, changes) {
  const told = notice(sentence);
  place.main.prepend(told);
  try {
    const body = { kind: "project", settings: { run: place.run.id, of: got.of, method } };
    const run = await ask(`${projectAt(place.project.name)}/runs`, { method: "POST", body, signal: place.signal });
    const tell = (events) => {
      const last = events.findLast((one) => one.type === "message");
      if (last) told.firstChild.textContent = last.text;
    };
    await follow(place.project.name, run.id, tell, place.signal);
    const ended = await ask(runAt(place.project.name, run.id), { signal: place.signal });
    if (ended.state === "done") again(place, changes);
    else told.replaceWith(notice(ended.error ?? "It could not be worked out.", "bad"));
  } catch (why) {
    if (why.name !== "AbortError") told.replaceWith(notice(why.message, "bad"));
  }
}

function methodChoice(place, got) {
  if (!(got.method_choices?.length > 1)) return null;
  const labelled = got.method_choices.map((one) => ({ value: one.value, label: one.ready ? one.label : `${one.label} (takes a while)` }));
  return field("Laid out by", menu(labelled, got.method, (method) => {
    const wanted = got.method_choices.find((one) => one.value === method);
    if (wanted.ready) again(place, { method });
    else workOut(place, got, method, `${wanted.label} is worked out; the map changes when it is there.`, { method });
  }));
}

/** Whether the map means anything; where that was not measured, a way to measure it. */
function statisticOf(place, got) {
  if (!got.statistic?.text) return "";
  const canMeasure = got.statistic.kind === "none" && got.method === "pca" && STABLE.includes(place.project.task);
  const measure = () => workOut(place, got, "stability", "The model is trained twice more, from other seeds.", {});
  return notice(got.statistic.text, "", canMeasure ? button("Measure it: train twice more", measure, "slim") : "");
}

function tableOf(got, points) {
  const names = Object.keys(got.columns ?? {});
  const at = (place) => {
    const point = points[place];
    return [String(got.names[point]), got.popularity?.[point] ?? null, ...names.map((name) => got.columns[name][point])];
  };
  return sheet(`${count(points.length)} in view, the most frequent first`, ["Name", "Rows", ...names], { length: points.length, at }, { high: true });
}
