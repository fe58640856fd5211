/** The studio: shows the screen that the address names, in the frame. */
import { readAddress, STEPS } from "./address.js";
import { ask, projectAt } from "./api.js";
import { el, say } from "./dom.js";
import { showSame } from "./parts/same.js";
import { showSteps } from "./parts/steps.js";
import { notice } from "./parts/notice.js";
import { runChoice } from "./parts/run-choice.js";

const SCREENS = {
  start: () => import("./screens/start.js"),
  data: () => import("./screens/data.js"),
  train: () => import("./screens/train.js"),
  map: () => import("./screens/map.js"),
  recommend: () => import("./screens/recommend.js"),
  predict: () => import("./screens/predict.js"),
  photographs: () => import("./screens/photographs.js"),
  "take-away": () => import("./screens/take-away.js"),
  lesson: () => import("./screens/lesson.js"),
};

const main = document.getElementById("main");
const details = document.getElementById("details");
const where = document.getElementById("where");
let leaving = new AbortController();

/**
 * What a screen is given.
 * @typedef {object} Place
 * @property {{project: string|null, step: string, query: URLSearchParams}} address
 * @property {object|null} project as the server tells it
 * @property {object|null} run the one that the address names, else the last with a model
 * @property {HTMLElement} main
 * @property {HTMLElement} details
 * @property {AbortSignal} signal aborted when the screen is left
 */

function runOf(project, query) {
  if (!project) return null;
  const named = project.runs.find((one) => one.id === query.get("run"));
  return named ?? project.runs.findLast((one) => one.saved) ?? project.runs.at(-1) ?? null;
}

async function show(moved) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  main.removeAttribute("data-shown");
  main.removeAttribute("data-failed");
  const address = readAddress(location.hash);
  const title = STEPS.find((one) => one.step === address.step).title;
  try {
    const [screen, project] = await Promise.all([
      SCREENS[address.step](),
      address.project ? ask(projectAt(address.project), { signal }) : null,
    ]);
    if (signal.aborted) return;
    const run = runOf(project, address.query);
    showSteps(address, project, run);
    where.replaceChildren(...(project ? [el("span", {}, project.label || project.name), runChoice(address, project, run)] : []).filter(Boolean));
    document.title = project ? `${title} · ${project.name} · Studio` : `${title} · Studio`;
    main.replaceChildren();
    details.replaceChildren();
    const place = { address, project, run, main, details, signal };
    await screen.show(place);
    if (signal.aborted) return;
    main.setAttribute("data-shown", address.step);
    if (moved) focusHeading();
    await showSame(place);
  } catch (why) {
    if (signal.aborted) return;
    showSteps({ ...address, project: null }, null, null);
    main.replaceChildren(
      el("h1", { tabindex: "-1" }, "This cannot be shown"),
      notice(why.message, "bad"),
      el("p", {}, el("a", { href: "#/start" }, "Back to the start")),
    );
    details.replaceChildren();
    main.setAttribute("data-failed", address.step);
  }
}

function focusHeading() {
  window.scrollTo(0, 0);
  const heading = main.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener("hashchange", () => show(true));
window.addEventListener("studio:refresh", () => show(false));
window.addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name === "AbortError") event.preventDefault();
  else if (event.reason?.status !== undefined) {
    event.preventDefault();
    main.prepend(notice(event.reason.message, "bad"));
    say(event.reason.message);
  }
});
show(false);
