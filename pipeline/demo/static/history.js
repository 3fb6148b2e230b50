// Undo and redo: the pixels before and after each change.

const MAX_BYTES = 256 * 1024 * 1024;

/** The changes to undo and redo. Dispatches `change` if `canUndo` or `canRedo` may have changed. */
export class History extends EventTarget {
  #undoStack = [];
  #redoStack = [];

  constructor(artwork) {
    super();
    this.artwork = artwork;
  }

  get canUndo() {
    return this.#undoStack.length > 0;
  }

  get canRedo() {
    return this.#redoStack.length > 0;
  }

  /** Record a change of a layer, or of a box of it; `before` is its previous ImageData. */
  recordLayer(label, name, before, box = null) {
    const area = box ?? { x: 0, y: 0, width: before.width, height: before.height };
    const context = this.artwork.context(name);
    const after = context.getImageData(area.x, area.y, area.width, area.height);
    const old = box ? cropped(before, area) : before;
    const restore = (pixels) => {
      this.artwork.context(name).putImageData(pixels, area.x, area.y);
      this.artwork.notifyChange();
    };
    const bytes = 2 * old.data.length;
    this.#push({ label, bytes, undo: () => restore(old), redo: () => restore(after) });
  }

  /** Record a new sheet; `before` is the previous one's snapshot. */
  recordSheet(label, before) {
    const after = this.artwork.snapshot();
    const bytes = 12 * (before.width * before.height + after.width * after.height);
    this.#push({
      label,
      bytes,
      undo: () => this.artwork.restore(before),
      redo: () => this.artwork.restore(after),
    });
  }

  /** Undo the last change. Returns its label, or null if there is none. */
  undo() {
    return this.#step(this.#undoStack, this.#redoStack, "undo");
  }

  /** Redo the last undone change. Returns its label, or null if there is none. */
  redo() {
    return this.#step(this.#redoStack, this.#undoStack, "redo");
  }

  /** Remove all entries. */
  clear() {
    this.#undoStack = [];
    this.#redoStack = [];
    this.dispatchEvent(new Event("change"));
  }

  #step(from, to, action) {
    const entry = from.pop();
    if (!entry) return null;
    entry[action]();
    to.push(entry);
    this.dispatchEvent(new Event("change"));
    return entry.label;
  }

  #push(entry) {
    this.#redoStack = [];
    this.#undoStack.push(entry);
    let bytes = this.#undoStack.reduce((sum, { bytes }) => sum + bytes, 0);
    while (bytes > MAX_BYTES && this.#undoStack.length > 1) bytes -= this.#undoStack.shift().bytes;
    this.dispatchEvent(new Event("change"));
  }
}

function cropped(pixels, { x, y, width, height }) {
  const part = new ImageData(width, height);
  for (let row = 0; row < height; row += 1) {
    const start = ((y + row) * pixels.width + x) * 4;
    part.data.set(pixels.data.subarray(start, start + width * 4), row * width * 4);
  }
  return part;
}
