// Making of lines from a picture or a rough sketch: by the sketch model, then by the line model.

import { decodeImage, post } from "./api.js";
import { toInk, toPng } from "./artwork.js";

const NONE = "";
const LABELS = {
  tracer: "Tracer",
  xdog: "XDoG",
  sketchkeras: "sketchKeras",
  inker: "Inker",
  centerline: "Centreline",
  simo_serra: "Simo-Serra",
  original: "Original (all lines)",
  enhanced: "Enhanced (fewer lines)",
  pured: "Pured (clear lines)",
};

const sketchModel = document.getElementById("sketch-model");
const styleSelect = document.getElementById("style");
const lineModel = document.getElementById("line-model");

/** List the models and styles of the server. */
export function fillModels(models) {
  const toOption = ({ name, available, reason }) => {
    const option = new Option(LABELS[name] ?? name, name);
    option.disabled = !available;
    option.title = reason ?? "";
    if (!available) option.text += " (not installed)";
    return option;
  };
  sketchModel.replaceChildren(...models.sketch.map(toOption), new Option("None (already a sketch)", NONE));
  lineModel.replaceChildren(...models.simplify.map(toOption), new Option("None", NONE));
  styleSelect.replaceChildren(...models.styles.map((name) => new Option(LABELS[name] ?? name, name)));
  styleSelect.value = models.styles.includes("pured") ? "pured" : models.styles[0];
  sketchModel.addEventListener("change", updateStyleSelect);
}

/** Choose the models for a rough sketch, which needs no sketch model, or for a colour picture. */
export function preselectModels(isSketch) {
  const firstAvailable = [...sketchModel.options].find((option) => !option.disabled);
  sketchModel.value = isSketch ? NONE : firstAvailable.value;
  updateStyleSelect();
}

function updateStyleSelect() {
  styleSelect.disabled = sketchModel.value === NONE;
}

/**
 * Fill the line layer from the sketch layer, or from itself if that is blank.
 * Returns the ms that it took, or null if the sheet was replaced meanwhile.
 * Throws ApiError, or an Error with a message for people.
 */
export async function makeLines(artwork, history) {
  const source = artwork.isEmpty("sketch") ? "line" : "sketch";
  if (artwork.isEmpty(source)) {
    throw new Error("There is nothing to make lines from. Open a picture, or draw a sketch first.");
  }
  const model = source === "sketch" ? sketchModel.value : NONE;
  if (model === NONE && lineModel.value === NONE) {
    throw new Error("Find lines and Simplify are both None. Choose a model for one of them.");
  }
  const { sheetId } = artwork;
  const started = performance.now();
  const response = await requestLines(artwork, source, model);
  if (sheetId !== artwork.sheetId) return null;
  const before = artwork.pixels("line");
  const pixels = toInk(await decodeImage(response.line), artwork.width, artwork.height);
  artwork.context("line").putImageData(pixels, 0, 0);
  history.recordLayer("lines", "line", before);
  artwork.setActiveLayer("line");
  artwork.notifyChange();
  return performance.now() - started;
}

async function requestLines(artwork, source, model) {
  let image = await toPng(artwork.canvas(source), { background: "#fff" });
  let response = null;
  if (model !== NONE) {
    const size = Math.max(64, artwork.width, artwork.height);
    response = await post("/api/sketch", { image, model, style: styleSelect.value, size });
    image = response.line;
  }
  if (lineModel.value !== NONE) {
    response = await post("/api/simplify", { image: toBlob(image), model: lineModel.value });
  }
  return response;
}

function toBlob(image) {
  if (image instanceof Blob) return image;
  const bytes = Uint8Array.from(atob(image), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}
