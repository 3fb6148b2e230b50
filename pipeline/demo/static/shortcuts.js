// Keyboard shortcuts, which work unless a text is being typed.

const TOOLS = { b: "pen", e: "eraser", h: "hint", i: "eyedropper", m: "move" };
const BUTTONS = {
  n: "new", o: "open", d: "samples", l: "make-lines", c: "colorize", v: "make-variations", r: "random-seed",
  "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", 0: "fit", "?": "help",
};
const LAYERS = { 1: "sketch", 2: "line", 3: "hints" };

export function bindShortcuts({ artwork, tools, undo, redo, click }) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || isTyping(event.target)) return;
    const key = event.key.toLowerCase();
    const action = event.ctrlKey || event.metaKey ? controlAction(key, event.shiftKey) : keyAction(key);
    if (!action || event.altKey) return;
    event.preventDefault();
    action();
  });

  function controlAction(key, shift) {
    if (key === "z") return shift ? redo : undo;
    if (key === "y") return redo;
    if (key === "s") return () => click("save-result");
    return null;
  }

  function keyAction(key) {
    if (TOOLS[key]) return () => tools.select(TOOLS[key]);
    if (BUTTONS[key]) return () => click(BUTTONS[key]);
    const layer = LAYERS[key];
    if (layer) return () => artwork.setVisible(layer, !artwork.visible[layer]);
    if (key === "[" || key === "]") return () => tools.stepSize(key === "]");
    return null;
  }
}

/** Return whether an element takes letters and digits itself. */
function isTyping(target) {
  const field = target.closest?.("input, textarea, select");
  return field !== null && !["checkbox", "radio", "range", "color", "file"].includes(field?.type);
}
