// Which tool is held, how large it is, which colour it has.

export const SIZES = { pen: 5, eraser: 30, hint: 16, pick: 1, hand: 1 }; // sheet pixels, at first
const NAMES = { pen: "Pen", eraser: "Eraser", hint: "Colour hint", pick: "Eyedropper", hand: "Move" };

/** Says `change`. */
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
    return NAMES[this.name];
  }

  /** Whether it has a size. */
  get draws() {
    return this.name === "pen" || this.name === "eraser" || this.name === "hint";
  }

  take(name) {
    this.name = name;
    const { artwork } = this;
    if (name === "hint") artwork.activate("hints");
    if (name === "pen" && artwork.active === "hints") artwork.activate("line");
    this.#changed();
  }

  resize(size) {
    this.sizes[this.name] = Math.min(60, Math.max(1, Math.round(size)));
    this.#changed();
  }

  /** A quarter larger or smaller, by a pixel at least. */
  step(larger) {
    this.resize(larger ? Math.max(this.size + 1, this.size * 1.25) : Math.min(this.size - 1, this.size * 0.8));
  }

  dye(color) {
    this.color = color;
    this.#changed();
  }

  /** What a stroke is drawn with. */
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

/** Buttons of one choice, by mouse and by arrow keys (the ARIA radio group). */
export function radioGroup(group, buttons, choose) {
  const act = (button) => {
    choose(button);
    button.focus();
  };
  for (const button of buttons) button.addEventListener("click", () => choose(button));
  group.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const at = buttons.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    act(buttons[(at + step + buttons.length) % buttons.length]);
  };
}

/** Marks one of them; it alone is reached with Tab. */
export function check(buttons, chosen) {
  for (const button of buttons) {
    button.setAttribute("aria-checked", String(button === chosen));
    button.tabIndex = button === (chosen ?? buttons[0]) ? 0 : -1;
  }
}
