/** The steps in their order; `project` says whether a step is of a project, `of` of which tasks (all without it). */
export const STEPS = [
  { step: "start", title: "Start", project: false },
  { step: "data", title: "Data", project: true },
  { step: "train", title: "Train", project: true },
  { step: "map", title: "Map", project: true, of: ["ratings", "interactions", "table"] },
  { step: "recommend", title: "Recommend", project: true, of: ["ratings", "interactions"] },
  { step: "predict", title: "Predict", project: true, of: ["ratings", "table"] },
  { step: "photographs", title: "Photographs", project: true, of: ["photographs"] },
  { step: "take-away", title: "Take away", project: true },
  { step: "lesson", title: "Lesson", project: false },
];

/**
 * Where an address leads: "#/start", "#/p/SHOP/train?run=r1". What cannot be read leads to the start.
 * @returns {{project: string|null, step: string, query: URLSearchParams}}
 */
export function readAddress(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const asked = { project: null, step: "start", query: new URLSearchParams(query) };
  let parts;
  try {
    parts = path.split("/").map(decodeURIComponent);
  } catch {
    return asked;
  }
  if (parts[0] === "p" && parts[1]) {
    const found = STEPS.find((one) => one.step === parts[2] && one.step !== "start");
    return { ...asked, project: parts[1], step: found ? found.step : "data" };
  }
  return { ...asked, step: parts[0] === "lesson" ? "lesson" : "start" };
}

/** The address of a step. */
export function addressOf(project, step, query = {}) {
  const known = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const tail = known.length ? `?${new URLSearchParams(known)}` : "";
  return project ? `#/p/${encodeURIComponent(project)}/${step}${tail}` : `#/${step}${tail}`;
}

/** Changes the address without showing the screen afresh, so that it can be copied. */
export function noteInAddress(place, changes) {
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") place.address.query.delete(name);
    else place.address.query.set(name, value);
  }
  history.replaceState(null, "", addressOf(place.address.project, place.address.step, Object.fromEntries(place.address.query)));
}
