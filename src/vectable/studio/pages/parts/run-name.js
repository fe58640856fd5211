/** What a run is called on the pages. */
export function runName(run) {
  return `Run ${run.id}`;
}

/** The same with what it was set to, for menus. */
export function longRunName(run) {
  return run.label ? `${runName(run)}: ${run.label}` : runName(run);
}
