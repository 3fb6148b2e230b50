// Undo and redo: what a layer was before and after, where it changed.

const MOST_BYTES = 256 * 1024 * 1024;

/** Says `change` whenever what can be undone or redone may be another. */
export class History extends EventTarget {
  #done = [];
  #undone = [];

  constructor(artwork) {
    super();
    this.artwork = artwork;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Takes note of a change of one layer that has happened; `before` is its ImageData of then. */
  layer(what, name, before, box = null) {
    const area = box ?? { x: 0, y: 0, width: before.width, height: before.height };
    const context = this.artwork.context(name);
    const after = context.getImageData(area.x, area.y, area.width, area.height);
    const old = box ? cropped(before, area) : before;
    const put = (pixels) => {
      this.artwork.context(name).putImageData(pixels, area.x, area.y);
      this.artwork.changed();
    };
    const bytes = 2 * old.data.length;
    this.#push({ what, bytes, undo: () => put(old), redo: () => put(after) });
  }

  /** Takes note that the sheet has become another one; `before` is its snapshot of then. */
  sheet(what, before) {
    const after = this.artwork.snapshot();
    const bytes = 12 * (before.width * before.height + after.width * after.height);
    this.#push({
      what,
      bytes,
      undo: () => this.artwork.restore(before),
      redo: () => this.artwork.restore(after),
    });
  }

  /** Undoes the last change and returns what it was, or null. */
  undo() {
    return this.#move(this.#done, this.#undone, "undo");
  }

  redo() {
    return this.#move(this.#undone, this.#done, "redo");
  }

  /** From here on there is nothing before. */
  forget() {
    this.#done = [];
    this.#undone = [];
    this.dispatchEvent(new Event("change"));
  }

  #move(from, to, act) {
    const entry = from.pop();
    if (!entry) return null;
    entry[act]();
    to.push(entry);
    this.dispatchEvent(new Event("change"));
    return entry.what;
  }

  #push(entry) {
    this.#undone = [];
    this.#done.push(entry);
    let bytes = this.#done.reduce((sum, { bytes }) => sum + bytes, 0);
    while (bytes > MOST_BYTES && this.#done.length > 1) bytes -= this.#done.shift().bytes;
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
