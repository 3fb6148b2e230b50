// What the page says: in its status line in passing, in a box where somebody must read it.

const PASSING = 9000; // ms that a box stays which is no error

const status = document.getElementById("status");
const boxes = document.getElementById("notices");

/** Says something in passing. */
export function say(text) {
  status.textContent = text;
}

/**
 * Shows a box. Errors stay until they are put away, the others go by themselves.
 * @param {string} text
 * @param {{bad?: boolean, about?: string, action?: {label: string, act: () => void}}} options
 */
export function notify(text, { bad = false, about = "", action = null } = {}) {
  for (const old of boxes.children) if (old.dataset.text === text) old.remove();
  const box = element("div", { className: bad ? "notice bad" : "notice" });
  Object.assign(box.dataset, { text, about });
  box.append(element("p", { textContent: text }));
  if (action) {
    const button = element("button", { textContent: action.label });
    button.addEventListener("click", () => {
      box.remove();
      action.act();
    });
    box.append(button);
  }
  box.append(closing(box));
  boxes.append(box);
  while (boxes.children.length > 3) boxes.firstChild.remove();
  if (!bad) setTimeout(() => box.remove(), PASSING);
}

/** Shows an error; `about` says of what, for `settle`. */
export const complain = (error, about) => notify(error.message, { bad: true, about });

/** Puts errors about something away: it has been tried again and went well. */
export function settle(about) {
  for (const box of [...boxes.querySelectorAll(".bad")]) if (box.dataset.about === about) box.remove();
}

function closing(box) {
  const button = element("button", { className: "icon" });
  button.setAttribute("aria-label", "Close");
  button.append(icon("close"));
  button.addEventListener("click", () => box.remove());
  return button;
}

/** A new element with properties. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** One of the page's own drawings. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}
