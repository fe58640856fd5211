import { el } from "../dom.js";

/** A sentence that stands out: "", "good" or "bad"; a bad one is announced at once. */
export function notice(sentence, tone = "", ...more) {
  return el(tone ? `div.notice.${tone}` : "div.notice", { role: tone === "bad" ? "alert" : null }, el("p", {}, sentence), more);
}

/** The notes of an answer, such as unknown names. */
export function notesOf(notes) {
  if (!notes?.length) return null;
  return el("div.notice", { role: "status" }, notes.map((one) => el("p", {}, one.text)));
}

/** The heading of a screen: its title and a sentence. */
export function heading(title, sentence) {
  return el("header.head", {}, el("h1", { tabindex: "-1" }, title), sentence ? el("p.lead", {}, sentence) : null);
}
