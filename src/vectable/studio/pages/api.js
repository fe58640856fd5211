/** The server refused, or could not be reached; the message is a sentence for the user. */
export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

const GONE = "The studio's server does not answer. Is the command still running? Nothing is lost; start it again and reload.";

async function refusalOf(answer) {
  let sentence = `The server answered ${answer.status}.`;
  try {
    const problem = await answer.json();
    if (typeof problem.detail === "string") sentence = problem.detail;
  } catch {
    // The answer is no JSON: its status says what can be said.
  }
  return new Refusal(answer.status, sentence);
}

async function fetched(path, { method = "GET", body, raw, signal } = {}) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? raw : JSON.stringify(body), signal });
  } catch (why) {
    if (why.name === "AbortError") throw why;
    throw new Refusal(0, GONE);
  }
  if (!answer.ok) throw await refusalOf(answer);
  return answer;
}

/**
 * Asks the server; the answer is JSON.
 * @param {string} path such as "/api/start"
 * @param {{method?: string, body?: object, raw?: Blob|string, signal?: AbortSignal}} [how]
 */
export async function ask(path, how) {
  const answer = await fetched(path, how);
  return answer.status === 204 ? null : answer.json();
}

/** The same where the answer is a text. */
export async function askText(path, how) {
  return (await fetched(path, how)).text();
}

/**
 * Sends a file and says how far it is.
 * @param {(share: number) => void} onProgress from 0 to 1
 */
export function send(path, file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "text";
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("error", () => reject(new Refusal(0, GONE)));
    request.addEventListener("abort", () => reject(new DOMException("left", "AbortError")));
    request.addEventListener("load", async () => {
      const answer = new Response(request.responseText, { status: request.status });
      if (answer.ok) resolve(await answer.json());
      else reject(await refusalOf(answer));
    });
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

const segment = encodeURIComponent;

/** Addresses of a project and of a run. */
export const projectAt = (project) => `/api/projects/${segment(project)}`;
export const runAt = (project, run) => `${projectAt(project)}/runs/${segment(run)}`;

/** The address of a model under serving's routes. */
export const modelAt = (model) => `/v1/models/${segment(model)}`;

/** A path with a query; what is null or empty is left out. */
export function withQuery(path, query) {
  const known = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return known.length ? `${path}?${new URLSearchParams(known)}` : path;
}
