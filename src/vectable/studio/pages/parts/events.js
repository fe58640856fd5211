import { ask, runAt, withQuery } from "../api.js";

/**
 * Follows what a run says, until it ends or the screen is left. It asks again after what it has, so nothing is lost
 * when the page was closed meanwhile.
 * @param {(events: object[], state: string) => void} onEvents
 */
export async function follow(project, run, onEvents, signal) {
  let after = 0;
  let failures = 0;
  while (!signal.aborted) {
    let answer;
    try {
      answer = await ask(withQuery(`${runAt(project, run)}/events`, { after }), { signal });
      failures = 0;
    } catch (why) {
      if (signal.aborted) return;
      failures += 1;
      if (failures > 5) throw why;
      await new Promise((resolve) => setTimeout(resolve, 500 * failures));
      continue;
    }
    if (signal.aborted) return;
    onEvents(answer.events, answer.state);
    const isOver = !["waiting", "running"].includes(answer.state);
    if (isOver && !answer.events.length) return;
    after = answer.next;
  }
}
