// The drawing: three layers of one size, one of which is active.

export const LAYERS = ["sketch", "line", "hints"];
export const MAX_SIDE = 1024; // pixels: the long side of a sheet
const BLANK = { width: 800, height: 1000 };

/** The layers, in sheet pixels. Dispatches `change` with {scope}: stroke, layer or sheet; `layers`. */
export class Artwork extends EventTarget {
  #hasLines = false; // the sketch is drawn faint under lines

  constructor() {
    super();
    this.sheetId = 0; // increases with every sheet: a response for an older one is stale
    this.active = "line";
    this.visible = Object.fromEntries(LAYERS.map((name) => [name, true]));
    this.#createLayers(BLANK.width, BLANK.height);
  }

  /** Return a layer's 2D context; call `notifyChange` after drawing with it. */
  context(name) {
    return this.contexts[name];
  }

  canvas(name) {
    return this.contexts[name].canvas;
  }

  notifyChange(scope = "layer") {
    if (scope !== "stroke") this.#hasLines = !this.isEmpty("line");
    this.dispatchEvent(new CustomEvent("change", { detail: { scope } }));
  }

  setActiveLayer(name) {
    this.active = name;
    this.dispatchEvent(new Event("layers"));
  }

  setVisible(name, visible) {
    this.visible[name] = visible;
    this.dispatchEvent(new Event("layers"));
  }

  /** Return whether a layer is blank. */
  isEmpty(name) {
    const pixels = this.pixels(name).data;
    return !new Uint32Array(pixels.buffer).some((pixel) => pixel >>> 24);
  }

  pixels(name) {
    return this.context(name).getImageData(0, 0, this.width, this.height);
  }

  /** Return a copy of the sheet, as ImageData, for `restore`. */
  snapshot() {
    const { width, height } = this;
    const layers = Object.fromEntries(LAYERS.map((name) => [name, this.pixels(name)]));
    return { width, height, layers };
  }

  /** Replace the sheet; a layer that is not given is blank. */
  restore({ width, height, layers = {} } = BLANK) {
    this.#createLayers(width, height);
    for (const [name, pixels] of Object.entries(layers)) this.context(name).putImageData(pixels, 0, 0);
    this.notifyChange("sheet");
  }

  /**
   * Draw white paper and the visible layers on a context, in sheet pixels. The sketch is faint under
   * lines, unless `faint` is false.
   */
  drawTo(context, { faint = true } = {}) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, this.width, this.height);
    const isFaint = faint && this.visible.line && this.#hasLines;
    for (const name of ["sketch", "hints", "line"]) {
      if (!this.visible[name]) continue;
      context.globalAlpha = name === "sketch" && isFaint ? 0.35 : 1;
      context.drawImage(this.canvas(name), 0, 0);
    }
    context.globalAlpha = 1;
  }

  #createLayers(width, height) {
    this.width = width;
    this.height = height;
    this.sheetId += 1;
    this.#hasLines = false;
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

/** Encode a canvas as PNG, its long side at most `maxSide` pixels, on a background colour or none. */
export async function toPng(canvas, { maxSide = Infinity, background = null } = {}) {
  const scale = Math.min(1, maxSide / Math.max(canvas.width, canvas.height));
  const width = Math.max(1, Math.round(canvas.width * scale));
  const copy = newCanvas(width, Math.max(1, Math.round(canvas.height * scale)));
  const context = copy.getContext("2d");
  context.imageSmoothingQuality = "high";
  if (background) {
    context.fillStyle = background;
    context.fillRect(0, 0, copy.width, copy.height);
  }
  context.drawImage(canvas, 0, 0, copy.width, copy.height);
  return encodePng(copy);
}

/** Encode as PNG at once: canvas.toBlob waits until the browser is idle, for up to a second. */
function encodePng(canvas) {
  const text = atob(canvas.toDataURL("image/png").split(",")[1]);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return new Blob([bytes], { type: "image/png" });
}

/** Return a canvas with a picture at another size, on white. */
export function drawOnWhite(picture, width, height) {
  const canvas = newCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return canvas;
}

/** Convert a picture to ink, as ImageData: black, the more opaque the darker. */
export function toInk(picture, width, height) {
  const pixels = drawOnWhite(picture, width, height).getContext("2d").getImageData(0, 0, width, height);
  const data = pixels.data;
  for (let i = 0; i < data.length; i += 4) {
    // ITU-R BT.601 luma, as Pillow and OpenCV make grey
    const grey = 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
    data[i] = data[i + 1] = data[i + 2] = 0;
    data[i + 3] = 255 - grey;
  }
  return pixels;
}
