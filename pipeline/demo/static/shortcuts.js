// Keys that work wherever nothing is being typed.

const TOOLS = { b: "pen", e: "eraser", h: "hint", i: "pick", m: "hand" };
const BUTTONS = {
  n: "new", o: "open", d: "samples", l: "make-lines", c: "colorize", v: "vary", r: "shuffle",
  "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", 0: "fit", "?": "help",
};
const LAYERS = { 1: "sketch", 2: "line", 3: "hints" };

export function hearOfKeys({ artwork, tools, undo, redo, click }) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || typing(event.target)) return;
    const key = event.key.toLowerCase();
    const act = event.ctrlKey || event.metaKey ? withControl(key, event.shiftKey) : alone(key);
    if (!act || event.altKey) return;
    event.preventDefault();
    act();
  });

  function withControl(key, shift) {
    if (key === "z") return shift ? redo : undo;
    if (key === "y") return redo;
    if (key === "s") return () => click("save-result");
    return null;
  }

  function alone(key) {
    if (TOOLS[key]) return () => tools.take(TOOLS[key]);
    if (BUTTONS[key]) return () => click(BUTTONS[key]);
    const layer = LAYERS[key];
    if (layer) return () => artwork.show(layer, !artwork.visible[layer]);
    if (key === "[" || key === "]") return () => tools.step(key === "]");
    return null;
  }
}

/** Whether an element takes letters and digits itself. */
function typing(target) {
  const field = target.closest?.("input, textarea, select");
  return field !== null && !["checkbox", "radio", "range", "color", "file"].includes(field?.type);
}
