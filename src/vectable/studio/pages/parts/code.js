import { el, say } from "../dom.js";

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    const range = document.createRange();
    range.selectNodeContents(button.closest(".code").querySelector("pre"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = "Selected";
  }
  say(`${button.textContent}.`);
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

/** Code with a title and a button that copies it. */
export function codeBlock(title, text) {
  const button = el("button.button.plain.slim", { type: "button", "aria-label": `Copy: ${title}` }, "Copy");
  button.addEventListener("click", () => copy(text, button));
  return el("div.code", {}, el("div", {}, el("h3", {}, title), button), el("pre", { tabindex: "0", "aria-label": title }, text));
}
