// The viewport, which drawing and result share, and the canvases that show the sheet in it.

const MIN_SCALE = 0.05; // CSS pixels per pixel of the sheet
const MAX_SCALE = 32;
const FIT_SHARE = 0.94; // of a canvas that a fitted sheet fills

/** The zoom and position of the sheet. Dispatches `change`. */
export class Viewport extends EventTarget {
  scale = 1; // CSS pixels per pixel of the sheet
  x = 0; // the sheet's pixel in the middle of the canvas
  y = 0;
  fitted = true; // whether to fit the sheet again when a canvas is resized
  cursor = null; // {x, y, radius, cross} in sheet pixels: the brush, with a cross for keys

  /** Centre the whole sheet in a canvas of `width` x `height` CSS pixels. */
  fit(sheet, { width, height }) {
    this.x = sheet.width / 2;
    this.y = sheet.height / 2;
    this.scale = clamp(FIT_SHARE * Math.min(width / sheet.width, height / sheet.height));
    this.fitted = true;
    this.#changed();
  }

  /** Zoom around the point `at` of the sheet. */
  zoom(factor, at = { x: this.x, y: this.y }) {
    const scale = clamp(this.scale * factor);
    const ratio = this.scale / scale;
    this.x = at.x + (this.x - at.x) * ratio;
    this.y = at.y + (this.y - at.y) * ratio;
    this.scale = scale;
    this.fitted = false;
    this.#changed();
  }

  /** Move the sheet by CSS pixels. */
  pan(x, y) {
    this.x -= x / this.scale;
    this.y -= y / this.scale;
    this.fitted = false;
    this.#changed();
  }

  setCursor(cursor) {
    this.cursor = cursor;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

const clamp = (scale) => Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale));

/** A canvas that shows the sheet: `drawSheet(context)` draws it, in sheet pixels. */
export class SheetView {
  #scheduled = false;

  constructor(canvas, viewport, sheet, drawSheet) {
    Object.assign(this, { canvas, viewport, sheet, drawSheet });
    this.context = canvas.getContext("2d");
    new ResizeObserver(() => this.#resized()).observe(canvas);
    viewport.addEventListener("change", () => this.redraw());
  }

  /** Return the point of a pointer event on the sheet, in its pixels. */
  toSheet(event) {
    const box = this.canvas.getBoundingClientRect();
    const { viewport } = this;
    return {
      x: (event.clientX - box.left - box.width / 2) / viewport.scale + viewport.x,
      y: (event.clientY - box.top - box.height / 2) / viewport.scale + viewport.y,
    };
  }

  get size() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  #resized() {
    if (this.viewport.fitted) this.viewport.fit(this.sheet, this.size);
    this.redraw();
  }

  /** Schedule a redraw for the next frame. */
  redraw() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #draw() {
    const { canvas, context, viewport, sheet } = this;
    const density = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * density);
    const height = Math.round(canvas.clientHeight * density);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const scale = viewport.scale * density;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(scale, 0, 0, scale, width / 2 - viewport.x * scale, height / 2 - viewport.y * scale);
    context.imageSmoothingEnabled = viewport.scale < 4;
    context.imageSmoothingQuality = "high";
    context.save();
    context.beginPath();
    context.rect(0, 0, sheet.width, sheet.height);
    context.clip();
    this.drawSheet(context);
    context.restore();
    this.#drawCursor(1 / viewport.scale);
  }

  /** Draw a ring of two colours, visible on light and dark. */
  #drawCursor(pixel) {
    const { cursor } = this.viewport;
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
