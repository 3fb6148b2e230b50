// Opening, dropping, pasting and saving pictures.

import { MAX_SIDE, toInk, newCanvas, drawOnWhite } from "./artwork.js";

const PAPER_GREY = 200; // grey from which a pixel counts as paper
const MIN_PAPER_SHARE = 0.6; // line art has at least this share of paper
const MAX_CHROMA = 8; // line art has at most this mean of max(R, G, B) - min(R, G, B)

/**
 * Read a file as a picture, at most MAX_SIDE pixels on its long side.
 * Throws an Error with a message for people.
 */
export async function readPicture(file, limits) {
  const name = file.name || "The pasted file";
  const url = URL.createObjectURL(file);
  try {
    const image = await loadImage(url).catch(() => {
      throw new Error(`${name} is not a picture. Open a PNG, JPEG, GIF, WebP, BMP or AVIF file.`);
    });
    const picture = await fitToSheet(image, name, limits);
    if (file.type !== "image/svg+xml") await rejectTruncated(file, name);
    return picture;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Throw for a truncated file, of which an <img> would show the first part. */
async function rejectTruncated(file, name) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`${name} is damaged or incomplete. Get the file again, or open another one.`);
  });
  bitmap.close();
}

/** Load a picture from the server. Throws an Error with a message for people. */
export async function fetchPicture(url, limits) {
  return fitToSheet(await loadSample(url), "The sample", limits);
}

/** Load hints from the server for a sheet of a size, as ImageData. Throws as `fetchPicture` does. */
export async function fetchHints(url, { width, height }) {
  const image = await loadSample(url);
  const context = newCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

function loadSample(url) {
  return loadImage(url).catch(() => {
    throw new Error("The sample cannot be loaded. Check that the server still runs, then try again.");
  });
}

function loadImage(url) {
  return new Promise((resolve, reject) => {
    const image = new Image(); // its size is known before its pixels are decoded
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = url;
  });
}

async function fitToSheet(image, name, limits) {
  const { naturalWidth: width, naturalHeight: height } = image;
  if (width * height > limits.pixels) {
    const side = Math.floor(Math.sqrt(limits.pixels));
    throw new Error(
      `${name} is too large: ${width} × ${height} pixels. Make it smaller first, to ${side} × ${side} or less.`,
    );
  }
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const [newWidth, newHeight] = [Math.round(width * scale), Math.round(height * scale)];
  const minSide = limits.min_side;
  if (!(newWidth >= minSide && newHeight >= minSide)) {
    throw new Error(
      `${name} is too small or too narrow: ${width} × ${height} pixels. Each side needs ${minSide} pixels or more, with the long side at ${MAX_SIDE} or less.`,
    );
  }
  await image.decode().catch(() => {
    throw new Error(`${name} is damaged or incomplete. Get the file again, or open another one.`);
  });
  return drawOnWhite(image, newWidth, newHeight);
}

/** Return whether a picture looks like line art or a sketch: hardly any colour, mostly white. */
export function looksLikeLines(picture) {
  const { paper, chroma } = measure(picture);
  return paper >= MIN_PAPER_SHARE && chroma <= MAX_CHROMA;
}

/** Return whether a picture looks like white lines on black: hardly any colour, mostly black. */
export function looksInverted(picture) {
  const { black, chroma } = measure(picture);
  return black >= MIN_PAPER_SHARE && chroma <= MAX_CHROMA;
}

/** Return a picture with black and white exchanged. */
export function invert(picture) {
  const { width, height } = picture;
  const inverted = newCanvas(width, height);
  const context = inverted.getContext("2d");
  context.drawImage(picture, 0, 0);
  context.globalCompositeOperation = "difference";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "source-over";
  return inverted;
}

/** Return the shares of white and of black pixels, and the mean of max(R, G, B) - min(R, G, B). */
function measure(picture) {
  const side = 200;
  const small = newCanvas(side, side);
  const context = small.getContext("2d");
  context.drawImage(picture, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  let [paper, black, chroma] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) {
    const [red, green, blue] = [data[i], data[i + 1], data[i + 2]];
    const grey = (red + green + blue) / 3;
    paper += grey > PAPER_GREY;
    black += grey < 255 - PAPER_GREY;
    chroma += Math.max(red, green, blue) - Math.min(red, green, blue);
  }
  const pixels = side * side;
  return { paper: paper / pixels, black: black / pixels, chroma: chroma / pixels };
}

/** Start a new sheet with a picture in one layer; the others are blank, unless given as ImageData. */
export function loadIntoLayer(artwork, history, picture, layer, others = {}) {
  const before = artwork.snapshot();
  const { width, height } = picture;
  const pixels =
    layer === "line"
      ? toInk(picture, width, height)
      : picture.getContext("2d").getImageData(0, 0, width, height);
  artwork.active = layer;
  artwork.restore({ width, height, layers: { ...others, [layer]: pixels } });
  history.recordSheet("new sheet", before);
}

/** Save a blob as a file of the user. */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Call `onFile(file)` for a file that is chosen. */
export function bindFileInput(input, onFile) {
  input.addEventListener("change", () => {
    if (input.files[0]) onFile(input.files[0]);
    input.value = ""; // so that the same file can be opened again
  });
}

/** Call `onFile(file)` for files that are chosen, dropped or pasted. */
export function bindFileInputs(input, onFile) {
  const dropZone = document.getElementById("drop-zone");
  const firstFile = (transfer) => [...(transfer?.files ?? [])][0];
  bindFileInput(input, onFile);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    dropZone.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    dropZone.hidden = !event.relatedTarget;
    if (event.relatedTarget === null) dropZone.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    dropZone.hidden = true;
    const file = firstFile(event.dataTransfer);
    if (file) onFile(file);
  });
  document.addEventListener("paste", (event) => {
    const file = firstFile(event.clipboardData);
    if (file) onFile(file);
  });
}
