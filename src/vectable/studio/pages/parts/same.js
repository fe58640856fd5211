import { ask, projectAt, runAt, withQuery } from "../api.js";
import { el } from "../dom.js";
import { codeBlock } from "./code.js";
import { notice } from "./notice.js";

function commandsAt({ address, run }) {
  if (!address.project || address.step === "lesson") return "/api/commands";
  return run ? `${runAt(address.project, run.id)}/commands` : `${projectAt(address.project)}/commands`;
}

/** "The same in Python" and "The same by command" of a screen. */
export async function showSame(place) {
  const at = document.getElementById("same");
  let commands;
  try {
    commands = await ask(withQuery(commandsAt(place), { screen: place.address.step }), { signal: place.signal });
  } catch (why) {
    if (!place.signal.aborted) at.replaceChildren(notice(why.message));
    return;
  }
  if (place.signal.aborted) return;
  at.replaceChildren(
    el(
      "section.stack.tight",
      { "aria-label": "Without the studio" },
      commands.python ? codeBlock("The same in Python", commands.python) : null,
      commands.command ? codeBlock("The same by command", commands.command) : null,
    ),
  );
}
