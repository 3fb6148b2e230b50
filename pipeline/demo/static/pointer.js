// Mouse, pen, touch and keys on the drawing and the result.

import { Stroke } from "./stroke.js";

const KEY_STEP = 12; // sheet pixels per arrow key; 1 with Shift
const MIN_PRESSURE_SCALE = 0.15; // of the brush size, without any pressure
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The handlers that turn input events into strokes, picked colours, pan and zoom. */
export class Pointer {
  #stroke = null;
  #panning = null; // the last pointer event of a pan
  #fingers = new Map(); // pointer id -> its last event
  #keys = { stroke: null, cursor: null }; // the stroke drawn with keys, and their cursor
  #space = null; // "held", or "used" if it moves the sheet and so starts no stroke

  /**
   * @param {{artwork, viewport, tools, history, pickColor: (point, view) => void, setStatus: (text) => void}} dependencies
   * @param {SheetView[]} views both take strokes: hints can be drawn on the result, too
   */
  constructor(dependencies, views) {
    Object.assign(this, dependencies);
    for (const view of views) this.#listen(view);
    window.addEventListener("keyup", (event) => this.#onSpaceUp(event));
    window.addEventListener("blur", () => this.#endStroke());
  }

  /** Whether a stroke is being drawn. */
  get drawing() {
    return this.#stroke !== null || this.#keys.stroke !== null;
  }

  #listen(view) {
    const { canvas } = view;
    canvas.addEventListener("pointerdown", (event) => this.#onPointerDown(event, view));
    canvas.addEventListener("pointermove", (event) => this.#onPointerMove(event, view));
    canvas.addEventListener("pointerup", (event) => this.#onPointerUp(event));
    canvas.addEventListener("pointercancel", (event) => this.#onPointerUp(event));
    canvas.addEventListener("pointerleave", () => this.viewport.setCursor(null));
    canvas.addEventListener("wheel", (event) => this.#onWheel(event, view), { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("keydown", (event) => this.#onKeyDown(event, view));
    canvas.addEventListener("blur", () => this.#endKeyStroke());
  }

  #onPointerDown(event, view) {
    view.canvas.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") {
      this.#fingers.set(event.pointerId, event);
      if (this.#fingers.size > 1) return this.#startPinch();
    }
    this.#endKeyStroke();
    const isPan = this.tools.name === "move" || this.#space || event.button === 1;
    if (isPan) {
      this.#panning = event;
      if (this.#space) this.#space = "used";
    } else if (event.button === 0) {
      this.#startStroke(event, view);
    }
  }

  #startStroke(event, view) {
    const point = view.toSheet(event);
    if (this.tools.name === "eyedropper" || event.altKey) return this.pickColor(point, view);
    this.#stroke = new Stroke(this.artwork, this.tools.brush());
    this.#stroke.lineTo(point.x, point.y, this.#pressure(event));
  }

  #onPointerMove(event, view) {
    if (this.#fingers.has(event.pointerId)) {
      if (this.#fingers.size > 1) return this.#pinch(event, view);
      this.#fingers.set(event.pointerId, event);
    }
    if (this.#panning) {
      this.viewport.pan(event.clientX - this.#panning.clientX, event.clientY - this.#panning.clientY);
      this.#panning = event;
      return;
    }
    if (this.#stroke) {
      const coalesced = event.getCoalescedEvents?.() ?? [];
      for (const each of coalesced.length ? coalesced : [event]) {
        const point = view.toSheet(each);
        this.#stroke.lineTo(point.x, point.y, this.#pressure(each));
      }
    }
    const hidden = event.pointerType === "touch" || !this.tools.isBrush;
    this.viewport.setCursor(hidden ? null : { ...view.toSheet(event), radius: this.tools.size / 2 });
  }

  #onPointerUp(event) {
    this.#fingers.delete(event.pointerId);
    this.#panning = null;
    this.#endStroke();
  }

  #endStroke() {
    this.#stroke?.end(this.history);
    this.#stroke = null;
  }

  #pressure(event) {
    if (event.pointerType !== "pen" || !this.tools.pressure) return 1;
    return MIN_PRESSURE_SCALE + (1 - MIN_PRESSURE_SCALE) * event.pressure;
  }

  /** Start a pinch at the second finger: cancel what the first one drew. */
  #startPinch() {
    this.#stroke?.cancel();
    this.#stroke = this.#panning = null;
  }

  #pinch(event, view) {
    const other = [...this.#fingers].find(([id]) => id !== event.pointerId)[1];
    const previous = this.#fingers.get(event.pointerId);
    const distance = (finger) => Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
    const midpoint = (finger) => ({
      clientX: (finger.clientX + other.clientX) / 2,
      clientY: (finger.clientY + other.clientY) / 2,
    });
    this.viewport.pan((event.clientX - previous.clientX) / 2, (event.clientY - previous.clientY) / 2);
    this.viewport.zoom(distance(event) / Math.max(1, distance(previous)), view.toSheet(midpoint(event)));
    this.#fingers.set(event.pointerId, event);
  }

  #onWheel(event, view) {
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (event.shiftKey) return this.viewport.pan(-event.deltaX * pixels, -event.deltaY * pixels);
    this.viewport.zoom(Math.exp(-event.deltaY * pixels * (event.ctrlKey ? 0.01 : 0.0015)), view.toSheet(event));
  }

  // With keys alone: arrows move a cursor, Space starts and ends a stroke.

  #onKeyDown(event, view) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this.#moveKeyCursor(arrow, event.shiftKey ? 1 : KEY_STEP);
    else if (event.key === "Enter") this.#dot(view);
    else if (event.key === " ") this.#space ??= view.canvas.matches(":focus-visible") ? "held" : "used";
    else return;
    event.preventDefault();
  }

  #onSpaceUp(event) {
    if (event.key !== " " || !this.#space) return;
    const startsStroke = this.#space === "held" && this.tools.isBrush;
    this.#space = null;
    if (startsStroke) this.#toggleKeyStroke();
  }

  /** Return the cursor of the keys on the sheet; the middle of the sheet at first. */
  #keyCursor() {
    const { width, height } = this.artwork;
    const at = this.#keys.cursor ?? { x: width / 2, y: height / 2 };
    return { x: Math.min(width, Math.max(0, at.x)), y: Math.min(height, Math.max(0, at.y)) };
  }

  #moveKeyCursor([x, y], step) {
    const from = this.#keyCursor();
    this.#keys.cursor = { x: from.x + x * step, y: from.y + y * step };
    const at = (this.#keys.cursor = this.#keyCursor());
    this.#keys.stroke?.lineTo(at.x, at.y);
    this.viewport.setCursor({ ...at, radius: this.tools.size / 2, cross: true });
    this.setStatus(`${Math.round(at.x)}, ${Math.round(at.y)}${this.#keys.stroke ? ", drawing" : ""}`);
  }

  #dot(view) {
    const at = this.#keyCursor();
    if (this.tools.name === "eyedropper") return this.pickColor(at, view);
    if (!this.tools.isBrush || this.#keys.stroke) return;
    const stroke = new Stroke(this.artwork, this.tools.brush());
    stroke.lineTo(at.x, at.y);
    stroke.end(this.history);
    this.setStatus(`${this.tools.title}: dot`);
  }

  #toggleKeyStroke() {
    if (this.#keys.stroke) return this.#endKeyStroke();
    const at = this.#keyCursor();
    this.#keys.stroke = new Stroke(this.artwork, this.tools.brush());
    this.#keys.stroke.lineTo(at.x, at.y);
    this.setStatus(`${this.tools.title}: stroke started`);
  }

  #endKeyStroke() {
    if (!this.#keys.stroke) return;
    this.#keys.stroke.end(this.history);
    this.#keys.stroke = null;
    this.setStatus(`${this.tools.title}: stroke ended`);
  }
}
