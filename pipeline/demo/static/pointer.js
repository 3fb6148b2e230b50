// Mouse, pen, fingers and keys on the two sides.

import { Stroke } from "./stroke.js";

const STEP = 12; // sheet pixels of an arrow key; 1 with Shift
const LIGHTEST = 0.15; // of the size, with no pressure at all
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Turns what happens on the sides into strokes, picked colours and movements of the sheet. */
export class Pointer {
  #stroke = null;
  #panning = null; // the last pointer event of a pan
  #fingers = new Map(); // pointer id -> last place on the screen
  #keys = { pen: null, at: null }; // a stroke by keys, and where the cursor is
  #space = null; // "held", and "used" once the sheet was moved with it, or by a mouse's user

  /**
   * @param {{artwork, view, tools, history, pick: (place, side) => void, say: (text) => void}} parts
   * @param {Side[]} sides both take strokes: a hint may be put on the result as well
   */
  constructor(parts, sides) {
    Object.assign(this, parts);
    for (const side of sides) this.#listen(side);
    window.addEventListener("keyup", (event) => this.#spaceUp(event));
    window.addEventListener("blur", () => this.#lift());
  }

  /** Whether a stroke is being drawn. */
  get drawing() {
    return this.#stroke !== null || this.#keys.pen !== null;
  }

  #listen(side) {
    const { canvas } = side;
    canvas.addEventListener("pointerdown", (event) => this.#down(event, side));
    canvas.addEventListener("pointermove", (event) => this.#move(event, side));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#up(event));
    canvas.addEventListener("pointerleave", () => this.view.point(null));
    canvas.addEventListener("wheel", (event) => this.#wheel(event, side), { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("keydown", (event) => this.#key(event, side));
    canvas.addEventListener("blur", () => this.#liftKeys());
  }

  #down(event, side) {
    side.canvas.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") {
      this.#fingers.set(event.pointerId, event);
      if (this.#fingers.size > 1) return this.#pinchBegins();
    }
    this.#liftKeys();
    const moves = this.tools.name === "hand" || this.#space || event.button === 1;
    if (moves) {
      this.#panning = event;
      if (this.#space) this.#space = "used";
    } else if (event.button === 0) {
      this.#begin(event, side);
    }
  }

  #begin(event, side) {
    const place = side.place(event);
    if (this.tools.name === "pick" || event.altKey) return this.pick(place, side);
    this.#stroke = new Stroke(this.artwork, this.tools.brush());
    this.#stroke.to(place.x, place.y, this.#pressure(event));
  }

  #move(event, side) {
    if (this.#fingers.has(event.pointerId)) {
      if (this.#fingers.size > 1) return this.#pinch(event, side);
      this.#fingers.set(event.pointerId, event);
    }
    if (this.#panning) {
      this.view.pan(event.clientX - this.#panning.clientX, event.clientY - this.#panning.clientY);
      this.#panning = event;
      return;
    }
    if (this.#stroke) {
      const all = event.getCoalescedEvents?.() ?? [];
      for (const each of all.length ? all : [event]) {
        const place = side.place(each);
        this.#stroke.to(place.x, place.y, this.#pressure(each));
      }
    }
    const hidden = event.pointerType === "touch" || !this.tools.draws;
    this.view.point(hidden ? null : { ...side.place(event), radius: this.tools.size / 2 });
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
    this.#panning = null;
    this.#lift();
  }

  #lift() {
    this.#stroke?.end(this.history);
    this.#stroke = null;
  }

  #pressure(event) {
    if (event.pointerType !== "pen" || !this.tools.pressure) return 1;
    return LIGHTEST + (1 - LIGHTEST) * event.pressure;
  }

  /** A second finger: what the first one drew was not meant. */
  #pinchBegins() {
    this.#stroke?.cancel();
    this.#stroke = this.#panning = null;
  }

  #pinch(event, side) {
    const other = [...this.#fingers].find(([id]) => id !== event.pointerId)[1];
    const last = this.#fingers.get(event.pointerId);
    const apart = (finger) => Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
    const middle = (finger) => ({
      clientX: (finger.clientX + other.clientX) / 2,
      clientY: (finger.clientY + other.clientY) / 2,
    });
    this.view.pan((event.clientX - last.clientX) / 2, (event.clientY - last.clientY) / 2);
    this.view.zoom(apart(event) / Math.max(1, apart(last)), side.place(middle(event)));
    this.#fingers.set(event.pointerId, event);
  }

  #wheel(event, side) {
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (event.shiftKey) return this.view.pan(-event.deltaX * pixels, -event.deltaY * pixels);
    this.view.zoom(Math.exp(-event.deltaY * pixels * (event.ctrlKey ? 0.01 : 0.0015)), side.place(event));
  }

  // Without a pointer: arrows move a cursor, Space puts the pen down and lifts it.

  #key(event, side) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this.#moveBy(arrow, event.shiftKey ? 1 : STEP);
    else if (event.key === "Enter") this.#dot(side);
    else if (event.key === " ") this.#space ??= side.canvas.matches(":focus-visible") ? "held" : "used";
    else return;
    event.preventDefault();
  }

  #spaceUp(event) {
    if (event.key !== " " || !this.#space) return;
    const used = this.#space === "used";
    this.#space = null;
    if (!used && this.tools.draws) this.#togglePen();
  }

  /** Where the keys' cursor is; the middle of the sheet at first. */
  #at() {
    const { width, height } = this.artwork;
    const at = this.#keys.at ?? { x: width / 2, y: height / 2 };
    return { x: Math.min(width, Math.max(0, at.x)), y: Math.min(height, Math.max(0, at.y)) };
  }

  #moveBy([x, y], step) {
    const from = this.#at();
    this.#keys.at = { x: from.x + x * step, y: from.y + y * step };
    const at = (this.#keys.at = this.#at());
    this.#keys.pen?.to(at.x, at.y);
    this.view.point({ ...at, radius: this.tools.size / 2, cross: true });
    this.say(`${Math.round(at.x)}, ${Math.round(at.y)}${this.#keys.pen ? ", pen down" : ""}`);
  }

  #dot(side) {
    const at = this.#at();
    if (this.tools.name === "pick") return this.pick(at, side);
    if (!this.tools.draws || this.#keys.pen) return;
    const stroke = new Stroke(this.artwork, this.tools.brush());
    stroke.to(at.x, at.y);
    stroke.end(this.history);
    this.say(`${this.tools.title}: a dot`);
  }

  #togglePen() {
    if (this.#keys.pen) return this.#liftKeys();
    const at = this.#at();
    this.#keys.pen = new Stroke(this.artwork, this.tools.brush());
    this.#keys.pen.to(at.x, at.y);
    this.say(`${this.tools.title} down`);
  }

  #liftKeys() {
    if (!this.#keys.pen) return;
    this.#keys.pen.end(this.history);
    this.#keys.pen = null;
    this.say(`${this.tools.title} lifted`);
  }
}
