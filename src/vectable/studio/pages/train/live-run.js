import { addressOf } from "../address.js";
import { ask, runAt } from "../api.js";
import { el, say } from "../dom.js";
import { figure } from "../format.js";
import { bars } from "../parts/bars.js";
import { chart } from "../parts/chart.js";
import { button } from "../parts/fields.js";
import { notice } from "../parts/notice.js";
import { runName } from "../parts/run-name.js";

const STATES = { waiting: "Waiting", running: "Training", stopped: "Stopped", done: "Done", failed: "Failed" };
const MOST_POINTS = 2000; // of a curve; beyond, every second one is left out

/**
 * A run as it goes: how far it is, its losses, its baselines, and what came out.
 * @param {(run: object) => void} onContinue called with a run that was taken up again
 */
export function liveRun(project, run, onContinue, signal) {
  const steps = { x: [], loss: [] };
  const epochs = { x: [], train: [], valid: [] };
  const state = el("span.tag", { "data-state": run.state }, STATES[run.state]);
  const bar = el("progress", { max: "1", "aria-label": "Progress of training", is: { value: 0 } });
  const line = el("p.quiet.small.number");
  const outcome = el("div.stack.tight");
  const messages = el("div");
  const compared = el("div.stack.tight");
  const stop = button("Stop and keep the work", async () => {
    stop.disabled = true;
    await ask(`${runAt(project.name, run.id)}/stop`, { method: "POST" });
  });
  const losses = chart({
    label: "Loss while training", xLabel: "step", yLabel: "loss", height: 240, signal,
    series: [{ name: "training", colour: "c1" }, { name: "held-out rows", colour: "c2", points: true }],
  });
  const box = el(
    "section.card",
    { "aria-label": runName(run) },
    el("div.row.ends", {}, el("h2", {}, runName(run), " ", state), stop),
    run.label ? el("p.quiet.small", {}, run.label) : null,
    bar, line, losses.box, messages, compared, outcome,
  );
  losses.box.hidden = true;
  let drawing = false;
  let total = 0;

  const draw = () => {
    drawing = false;
    losses.box.hidden = !steps.x.length && !epochs.x.length;
    const at = [...new Set([...steps.x, ...epochs.x])].sort((a, b) => a - b);
    const train = new Map(steps.x.map((x, place) => [x, steps.loss[place]]));
    const valid = new Map(epochs.x.map((x, place) => [x, epochs.valid[place]]));
    if (!steps.x.length) epochs.x.forEach((x, place) => train.set(x, epochs.train[place]));
    losses.update([at, at.map((x) => train.get(x) ?? null), at.map((x) => valid.get(x) ?? null)]);
  };
  const takeStep = (event) => {
    steps.x.push(event.step);
    steps.loss.push(event.loss);
    total = event.steps ?? total;
    if (event.steps) bar.value = event.step / event.steps;
    if (steps.x.length > MOST_POINTS) {
      steps.x = steps.x.filter((_, at) => at % 2 === 0);
      steps.loss = steps.loss.filter((_, at) => at % 2 === 0);
    }
  };
  const takeEpoch = (event) => {
    epochs.x.push(event.step ?? steps.x.at(-1) ?? event.epoch);
    epochs.train.push(event.train_loss ?? null);
    epochs.valid.push(event.valid_loss ?? null);
    if (event.epochs) bar.value = event.epoch / event.epochs;
    const metrics = Object.entries(event.metrics ?? {}).map(([name, value]) => `${name} ${figure(value)}`);
    const loss = event.valid_loss === null || event.valid_loss === undefined ? [] : [`loss of held-out rows ${figure(event.valid_loss)}`];
    line.textContent = [`Epoch ${event.epoch}${event.epochs ? ` of ${event.epochs}` : ""}`, ...loss, ...metrics].join(" · ");
    say(line.textContent);
  };
  const takers = {
    step: takeStep,
    epoch: takeEpoch,
    message: (event) => messages.replaceChildren(el("p.quiet.small", { role: "status" }, event.text)),
  };
  const add = (events, now) => {
    events.forEach((one) => takers[one.type]?.(one));
    show(now);
    if (events.length && !drawing) {
      drawing = true;
      requestAnimationFrame(draw);
    }
  };
  const show = (now) => {
    state.textContent = STATES[now] ?? now;
    state.dataset.state = now;
    state.classList.toggle("on", now === "done" || now === "running");
    const going = now === "running" || now === "waiting";
    stop.hidden = !going;
    bar.hidden = !going;
  };
  const end = (ended) => {
    show(ended.state);
    compared.replaceChildren(...comparison(ended));
    outcome.replaceChildren(...outcomeOf(project, ended, onContinue));
    say(`Training: ${STATES[ended.state]}.`);
  };
  show(run.state);
  return { box, add, end };
}

function comparison(run) {
  if (!run.figure || !run.baselines?.length) return [];
  const rows = [{ name: runName(run), value: run.figure.value }, ...run.baselines].map((one) => ({ ...one, text: figure(one.value) }));
  const rule = run.figure.lower_is_better ? "lower is better" : "higher is better";
  const title = `${run.figure.name}, ${rule}`;
  return [
    el("h3", {}, title),
    bars(rows, title),
    run.sentence ? notice(run.sentence, run.better ? "good" : "") : "",
  ];
}

function outcomeOf(project, run, onContinue) {
  const goOn = button("Continue where it stopped", async () => onContinue(await ask(`${runAt(project.name, run.id)}/continue`, { method: "POST" })));
  if (run.state === "failed") return [notice(run.error ?? "The run ended before it was done. Continue it, or train again.", "bad"), el("p", {}, goOn)];
  if (!run.saved) return run.state === "stopped" ? [el("p", {}, goOn)] : [];
  const next = { ratings: "map", interactions: "map", table: "predict", photographs: "photographs" }[project.task];
  const label = { map: "Walk through the map", predict: "Predict", photographs: "Look at the photographs" }[next];
  return [
    el("p.row", {}, el("a.button.main", { href: addressOf(project.name, next, { run: run.id }) }, label), el("a.button", { href: addressOf(project.name, "take-away", { run: run.id }) }, "Take it away"), run.state === "stopped" ? goOn : null),
  ];
}
