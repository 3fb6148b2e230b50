// One stroke of a brush on a layer.

/** A stroke that is drawn as points are added, with smooth curves through their midpoints. */
export class Stroke {
  #last = null;
  #lastMidpoint = null;
  #box = null;

  /**
   * @param artwork whose layer is drawn on
   * @param {{layer: string, size: number, color: string, erases: boolean}} brush size in sheet
   *   pixels
   */
  constructor(artwork, brush) {
    this.artwork = artwork;
    this.brush = brush;
    this.before = artwork.pixels(brush.layer);
    this.context = artwork.context(brush.layer);
  }

  /** Extend the stroke to a point of the sheet; `pressure` in [0, 1] scales the size. */
  lineTo(x, y, pressure = 1) {
    const width = Math.max(0.7, this.brush.size * pressure);
    const point = { x, y, width };
    if (this.#last === null) {
      this.#dot(point);
      this.#lastMidpoint = point;
    } else {
      this.#curve(point);
    }
    this.#last = point;
    this.artwork.notifyChange("stroke");
  }

  /** End the stroke and record it in the history. */
  end(history) {
    if (this.#last === null) return;
    this.#strokePath(this.#last.width, () => {
      this.context.moveTo(this.#lastMidpoint.x, this.#lastMidpoint.y);
      this.context.lineTo(this.#last.x, this.#last.y);
    });
    const box = this.#changedArea();
    if (box) history.recordLayer("stroke", this.brush.layer, this.before, box);
    this.artwork.notifyChange();
  }

  /** Remove what the stroke has drawn. */
  cancel() {
    this.context.putImageData(this.before, 0, 0);
    this.artwork.notifyChange("stroke");
  }

  #dot(point) {
    this.#strokePath(point.width, () => {
      this.context.moveTo(point.x, point.y);
      this.context.lineTo(point.x + 0.01, point.y); // a line of length 0 would draw nothing
    });
    this.#extendBox(point);
  }

  #curve(point) {
    const last = this.#last;
    const midpoint = { x: (last.x + point.x) / 2, y: (last.y + point.y) / 2 };
    this.#strokePath((last.width + point.width) / 2, () => {
      this.context.moveTo(this.#lastMidpoint.x, this.#lastMidpoint.y);
      this.context.quadraticCurveTo(last.x, last.y, midpoint.x, midpoint.y);
    });
    this.#lastMidpoint = midpoint;
    this.#extendBox(point);
  }

  #strokePath(width, path) {
    const { context, brush } = this;
    context.save();
    context.globalCompositeOperation = brush.erases ? "destination-out" : "source-over";
    context.strokeStyle = brush.erases ? "#000" : brush.color;
    context.lineWidth = width;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    path();
    context.stroke();
    context.restore();
  }

  #extendBox({ x, y, width }) {
    const box = (this.#box ??= { left: x, top: y, right: x, bottom: y });
    box.left = Math.min(box.left, x - width);
    box.top = Math.min(box.top, y - width);
    box.right = Math.max(box.right, x + width);
    box.bottom = Math.max(box.bottom, y + width);
  }

  /** Return the box of the sheet that the stroke can have changed, or null if it is empty. */
  #changedArea() {
    const x = Math.max(0, Math.floor(this.#box.left));
    const y = Math.max(0, Math.floor(this.#box.top));
    const width = Math.min(this.artwork.width, Math.ceil(this.#box.right)) - x;
    const height = Math.min(this.artwork.height, Math.ceil(this.#box.bottom)) - y;
    return width > 0 && height > 0 ? { x, y, width, height } : null;
  }
}
