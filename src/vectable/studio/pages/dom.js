/**
 * An element. Text becomes text and never markup.
 * @param {string} kind tag and classes: "p.quiet.small"
 * @param {object} [traits] attributes; `on...` are listeners, `is` are properties (such as `value`); null ones are left out
 * @param {...(Node|string|number|null|Array)} inside children
 */
export function el(kind, traits = {}, ...inside) {
  const [tag, ...classes] = kind.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  for (const [name, value] of Object.entries(traits)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "is") Object.assign(made, value);
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...inside.flat(3).filter((one) => one !== null && one !== undefined && one !== false));
  return made;
}

/** A sentence with `code` between backticks. */
export function withCode(sentence) {
  return sentence.split("`").map((part, at) => (at % 2 ? el("code", {}, part) : part));
}

let ids = 0;

/** An id that no other element has. */
export function freshId(stem) {
  ids += 1;
  return `${stem}-${ids}`;
}

/** Says a sentence to whoever listens instead of looking. */
export function say(sentence) {
  document.getElementById("live").textContent = sentence;
}
