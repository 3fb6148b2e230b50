// Zoom and pan, which both sides share, and the two sides that show the sheet.

const FURTHEST = 0.05; // screen pixels to a pixel of the sheet
const NEAREST = 32;
const MARGIN = 0.94; // share of a side that a sheet fills when it fits

/** How the sheet is looked at. Says `change`. */
export class View extends EventTarget {
  scale = 1; // CSS pixels to a pixel of the sheet
  x = 0; // the sheet's pixel in the middle of a side
  y = 0;
  fitted = true; // whether the sheet fits by itself when a side's size changes
  cursor = null; // {x, y, radius} in sheet pixels: what a brush would touch

  /** Shows a whole sheet in the middle of a side of `width` x `height` CSS pixels. */
  fit(sheet, { width, height }) {
    this.x = sheet.width / 2;
    this.y = sheet.height / 2;
    this.scale = clamp(MARGIN * Math.min(width / sheet.width, height / sheet.height));
    this.fitted = true;
    this.#changed();
  }

  /** Zooms, keeping the sheet's point `at` where it is. */
  zoom(factor, at = { x: this.x, y: this.y }) {
    const scale = clamp(this.scale * factor);
    const kept = this.scale / scale;
    this.x = at.x + (this.x - at.x) * kept;
    this.y = at.y + (this.y - at.y) * kept;
    this.scale = scale;
    this.fitted = false;
    this.#changed();
  }

  /** Moves the sheet by CSS pixels. */
  pan(x, y) {
    this.x -= x / this.scale;
    this.y -= y / this.scale;
    this.fitted = false;
    this.#changed();
  }

  point(cursor) {
    this.cursor = cursor;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

const clamp = (scale) => Math.min(NEAREST, Math.max(FURTHEST, scale));

/** One side: shows what `paint(context)` draws in sheet pixels. */
export class Side {
  #asked = false;

  constructor(canvas, view, sheet, paint) {
    Object.assign(this, { canvas, view, sheet, paint });
    this.context = canvas.getContext("2d");
    new ResizeObserver(() => this.#resized()).observe(canvas);
    view.addEventListener("change", () => this.redraw());
  }

  /** Where a pointer event is on the sheet, in its pixels. */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const { view } = this;
    return {
      x: (event.clientX - box.left - box.width / 2) / view.scale + view.x,
      y: (event.clientY - box.top - box.height / 2) / view.scale + view.y,
    };
  }

  get room() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  #resized() {
    if (this.view.fitted) this.view.fit(this.sheet, this.room);
    this.redraw();
  }

  /** Draws again with the next frame. */
  redraw() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#draw();
    });
  }

  #draw() {
    const { canvas, context, view, sheet } = this;
    const density = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * density);
    const height = Math.round(canvas.clientHeight * density);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const scale = view.scale * density;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(scale, 0, 0, scale, width / 2 - view.x * scale, height / 2 - view.y * scale);
    context.imageSmoothingEnabled = view.scale < 4;
    context.imageSmoothingQuality = "high";
    context.save();
    context.beginPath();
    context.rect(0, 0, sheet.width, sheet.height);
    context.clip();
    this.paint(context);
    context.restore();
    this.#cursor(1 / view.scale);
  }

  /** A ring of two colours, seen on light and dark. */
  #cursor(pixel) {
    const { cursor } = this.view;
    if (!cursor) return;
    const radius = Math.max(cursor.radius, 2 * pixel);
    for (const [color, grow] of [["#fff", pixel], ["#222", 0]]) {
      this.context.strokeStyle = color;
      this.context.lineWidth = 1.2 * pixel;
      this.context.beginPath();
      this.context.arc(cursor.x, cursor.y, radius + grow, 0, 2 * Math.PI);
      this.context.stroke();
    }
    if (!cursor.cross) return;
    this.context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      this.context.moveTo(cursor.x + dx * (radius + 3 * pixel), cursor.y + dy * (radius + 3 * pixel));
      this.context.lineTo(cursor.x + dx * (radius + 10 * pixel), cursor.y + dy * (radius + 10 * pixel));
    }
    this.context.stroke();
  }
}
