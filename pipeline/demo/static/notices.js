// Messages to the user: in the status line, or as notices.

const NOTICE_MS = 9000; // after which a notice that is no error closes

const status = document.getElementById("status");
const container = document.getElementById("notices");

/** Show a text in the status line. */
export function setStatus(text) {
  status.textContent = text;
}

/**
 * Show a notice. Errors stay until they are closed, others close by themselves.
 * @param {string} text
 * @param {{isError?: boolean, topic?: string, action?: {label: string, onClick: () => void}}} options
 */
export function notify(text, { isError = false, topic = "", action = null } = {}) {
  for (const old of container.children) if (old.dataset.text === text) old.remove();
  const box = element("div", { className: isError ? "notice error" : "notice" });
  Object.assign(box.dataset, { text, topic });
  box.append(element("p", { textContent: text }));
  if (action) {
    const button = element("button", { textContent: action.label });
    button.addEventListener("click", () => {
      box.remove();
      action.onClick();
    });
    box.append(button);
  }
  box.append(closeButton(box));
  container.append(box);
  while (container.children.length > 3) container.firstChild.remove();
  if (!isError) setTimeout(() => box.remove(), NOTICE_MS);
}

/** Show an error; `clearNotices` closes those of a topic. */
export const showError = (error, topic) => notify(error.message, { isError: true, topic });

/** Close the notices of a topic; to be called when it works, or they no longer apply. */
export function clearNotices(topic) {
  for (const box of [...container.children]) if (box.dataset.topic === topic) box.remove();
}

function closeButton(box) {
  const button = element("button", { className: "icon" });
  button.setAttribute("aria-label", "Close");
  button.append(icon("close"));
  button.addEventListener("click", () => box.remove());
  return button;
}

/** Create an element with properties and children. */
export function element(name, properties = {}, ...children) {
  const created = Object.assign(document.createElement(name), properties);
  created.append(...children);
  return created;
}

/** Create one of the page's icons. */
export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}
