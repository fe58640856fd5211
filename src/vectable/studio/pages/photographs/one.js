import { ask } from "../api.js";
import { el } from "../dom.js";
import { bars } from "../parts/bars.js";
import { check } from "../parts/fields.js";

const MOST_CLASSES = 6;

/** One photograph: its probabilities, what decided it over the picture, and those alike. */
export function photographCard(one, classes, images, onChoose, signal) {
  const rows = classes
    .map((name, at) => ({ name, value: one.probabilities[at] }))
    .sort((a, b) => b.value - a.value)
    .slice(0, MOST_CLASSES)
    .map((row) => ({ ...row, text: `${Math.round(row.value * 100)} %` }));
  const alike = el("div");
  if (one.alike) showAlike(one, images, alike, onChoose, signal);
  const isRight = one.class === one.predicted;
  return el(
    "section.card",
    { "aria-label": "One photograph" },
    el("h2", {}, one.name),
    pictureOf(one),
    el("p", {}, isRight ? `Seen as ${one.predicted}, which is right.` : `Seen as ${one.predicted}; it is ${one.class}.`),
    bars(rows, "Probabilities", 1),
    alike,
  );
}

function pictureOf(one) {
  const picture = el("img", { src: one.picture ?? one.thumbnail, alt: `${one.name}, ${one.class}` });
  if (!one.decided) return el("div.picture", {}, picture);
  const over = el("img.decided", { src: one.decided, alt: "Where the decision came from", hidden: true });
  return el("div.stack.tight", {}, el("div.picture", {}, picture, over), check("Show what decided it", false, (value) => { over.hidden = !value; }));
}

async function showAlike(one, images, at, onChoose, signal) {
  const got = await ask(one.alike, { signal });
  const found = got.images.map((id) => (typeof id === "object" ? id : images.find((other) => other.id === id))).filter(Boolean);
  if (!found.length) return;
  at.replaceChildren(
    el("h3", {}, "Alike, by what the model sees"),
    el("div.thumbs.few", {}, found.map((other) => el("button.thumb", { type: "button", onclick: () => onChoose(other) }, el("img", { src: other.thumbnail, alt: `${other.name}, ${other.class}`, width: 64, height: 64 })))),
  );
}
