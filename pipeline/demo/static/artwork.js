// What is being drawn: three layers of one size, and which of them the brush works on.

export const LAYERS = ["sketch", "line", "hints"];
export const LONGEST = 1024; // long side of a sheet, in pixels
const BLANK = { width: 800, height: 1000 };

/** Layers, in sheet pixels. Says `change` with {kind}: stroke, layer or sheet. */
export class Artwork extends EventTarget {
  #covered = false; // whether lines lie over the sketch, which then steps back

  constructor() {
    super();
    this.sheet = 0; // counts sheets: an answer about an older one is stale
    this.active = "line";
    this.visible = Object.fromEntries(LAYERS.map((name) => [name, true]));
    this.#lay(BLANK.width, BLANK.height);
  }

  /** A layer's 2D context; `changed` must be told of what is drawn with it. */
  context(name) {
    return this.contexts[name];
  }

  canvas(name) {
    return this.contexts[name].canvas;
  }

  changed(kind = "layer") {
    if (kind !== "stroke") this.#covered = !this.isEmpty("line");
    this.dispatchEvent(new CustomEvent("change", { detail: { kind } }));
  }

  activate(name) {
    this.active = name;
    this.dispatchEvent(new Event("active"));
  }

  show(name, visible) {
    this.visible[name] = visible;
    this.dispatchEvent(new Event("active"));
  }

  /** Whether nothing is on a layer. */
  isEmpty(name) {
    const pixels = this.pixels(name).data;
    return !new Uint32Array(pixels.buffer).some((pixel) => pixel >>> 24);
  }

  pixels(name) {
    return this.context(name).getImageData(0, 0, this.width, this.height);
  }

  /** All that `restore` needs, as ImageData. */
  snapshot() {
    const { width, height } = this;
    const layers = Object.fromEntries(LAYERS.map((name) => [name, this.pixels(name)]));
    return { width, height, layers };
  }

  /** Puts another sheet in place of this one; a layer that is not given is blank. */
  restore({ width, height, layers = {} } = BLANK) {
    this.#lay(width, height);
    for (const [name, pixels] of Object.entries(layers)) this.context(name).putImageData(pixels, 0, 0);
    this.changed("sheet");
  }

  /**
   * What one sees: paper and the layers that are shown, at a size of the sheet's own. Under lines
   * the sketch is faint, unless its own colours are asked for.
   */
  paint(context, { faint = true } = {}) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, this.width, this.height);
    const under = faint && this.visible.line && this.#covered;
    for (const name of ["sketch", "hints", "line"]) {
      if (!this.visible[name]) continue;
      context.globalAlpha = name === "sketch" && under ? 0.35 : 1;
      context.drawImage(this.canvas(name), 0, 0);
    }
    context.globalAlpha = 1;
  }

  #lay(width, height) {
    this.width = width;
    this.height = height;
    this.sheet += 1;
    this.#covered = false;
    this.contexts = Object.fromEntries(
      LAYERS.map((name) => [name, newCanvas(width, height).getContext("2d", { willReadFrequently: true })]),
    );
  }
}

export function newCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** A canvas's PNG, its long side at most `longest` pixels, on paper of a colour or on none. */
export async function toPng(canvas, { longest = Infinity, paper = null } = {}) {
  const scale = Math.min(1, longest / Math.max(canvas.width, canvas.height));
  const width = Math.max(1, Math.round(canvas.width * scale));
  const copy = newCanvas(width, Math.max(1, Math.round(canvas.height * scale)));
  const context = copy.getContext("2d");
  context.imageSmoothingQuality = "high";
  if (paper) {
    context.fillStyle = paper;
    context.fillRect(0, 0, copy.width, copy.height);
  }
  context.drawImage(canvas, 0, 0, copy.width, copy.height);
  return pngOf(copy);
}

/** As toBlob, but at once: toBlob waits until the browser is idle, for up to a second. */
function pngOf(canvas) {
  const text = atob(canvas.toDataURL("image/png").split(",")[1]);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return new Blob([bytes], { type: "image/png" });
}

/** A canvas with a picture at another size; what it does not cover is white. */
export function onPaper(picture, width, height) {
  const canvas = newCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return canvas;
}

/** Grey pixels of a picture as ink: black, as opaque as the picture is dark. */
export function inkOf(picture, width, height) {
  const pixels = onPaper(picture, width, height).getContext("2d").getImageData(0, 0, width, height);
  const data = pixels.data;
  for (let i = 0; i < data.length; i += 4) {
    // ITU-R BT.601 luma, as Pillow and OpenCV make grey
    const grey = 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
    data[i] = data[i + 1] = data[i + 2] = 0;
    data[i + 3] = 255 - grey;
  }
  return pixels;
}
