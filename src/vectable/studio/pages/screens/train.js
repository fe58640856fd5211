import { addressOf } from "../address.js";
import { ask, projectAt, runAt } from "../api.js";
import { el, say } from "../dom.js";
import { figure } from "../format.js";
import { button } from "../parts/fields.js";
import { follow } from "../parts/events.js";
import { heading, notice } from "../parts/notice.js";
import { finderCard } from "../train/finder.js";
import { liveRun } from "../train/live-run.js";
import { runsTable } from "../train/runs.js";
import { settingsForm } from "../train/settings.js";

const GOING = ["waiting", "running"];

/** Train: settings, the finder's curve, the losses as they come, the error beside the baselines, runs side by side. */
export async function show(place) {
  let { project } = place;
  const at = projectAt(project.name);
  const told = el("div");
  const current = el("div");
  const runs = el("div");
  const form = settingsForm(project.settings ?? []);
  const reload = async () => {
    project = await ask(at, { signal: place.signal });
    runs.replaceChildren(runsTable(project, watch, remove));
  };
  const remove = async (run) => {
    await ask(runAt(project.name, run.id), { method: "DELETE" });
    await reload();
  };
  const begin = async (kind) => {
    told.replaceChildren();
    const settings = form.values();
    if (settings === null) return;
    try {
      const run = await ask(`${at}/runs`, { method: "POST", body: { kind, settings }, signal: place.signal });
      say(kind === "finder" ? "The finder tries learning rates." : "Training has begun.");
      watch(run);
    } catch (why) {
      if (why.name !== "AbortError") told.replaceChildren(notice(why.message, "bad"));
    }
  };
  const watch = (run) => {
    const view = run.kind === "finder"
      ? finderCard(run, (rate) => form.set("lr", rate), place.signal)
      : liveRun(project, run, watch, place.signal);
    current.replaceChildren(view.box);
    follow(project.name, run.id, view.add, place.signal).then(async () => {
      if (place.signal.aborted) return;
      view.end(await ask(runAt(project.name, run.id), { signal: place.signal }));
      await reload();
    });
  };

  const hasFinder = (project.settings ?? []).some((one) => one.name === "lr");
  place.main.append(
    heading("Train", "The settings are good to begin with. Training goes on when this page is closed."),
    el(
      "section.card",
      { "aria-label": "Settings" },
      form.box,
      el("div.row", {}, button("Train", () => begin("train"), "main"), hasFinder ? button("Find a learning rate", () => begin("finder")) : null),
    ),
    told,
    current,
    runs,
  );
  runs.append(runsTable(project, watch, remove));
  place.details.append(about(project));
  const going = project.runs.findLast((one) => GOING.includes(one.state));
  const shown = going ?? project.runs.find((one) => one.id === place.address.query.get("run")) ?? project.runs.findLast((one) => one.kind === "train");
  if (shown) watch(shown);
}

function about(project) {
  const facts = [["Rows", project.rows], ["Held out", project.split?.label ?? project.split?.kind]];
  return el(
    "section.card",
    {},
    el("h2", {}, "What is trained on"),
    el("dl.facts", {}, facts.filter(([, value]) => value).map(([name, value]) => [el("dt", {}, name), el("dd", {}, figure(value))])),
    el("p.small", {}, el("a", { href: addressOf(project.name, "data") }, "Change what columns mean")),
  );
}
