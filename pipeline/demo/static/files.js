// Pictures that come in and go out.

import { LONGEST, inkOf, newCanvas, onPaper } from "./artwork.js";

const PAPER = 200; // grey from which a pixel counts as paper
const LEAST_PAPER = 0.6; // share of the pixels, of line art
const MOST_COLOR = 8; // mean distance of the channels, of line art

/**
 * Reads a file as a picture, at most LONGEST pixels on its long side.
 * Throws an Error with one sentence for people.
 */
export async function readPicture(file, limits) {
  const name = file.name || "What was pasted";
  const address = URL.createObjectURL(file);
  try {
    const image = await loaded(address).catch(() => {
      throw new Error(`${name} is no picture that can be read: expected a PNG, JPEG, WebP or GIF file.`);
    });
    const picture = await sized(image, name, limits);
    if (file.type !== "image/svg+xml") await requireWhole(file, name);
    return picture;
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** An <img> shows what there is of a file that ends too soon; this one refuses it. */
async function requireWhole(file, name) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`${name} is broken: expected a whole picture; get it anew.`);
  });
  bitmap.close();
}

/** A picture of the server. */
export async function fetchPicture(address, limits) {
  const image = await loaded(address).catch(() => {
    throw new Error("The sample did not come: look whether the server still runs, then try again.");
  });
  return sized(image, "The sample", limits);
}

function loaded(address) {
  return new Promise((resolve, reject) => {
    const image = new Image(); // its size is known before its pixels are decoded
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = address;
  });
}

async function sized(image, name, limits) {
  const { naturalWidth: width, naturalHeight: height } = image;
  if (width * height > limits.pixels) {
    const most = Math.floor(Math.sqrt(limits.pixels));
    throw new Error(
      `${name} has ${width} × ${height} pixels: expected at most as many as ${most} × ${most}; make it smaller first.`,
    );
  }
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
  const least = limits.smallest_side;
  if (!(wide >= least && high >= least)) {
    throw new Error(
      `${name} has ${width} × ${height} pixels: expected ${least} or more on either side, and sides less unlike.`,
    );
  }
  await image.decode().catch(() => {
    throw new Error(`${name} is broken: it cannot be decoded; get it anew.`);
  });
  return onPaper(image, wide, high);
}

/** Whether a picture looks like line art or a sketch on paper: hardly any colour, mostly white. */
export function looksLikeLines(picture) {
  const side = 200;
  const small = newCanvas(side, side);
  const context = small.getContext("2d");
  context.drawImage(picture, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  let paper = 0;
  let color = 0;
  for (let i = 0; i < data.length; i += 4) {
    const [red, green, blue] = [data[i], data[i + 1], data[i + 2]];
    paper += (red + green + blue) / 3 > PAPER;
    color += Math.max(red, green, blue) - Math.min(red, green, blue);
  }
  const pixels = side * side;
  return paper / pixels >= LEAST_PAPER && color / pixels <= MOST_COLOR;
}

/** Makes a picture the sheet: its `layer` is the picture, the others are blank. */
export function lay(artwork, history, picture, layer) {
  const before = artwork.snapshot();
  const { width, height } = picture;
  const pixels =
    layer === "line"
      ? inkOf(picture, width, height)
      : picture.getContext("2d").getImageData(0, 0, width, height);
  artwork.active = layer;
  artwork.restore({ width, height, layers: { [layer]: pixels } });
  history.sheet("the new sheet", before);
}

/** Gives a PNG to the user. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Hears of files that are opened, dropped and pasted: `take(file)`. */
export function hearOfFiles(input, take) {
  const zone = document.getElementById("drop");
  const firstFile = (transfer) => [...(transfer?.files ?? [])][0];
  input.addEventListener("change", () => {
    if (input.files[0]) take(input.files[0]);
    input.value = ""; // so that the same one can be opened again
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    zone.hidden = !event.relatedTarget;
    if (event.relatedTarget === null) zone.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.hidden = true;
    const file = firstFile(event.dataTransfer);
    if (file) take(file);
  });
  document.addEventListener("paste", (event) => {
    const file = firstFile(event.clipboardData);
    if (file) take(file);
  });
}
