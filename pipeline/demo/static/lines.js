// Lines from a picture or a rough sketch: the sketch model, then the simplification model.

import { decoded, post } from "./api.js";
import { inkOf, toPng } from "./artwork.js";

const NONE = "";
const LABELS = {
  xdog: "XDoG",
  sketchkeras: "sketchKeras",
  centerline: "Centre lines",
  simo_serra: "Simo-Serra",
  original: "original: every line",
  enhanced: "enhanced: less faint",
  pured: "pured: clear ones",
};

const sketch = document.getElementById("sketch-model");
const style = document.getElementById("style");
const simplify = document.getElementById("line-model");

/** Fills the choices with what the server has. */
export function offer(models) {
  const options = ({ name, available, reason }) => {
    const option = new Option(LABELS[name] ?? name, name);
    option.disabled = !available;
    option.title = reason ?? "";
    if (!available) option.text += " (not here)";
    return option;
  };
  sketch.replaceChildren(...models.sketch.map(options), new Option("no: it is a sketch", NONE));
  simplify.replaceChildren(...models.simplify.map(options), new Option("no", NONE));
  style.replaceChildren(...models.styles.map((name) => new Option(LABELS[name] ?? name, name)));
  style.value = models.styles.includes("pured") ? "pured" : models.styles[0];
  sketch.addEventListener("change", reflect);
}

/** Takes what suits: a colour picture is sketched first, a sketch is not. */
export function suit(isSketch) {
  const first = [...sketch.options].find((option) => !option.disabled);
  sketch.value = isSketch ? NONE : first.value;
  reflect();
}

function reflect() {
  style.disabled = sketch.value === NONE;
}

/**
 * Draws the line layer from the sketch layer, or from itself where that is blank.
 * Throws ApiError, or an Error with one sentence.
 */
export async function makeLines(artwork, history) {
  const source = artwork.isEmpty("sketch") ? "line" : "sketch";
  if (artwork.isEmpty(source)) {
    throw new Error("There is nothing to find lines in: open a picture, or draw a sketch first.");
  }
  const find = source === "sketch" ? sketch.value : NONE;
  if (find === NONE && simplify.value === NONE) {
    throw new Error("Nothing is chosen that makes lines: choose how to find or to simplify them.");
  }
  const { sheet } = artwork;
  const started = performance.now();
  const answer = await drawn(artwork, source, find);
  if (sheet !== artwork.sheet) return null;
  const before = artwork.pixels("line");
  const pixels = inkOf(await decoded(answer.line), artwork.width, artwork.height);
  artwork.context("line").putImageData(pixels, 0, 0);
  history.layer("the lines", "line", before);
  artwork.activate("line");
  artwork.changed();
  return performance.now() - started;
}

async function drawn(artwork, source, find) {
  let image = await toPng(artwork.canvas(source), { paper: "#fff" });
  let answer = null;
  if (find !== NONE) {
    const size = Math.max(64, artwork.width, artwork.height);
    answer = await post("/api/sketch", { image, model: find, style: style.value, size });
    image = answer.line;
  }
  if (simplify.value !== NONE) {
    answer = await post("/api/simplify", { image: asFile(image), model: simplify.value });
  }
  return answer;
}

function asFile(image) {
  if (image instanceof Blob) return image;
  const bytes = Uint8Array.from(atob(image), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}
