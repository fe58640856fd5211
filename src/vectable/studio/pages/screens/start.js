import { addressOf } from "../address.js";
import { ask, projectAt, send, withQuery } from "../api.js";
import { el, say } from "../dom.js";
import { bytes, count, counted, moment } from "../format.js";
import { button, field } from "../parts/fields.js";
import { heading, notice } from "../parts/notice.js";

export const TASKS = {
  ratings: "Ratings",
  interactions: "Orders, plays, clicks",
  table: "Table to predict",
  photographs: "Photographs",
};

function nameFrom(label) {
  const stem = label.replace(/\.[a-z0-9]+$/i, "").replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "");
  return stem.slice(0, 60) || "project";
}

function freeName(wanted, projects) {
  const taken = new Set(projects.map((one) => one.name));
  let name = wanted;
  for (let at = 2; taken.has(name); at += 1) name = `${wanted}-${at}`;
  return name;
}

function open(name) {
  location.hash = addressOf(name, "data");
}

/** Start: a file, a data set that ships, a folder of this computer, or a project of before. */
export async function show({ main, details, signal }) {
  const start = await ask("/api/start", { signal });
  const told = el("div");
  const refuse = (why) => {
    if (why.name === "AbortError") return;
    told.replaceChildren(notice(why.message, "bad"));
  };
  const create = async (wanted, body) => {
    told.replaceChildren(notice("Opening…"));
    try {
      const made = await ask("/api/projects", { method: "POST", body: { name: freeName(nameFrom(wanted), start.projects), ...body } });
      open(made.name);
    } catch (why) {
      refuse(why);
    }
  };

  main.append(
    heading("What do your data know?", "Drop a table or photographs, and see what a model learns from them. Everything stays on this computer."),
    dropZone(start, told, refuse),
    told,
    start.projects.length ? el("section.stack.tight", { "aria-labelledby": "recent" }, el("h2", { id: "recent" }, "Go on with"), projectCards(start.projects)) : "",
    el("section.stack.tight", { "aria-labelledby": "shipped" }, el("h2", { id: "shipped" }, "Or try data that come with it"), dataSetCards(start.datasets, create)),
  );
  details.append(folderCard(start, create));
}

function dropZone(start, told, refuse) {
  const input = el("input.unseen", { type: "file", id: "file", accept: ".csv,.tsv,.txt,.parquet,.arrow,.feather,.zip,.dat,.data" });
  const choose = el("label.button.main", { for: "file" }, "Choose a file");
  const zone = el(
    "div.drop",
    {},
    el("strong", {}, "Drop a file here"),
    el("p.quiet", {}, "A CSV export, a Parquet file, or a zip of photographs in folders named by what they show"),
    input,
    choose,
    el("p.quiet.small", {}, `Up to ${bytes(start.limits.upload_bytes)}`),
  );
  const take = (file) => file && upload(file, start, told, refuse);
  input.addEventListener("change", () => take(input.files[0]));
  input.addEventListener("keydown", (event) => event.key === "Enter" && input.click());
  input.addEventListener("focus", () => choose.classList.toggle("focused", input.matches(":focus-visible")));
  input.addEventListener("blur", () => choose.classList.remove("focused"));
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  return zone;
}

async function upload(file, start, told, refuse) {
  if (file.size > start.limits.upload_bytes) {
    refuse(new Error(`${file.name} has ${bytes(file.size)}; the studio takes up to ${bytes(start.limits.upload_bytes)}. Export fewer rows or columns, or write Parquet.`));
    return;
  }
  const bar = el("progress", { max: "1", "aria-label": `Sending ${file.name}`, is: { value: 0 } });
  told.replaceChildren(el("div.notice", {}, el("p", {}, `Sending ${file.name}, ${bytes(file.size)}`), bar));
  const name = freeName(nameFrom(file.name), start.projects);
  let made = null;
  try {
    made = await ask("/api/projects", { method: "POST", body: { name } });
    await send(withQuery(`${projectAt(made.name)}/file`, { label: file.name }), file, (share) => { bar.value = share; });
    say(`${file.name} is here.`);
    open(made.name);
  } catch (why) {
    if (made) await ask(projectAt(made.name), { method: "DELETE" }).catch(() => null);
    refuse(why);
  }
}

function projectCards(projects) {
  const card = (one) =>
    el(
      "li.card.choice",
      {},
      el("h3", {}, el("a", { href: addressOf(one.name, one.runs ? "train" : "data") }, one.name)),
      el("p.quiet.small", {}, [TASKS[one.task], one.rows ? counted(one.rows, "row") : null].filter(Boolean).join(" · ")),
      el("p.quiet.small", {}, `${counted(one.runs, "run")} · ${moment(one.changed)}`),
    );
  return el("ul.cards", {}, projects.map(card));
}

function dataSetCards(datasets, create) {
  const card = (one) =>
    el(
      "li.card.choice",
      {},
      el("h3", {}, el("button.link", { type: "button", onclick: () => create(one.name, { dataset: one.name }) }, one.label)),
      one.about ? el("p.quiet.small", {}, one.about) : null,
      el("p", {}, el("span.tag", {}, TASKS[one.task] ?? one.task), one.rows ? el("span.quiet.small", {}, `  ${count(one.rows)} rows`) : null),
    );
  return el("ul.cards", {}, datasets.map(card));
}

function folderCard(start, create) {
  const path = el("input", { type: "text", placeholder: "/home/ada/photographs", spellcheck: "false", autocomplete: "off" });
  const take = () => path.value.trim() && create(path.value.trim().split(/[\\/]/).filter(Boolean).at(-1) ?? "folder", { folder: path.value.trim() });
  path.addEventListener("keydown", (event) => event.key === "Enter" && take());
  return el(
    "section.card",
    {},
    el("h2", {}, "On this computer"),
    field("A folder of photographs, a file, or a saved model", path, "Its full path. Nothing is copied elsewhere."),
    button("Open", take),
    el("p.quiet.small", {}, `Projects are kept in ${start.folder}`),
  );
}
