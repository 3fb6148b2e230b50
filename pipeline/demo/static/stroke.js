// One stroke of a brush on a layer, from where it is put down to where it is lifted.

/** Draws as the points come; smooth, by curves through the middles between them. */
export class Stroke {
  #last = null;
  #middle = null;
  #box = null;

  /**
   * @param artwork what is drawn on
   * @param {{layer: string, size: number, color: string, erases: boolean}} brush size in sheet
   *   pixels
   */
  constructor(artwork, brush) {
    this.artwork = artwork;
    this.brush = brush;
    this.before = artwork.pixels(brush.layer);
    this.context = artwork.context(brush.layer);
  }

  /** Goes on to a point of the sheet; `pressure` in [0, 1] scales the size. */
  to(x, y, pressure = 1) {
    const width = Math.max(0.7, this.brush.size * pressure);
    const point = { x, y, width };
    if (this.#last === null) {
      this.#dot(point);
      this.#middle = point;
    } else {
      this.#curve(point);
    }
    this.#last = point;
    this.artwork.changed("stroke");
  }

  /** Lifts the brush; `history` takes note. */
  end(history) {
    if (this.#last === null) return;
    this.#styled(this.#last.width, () => {
      this.context.moveTo(this.#middle.x, this.#middle.y);
      this.context.lineTo(this.#last.x, this.#last.y);
    });
    const box = this.#area();
    if (box) history.layer("the stroke", this.brush.layer, this.before, box);
    this.artwork.changed();
  }

  /** Takes the stroke back, as if it had not been. */
  cancel() {
    this.context.putImageData(this.before, 0, 0);
    this.artwork.changed("stroke");
  }

  #dot(point) {
    this.#styled(point.width, () => {
      this.context.moveTo(point.x, point.y);
      this.context.lineTo(point.x + 0.01, point.y); // a line of no length would leave nothing
    });
    this.#grow(point);
  }

  #curve(point) {
    const last = this.#last;
    const middle = { x: (last.x + point.x) / 2, y: (last.y + point.y) / 2 };
    this.#styled((last.width + point.width) / 2, () => {
      this.context.moveTo(this.#middle.x, this.#middle.y);
      this.context.quadraticCurveTo(last.x, last.y, middle.x, middle.y);
    });
    this.#middle = middle;
    this.#grow(point);
  }

  #styled(width, path) {
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

  #grow({ x, y, width }) {
    const box = (this.#box ??= { left: x, top: y, right: x, bottom: y });
    box.left = Math.min(box.left, x - width);
    box.top = Math.min(box.top, y - width);
    box.right = Math.max(box.right, x + width);
    box.bottom = Math.max(box.bottom, y + width);
  }

  /** The part of the sheet that the stroke can have changed; null where it is none. */
  #area() {
    const x = Math.max(0, Math.floor(this.#box.left));
    const y = Math.max(0, Math.floor(this.#box.top));
    const width = Math.min(this.artwork.width, Math.ceil(this.#box.right)) - x;
    const height = Math.min(this.artwork.height, Math.ceil(this.#box.bottom)) - y;
    return width > 0 && height > 0 ? { x, y, width, height } : null;
  }
}
