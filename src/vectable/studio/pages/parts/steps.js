import { addressOf, STEPS } from "../address.js";
import { el } from "../dom.js";

/** The steps on the left: those of the project's task, and those that need none. */
export function showSteps(address, project, run) {
  const query = run && address.query.get("run") ? { run: run.id } : {};
  const items = STEPS.filter((one) => !project || !one.of || one.of.includes(project.task)).map((one) => {
    const apart = one.step === "lesson" || one.step === "data" ? "li.apart" : "li";
    if (one.project && !project) {
      return el(apart, {}, el("span.later", { title: "Open a project first" }, one.title));
    }
    const current = one.step === address.step ? "step" : null;
    const of = one.step === "start" ? null : address.project;
    const to = addressOf(of, one.step, one.project ? query : {});
    return el(apart, {}, el("a", { href: to, "aria-current": current }, one.title));
  });
  const nav = document.getElementById("steps");
  nav.replaceChildren(el("ol", {}, items));
  const current = nav.querySelector("[aria-current]");
  if (current && nav.scrollWidth > nav.clientWidth) nav.scrollLeft = current.offsetLeft - nav.clientWidth / 3;
}
