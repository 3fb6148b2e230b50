// The selected tool, its size and its colour.

export const SIZES = { pen: 5, eraser: 30, hint: 16, eyedropper: 1, move: 1 }; // initial, in sheet pixels
const TITLES = { pen: "Pen", eraser: "Eraser", hint: "Colour hint", eyedropper: "Eyedropper", move: "Move" };

/** The tools. Dispatches `change`. */
export class Tools extends EventTarget {
  name = "pen";
  color = "#d8343f";
  pressure = true;
  sizes = { ...SIZES };

  constructor(artwork) {
    super();
    this.artwork = artwork;
  }

  get size() {
    return this.sizes[this.name];
  }

  get title() {
    return TITLES[this.name];
  }

  /** Whether the tool draws strokes, and so has a size. */
  get isBrush() {
    return this.name === "pen" || this.name === "eraser" || this.name === "hint";
  }

  select(name) {
    this.name = name;
    const { artwork } = this;
    if (name === "hint") artwork.setActiveLayer("hints");
    if (name === "pen" && artwork.active === "hints") artwork.setActiveLayer("line");
    this.#changed();
  }

  setSize(size) {
    this.sizes[this.name] = Math.min(60, Math.max(1, Math.round(size)));
    this.#changed();
  }

  /** Make the tool a quarter larger, or a fifth smaller; by a pixel at least. */
  stepSize(larger) {
    this.setSize(larger ? Math.max(this.size + 1, this.size * 1.25) : Math.min(this.size - 1, this.size * 0.8));
  }

  setColor(color) {
    this.color = color;
    this.#changed();
  }

  /** Return the brush for a stroke. */
  brush() {
    const erases = this.name === "eraser";
    const layer = this.name === "hint" ? "hints" : this.artwork.active;
    const color = this.name === "hint" ? this.color : "#000";
    return { layer, size: this.size, color, erases };
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Make buttons an ARIA radio group; clicks and arrow keys call `onSelect(button)`. */
export function bindRadioGroup(group, buttons, onSelect) {
  const selectAndFocus = (button) => {
    onSelect(button);
    button.focus();
  };
  for (const button of buttons) button.addEventListener("click", () => onSelect(button));
  group.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const index = buttons.indexOf(document.activeElement);
    if (!step || index < 0) return;
    event.preventDefault();
    selectAndFocus(buttons[(index + step + buttons.length) % buttons.length]);
  };
}

/** Mark one of the buttons of a radio group as checked, the only one that Tab reaches. */
export function setChecked(buttons, checked) {
  for (const button of buttons) {
    button.setAttribute("aria-checked", String(button === checked));
    button.tabIndex = button === (checked ?? buttons[0]) ? 0 : -1;
  }
}
