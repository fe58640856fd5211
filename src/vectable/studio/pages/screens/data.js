import { addressOf } from "../address.js";
import { ask, projectAt } from "../api.js";
import { el, say } from "../dom.js";
import { count, counted, figure } from "../format.js";
import { button, check, field, menu } from "../parts/fields.js";
import { heading, notice } from "../parts/notice.js";
import { asTable, sheet } from "../parts/table.js";
import { TASKS } from "./start.js";

const SEPARATORS = [
  { value: ",", label: "Comma" },
  { value: ";", label: "Semicolon" },
  { value: "\t", label: "Tab" },
  { value: "|", label: "Bar" },
  { value: "::", label: "Two colons" },
];

/** Data: what each column was taken for and why, what is odd, the task, and what is held out. */
export async function show(place) {
  let { project } = place;
  const told = el("div");
  const change = async (changes) => {
    told.replaceChildren(notice("Reading again…"));
    try {
      project = await ask(projectAt(project.name), { method: "PATCH", body: changes, signal: place.signal });
    } catch (why) {
      if (why.name === "AbortError") return;
      draw();
      told.replaceChildren(notice(why.message, "bad"));
      return;
    }
    const focused = document.activeElement?.dataset?.keep;
    draw();
    told.replaceChildren();
    if (focused) place.main.querySelector(`[data-keep="${CSS.escape(focused)}"]`)?.focus();
    say("Read again.");
    window.dispatchEvent(new CustomEvent("studio:project"));
  };
  const draw = () => {
    if (!project.task) {
      place.main.replaceChildren(heading(project.name, "There is no file in this project yet."), told, el("p", {}, el("a.button.main", { href: addressOf(null, "start") }, "Choose one")));
      place.details.replaceChildren(...aside(project, change));
      return;
    }
    const facts = [project.rows ? counted(project.rows, "row") : null, project.columns?.length ? counted(project.columns.length, "column") : null];
    place.main.replaceChildren(
      heading(project.label || project.name, facts.filter(Boolean).join(", ")),
      told,
      ...taskAndProblems(project, change),
      project.columns?.length ? columnsTable(project, change) : "",
      project.classes?.length ? classesTable(project) : "",
      ...(project.notes ?? []).map((text) => notice(text)),
      isFatal(project) ? "" : el("p", {}, el("a.button.main", { href: addressOf(project.name, "train") }, "Go on to training")),
    );
    place.details.replaceChildren(...aside(project, change));
  };
  draw();
}

function taskAndProblems(project, change) {
  const choices = project.tasks ?? Object.entries(TASKS).map(([value, label]) => ({ value, label }));
  const { suggested } = project;
  const same = suggested && suggested.task === project.task;
  const why = suggested ? (same ? suggested.why : `Suggested: ${TASKS[suggested.task]}. ${suggested.why}`) : null;
  const task = field("These are", menu(choices, project.task, (value) => change({ task: value }), { "data-keep": "task" }), why);
  return [el("section.card", { "aria-label": "Task" }, task), problemsOf(project)];
}

function isFatal(project) {
  return (project.problems ?? []).some((one) => one.kind === "fatal");
}

function problemsOf(project) {
  if (!project.problems?.length) return project.source === "table" ? notice("Every row can be read.", "good") : "";
  const lines = project.problems.map((one) =>
    el(
      "li",
      {},
      el("p", {}, `${one.text} `, one.count ? el("span.tag", {}, counted(one.count, "row")) : null),
      one.rows?.length ? asTable("Which", () => sheet(one.text, ["line", "what it says"], one.rows.map((row) => [count(row.line), row.text]), { high: true })) : null,
    ),
  );
  return el(isFatal(project) ? "section.notice.bad" : "section.notice", { "aria-label": "Rows to look at" }, el("ul.plain.stack.tight", {}, lines));
}

function classesTable(project) {
  return sheet("Photographs of each class", ["Class", "Photographs"], project.classes.map((one) => [one.name, one.count]));
}

function columnsTable(project, change) {
  const kinds = (column) => project.roles?.[column.name] ?? [{ value: column.role, label: column.role }];
  const rows = project.columns.map((one) => [
    one.name,
    el(
      "div",
      {},
      menu(kinds(one), one.role, (value) => change({ roles: { [one.name]: value } }), { class: "slim", "aria-label": `${one.name} is taken for`, "data-keep": `role ${one.name}` }),
      el("p.hint", {}, one.named ? "chosen by you" : one.why),
    ),
    el("span.examples", {}, (one.examples ?? []).map((value) => el("code", {}, String(value)))),
    one.missing ? figure(one.missing) : "none",
    figure(one.unique),
  ]);
  return el("section.columns", { "aria-label": "Columns" }, sheet("What each column was taken for", ["Column", "Taken for, and why", "Values", "Missing", "Different"], rows));
}

function aside(project, change) {
  const cards = [];
  if (project.split) {
    const choices = project.split.choices ?? [];
    const control = choices.length > 1
      ? field("To test on, it holds out", menu(choices, project.split.kind, (value) => change({ split: value }), { "data-keep": "split" }), project.split.why)
      : el("p.small", {}, project.split.why);
    cards.push(el("section.card", {}, el("h2", {}, "Tested on"), control));
  }
  if (project.separator) {
    const known = SEPARATORS.some((one) => one.value === project.separator);
    const choices = known ? SEPARATORS : [...SEPARATORS, { value: project.separator, label: project.separator }];
    cards.push(
      el(
        "section.card",
        {},
        el("h2", {}, "How it is read"),
        field("Between the columns", menu(choices, project.separator, (value) => change({ separator: value }), { "data-keep": "separator" })),
        check("The first line has the names", project.header, (value) => change({ header: value }), { "data-keep": "header" }),
      ),
    );
  }
  const remove = button("Delete this project", async () => {
    if (remove.dataset.sure) {
      await ask(projectAt(project.name), { method: "DELETE" });
      location.hash = addressOf(null, "start");
    }
    remove.dataset.sure = "yes";
    remove.textContent = "Press again to delete it with its runs";
  }, "plain slim");
  return [...cards, remove];
}
