import { el } from "../dom.js";
import { figure } from "../format.js";
import { button, field } from "../parts/fields.js";
import { asTable, sheet } from "../parts/table.js";
import { Surface } from "./surface.js";

const COLOURS = ["c4", "c2", "c5", "c6", "c1", "c3"];
const SECONDS = 8; // of a race

/** Optimizers that race down the same surface; a slider stands for time. */
export function raceCard(race, signal) {
  const ways = race.optimizers.map((one, at) => ({ ...one, colour: COLOURS[at % COLOURS.length] }));
  const surface = new Surface(race);
  const length = Math.max(...ways.map((one) => one.xs.length)) - 1;
  const slider = el("input", { type: "range", min: 0, max: length, step: 1, is: { value: 0 } });
  const key = el("ul.legend", { "aria-label": "Optimizers and their error" });
  let running = null;

  const show = (moment) => {
    slider.value = moment;
    surface.draw(ways, moment, race.bottom);
    key.replaceChildren(...ways.map((one) => {
      const dot = el("span.dot");
      dot.style.background = `var(--${one.colour})`;
      return el("li.small", {}, dot, `${one.name} `, el("span.quiet.number", {}, figure(one.losses[Math.min(moment, one.losses.length - 1)])));
    }));
  };
  const stop = () => {
    cancelAnimationFrame(running);
    running = null;
    play.textContent = "Race";
  };
  const run = () => {
    if (running !== null) {
      stop();
      return;
    }
    const from = Number(slider.value) >= length ? 0 : Number(slider.value);
    const begun = performance.now();
    play.textContent = "Pause";
    const frame = (now) => {
      const moment = Math.min(length, Math.floor(from + (Math.max(0, now - begun) / 1000) * (length / SECONDS)));
      show(moment);
      if (moment >= length) stop();
      else running = requestAnimationFrame(frame);
    };
    running = requestAnimationFrame(frame);
  };
  const play = button("Race", run, "main");
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  signal.addEventListener("abort", stop);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(Number(slider.value)), { signal });
  show(0);
  return el(
    "section.card",
    { "aria-label": "Optimizers racing" },
    el("h2", {}, "Who is first at the bottom?"),
    el("p", {}, `Each starts at the same place and takes ${length} steps. Darker is a smaller error; the cross is the smallest.`),
    el("div.surface-box", { role: "img", "aria-label": `Ways of ${ways.map((one) => one.name).join(", ")} over the error by ${race.x_label} and ${race.y_label}` }, surface.canvas),
    el("p.quiet.small", {}, `across: ${race.x_label}; up: ${race.y_label}`),
    key,
    el("div.row.low", {}, play, el("div.grow", {}, field("Step", slider))),
    asTable("As a table", () => tableOf(ways, length)),
  );
}

function tableOf(ways, length) {
  const every = Math.max(1, Math.floor(length / 20));
  const rows = [];
  for (let step = 0; step <= length; step += every) {
    rows.push([step, ...ways.map((one) => one.losses[Math.min(step, one.losses.length - 1)])]);
  }
  return sheet("Error by step", ["Step", ...ways.map((one) => one.name)], rows, { high: true });
}
