// The page: its parts, and how they are connected.

import { get } from "./api.js";
import { Artwork, toPng } from "./artwork.js";
import { Colorizer } from "./colorizer.js";
import { bindDialog, fillAbout, fillHelp, fillSamples } from "./dialogs.js";
import {
  bindFileInput,
  bindFileInputs,
  download,
  fetchHints,
  fetchPicture,
  invert,
  loadIntoLayer,
  looksInverted,
  looksLikeLines,
  readPicture,
} from "./files.js";
import { History } from "./history.js";
import { Latent } from "./latent.js";
import { fillModels, makeLines, preselectModels } from "./lines.js";
import { clearNotices, element, notify, setStatus, showError } from "./notices.js";
import { bindLayerPanel, bindPalette, bindToolPanel } from "./panels.js";
import { Pointer } from "./pointer.js";
import { bindShortcuts } from "./shortcuts.js";
import { loadDrawing, saveDrawing } from "./storage.js";
import { Tools, bindRadioGroup, setChecked } from "./tools.js";
import { SheetView, Viewport } from "./view.js";

const SAVE_DELAY_MS = 400; // after the last change
const DEFAULT_LIMITS = { pixels: 2 ** 24, min_side: 16 }; // until the server's are loaded
const byId = (id) => document.getElementById(id);
const on = (id, event, listener) => byId(id).addEventListener(event, listener);

const artwork = new Artwork();
const history = new History(artwork);
const tools = new Tools(artwork);
const latent = new Latent();
const viewport = new Viewport();
const colorizer = new Colorizer(artwork, latent);
const showsLines = () => byId("lines-on-top").checked;
const drawing = new SheetView(byId("drawing"), viewport, artwork, (context) => artwork.drawTo(context));
const result = new SheetView(byId("result"), viewport, artwork, (context) => colorizer.drawTo(context, showsLines()));
let limits = DEFAULT_LIMITS;
let isUnsaved = false; // whether closing the page would lose work
let saveTimer = null;

const pointer = new Pointer({ artwork, viewport, tools, history, pickColor, setStatus }, [drawing, result]);
bindToolPanel(tools);
bindPalette(tools);
bindLayerPanel(artwork, history, setStatus);
fillHelp();
bindEvents();
start();

/** Load the list of models, and open the drawing of before a reload, or the first sample. */
async function start() {
  requestAnimationFrame(fitSheet);
  let models;
  try {
    models = await get("/api/models");
  } catch (error) {
    return showBanner(error.message);
  }
  limits = models.limits;
  fillModels(models);
  fillAbout(models.colorizer);
  fillSamples(models.samples, openSample);
  byId("colorize").disabled = byId("make-variations").disabled = !models.colorizer.available;
  if (models.colorizer.available) {
    Object.assign(colorizer, { available: true, size: models.colorizer.size });
    latent.setDimensions(models.colorizer.latent);
  } else {
    showBanner(models.colorizer.reason);
    byId("empty-result").firstElementChild.textContent = "No model is loaded, so nothing can be coloured.";
  }
  const [sample] = models.samples;
  const restored = await restoreDrawing();
  if (!restored && sample) await openSample(sample, "line");
  if (restored && sample) offerSample(sample);
  history.clear();
  artwork.addEventListener("change", keepDrawing);
  document.body.dataset.ready = "true";
}

function bindEvents() {
  artwork.addEventListener("change", onArtworkChange);
  artwork.addEventListener("layers", () => drawing.redraw());
  history.addEventListener("change", () => {
    byId("undo").disabled = !history.canUndo;
    byId("redo").disabled = !history.canRedo;
  });
  latent.addEventListener("change", () => colorizer.runNext());
  viewport.addEventListener("change", () => (byId("zoom").textContent = `${Math.round(viewport.scale * 100)} %`));
  bindColorizer();
  bindButtons();
  bindFileInputs(byId("file"), openFile);
  bindFileInput(byId("reference-file"), openReference);
  bindShortcuts({ artwork, tools, undo, redo, click: (id) => byId(id).click() });
  window.addEventListener("beforeunload", (event) => isUnsaved && event.preventDefault());
}

function bindButtons() {
  on("new", "click", newSheet);
  on("open", "click", () => byId("file").click());
  on("reference", "click", () => byId("reference-file").click());
  bindDialog("samples", "samples-dialog");
  bindDialog("about", "about-dialog");
  bindDialog("help", "help-dialog");
  on("undo", "click", undo);
  on("redo", "click", redo);
  on("zoom-in", "click", () => viewport.zoom(1.25));
  on("zoom-out", "click", () => viewport.zoom(0.8));
  on("fit", "click", fitSheet);
  on("make-lines", "click", runMakeLines);
  on("colorize", "click", () => colorizer.run());
  on("make-variations", "click", () => colorizer.makeVariations());
  on("close-variations", "click", () => setVariationsVisible(false));
  on("lines-on-top", "change", () => result.redraw());
  on("live", "change", () => {
    colorizer.live = colorizer.forceLive = byId("live").checked;
    colorizer.schedule();
  });
  on("save-line", "click", () => downloadCanvas(artwork.canvas("line"), "lines.png", "#fff"));
  on("save-hints", "click", () => downloadCanvas(artwork.canvas("hints"), "lines.hints.png"));
  on("save-result", "click", downloadResult);
}

function bindColorizer() {
  colorizer.addEventListener("busy", () => {
    byId("spinner").hidden = !colorizer.busy;
    byId("result").setAttribute("aria-busy", String(colorizer.busy));
  });
  colorizer.addEventListener("result", ({ detail }) => {
    byId("empty-result").hidden = colorizer.image !== null;
    byId("duration").textContent = detail.ms === null ? "" : formatMs(detail.ms);
    if (detail.ms !== null) {
      clearNotices("server");
      setStatus(`Coloured in ${formatMs(detail.ms)}`);
      document.body.dataset.results = Number(document.body.dataset.results ?? 0) + 1;
    }
    result.redraw();
  });
  colorizer.addEventListener("variations", ({ detail }) => showVariations(detail));
  colorizer.addEventListener("error", ({ detail }) => showError(detail, "server"));
  colorizer.addEventListener("slow", ({ detail }) => {
    byId("live").checked = false;
    notify(`Colouring takes ${formatMs(detail.ms)}, so Live is off now. Press Colour, or turn Live on again.`);
  });
}

function onArtworkChange({ detail: { scope } }) {
  drawing.redraw();
  if (showsLines()) result.redraw();
  if (scope === "sheet") {
    colorizer.clear();
    setVariationsVisible(false);
    fitSheet();
  }
  if (!colorizer.live && colorizer.image) byId("duration").textContent = "older than the drawing";
  colorizer.schedule();
}

function fitSheet() {
  viewport.fit(artwork, drawing.size);
}

/** Open the drawing that this browser has kept, if any; return whether it did. */
async function restoreDrawing() {
  const kept = await loadDrawing();
  if (!kept) return false;
  artwork.active = kept.active;
  artwork.restore(kept);
  return true;
}

function offerSample(sample) {
  const onClick = () => openSample(sample, "line");
  notify("Your last drawing is open again.", { action: { label: "Open a sample", onClick } });
}

/** Keep the drawing in this browser once it has not changed for a moment. */
function keepDrawing() {
  isUnsaved = true;
  clearTimeout(saveTimer);
  saveTimer = setTimeout(async () => {
    saveTimer = null;
    try {
      await saveDrawing({ ...artwork.snapshot(), active: artwork.active });
      isUnsaved = saveTimer !== null;
    } catch {
      // The browser keeps nothing, as some private windows do: closing the page asks first.
    }
  }, SAVE_DELAY_MS);
}

function newSheet() {
  const before = artwork.snapshot();
  artwork.active = "line";
  artwork.restore();
  history.recordSheet("new sheet", before);
  tools.select("pen");
  setStatus("New blank sheet");
}

async function openFile(file) {
  try {
    const picture = await readPicture(file, limits);
    clearNotices("file");
    if (looksInverted(picture)) {
      openPicture(invert(picture), "line");
      offerOriginal(picture);
      return;
    }
    const layer = looksLikeLines(picture) ? "line" : "sketch";
    openPicture(picture, layer);
    offerCorrection(picture, layer);
  } catch (error) {
    showError(error, "file");
  }
}

/** Take z from a picture. */
async function openReference(file) {
  try {
    const picture = await readPicture(file, limits);
    clearNotices("reference");
    latent.setReference(await toPng(picture, { maxSide: 2 * colorizer.size }), file.name);
  } catch (error) {
    showError(error, "reference");
  }
}

/** Open a sample: as line art with a few hints, which say how hints work, or as a picture. */
async function openSample(sample, layer) {
  try {
    if (layer === "line") {
      const lines = await fetchPicture(sample.line, limits);
      openPicture(lines, layer, { hints: await fetchHints(sample.hints, lines) });
    } else {
      openPicture(await fetchPicture(sample.color, limits), layer);
    }
    clearNotices("file");
    if (layer === "sketch") setStatus("Opened as a picture: press Make lines to find its lines");
  } catch (error) {
    showError(error, "server");
  }
}

function openPicture(picture, layer, others = {}) {
  clearNotices("opened");
  loadIntoLayer(artwork, history, picture, layer, others);
  preselectModels(false);
  tools.select(layer === "line" ? "hint" : "pen");
}

/** Offer to open a dark picture as it is, after it was taken for white lines on black. */
function offerOriginal(picture) {
  const onClick = () => openPicture(picture, "sketch");
  notify("Opened as white lines on black, and inverted.", {
    topic: "opened",
    action: { label: "It is a picture", onClick },
  });
}

/** Tell the user which layer a picture was opened in, which is a guess, and offer the other one. */
function offerCorrection(picture, layer) {
  if (layer === "line") {
    const onClick = () => {
      openPicture(picture, "sketch");
      preselectModels(true);
    };
    return notify("Opened as line art.", { topic: "opened", action: { label: "It is a rough sketch", onClick } });
  }
  const onClick = () => openPicture(picture, "line");
  return notify("Opened as a picture: press Make lines to find its lines.", {
    topic: "opened",
    action: { label: "It is line art", onClick },
  });
}

async function runMakeLines() {
  const button = byId("make-lines");
  button.disabled = true;
  byId("drawing").setAttribute("aria-busy", "true");
  setStatus("Making lines…");
  try {
    const ms = await makeLines(artwork, history);
    if (ms === null) return;
    clearNotices("lines");
    clearNotices("opened");
    setStatus(`Lines made in ${formatMs(ms)}`);
    tools.select("hint");
    if (!colorizer.live) colorizer.run();
  } catch (error) {
    showError(error, "lines");
    setStatus("");
  } finally {
    button.disabled = false;
    byId("drawing").removeAttribute("aria-busy");
  }
}

/** Take the colour at a point of the sheet as the hint colour. */
function pickColor(point, view) {
  const canvas = view === result && colorizer.image ? colorizer.toCanvas(showsLines()) : drawingCanvas();
  const [x, y] = [Math.floor(point.x), Math.floor(point.y)];
  if (x < 0 || y < 0 || x >= artwork.width || y >= artwork.height) return;
  const [red, green, blue] = canvas.getContext("2d").getImageData(x, y, 1, 1).data;
  const color = `#${[red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
  tools.setColor(color);
  tools.select("hint");
  setStatus(`Picked colour ${color}`);
}

/** Return the drawing at the sheet's size, with its full colours. */
function drawingCanvas() {
  const canvas = element("canvas", { width: artwork.width, height: artwork.height });
  artwork.drawTo(canvas.getContext("2d", { willReadFrequently: true }), { faint: false });
  return canvas;
}

function undo() {
  if (pointer.drawing) return;
  const label = history.undo();
  if (label) setStatus(`Undone: ${label}`);
}

function redo() {
  if (pointer.drawing) return;
  const label = history.redo();
  if (label) setStatus(`Redone: ${label}`);
}

function showVariations(variations) {
  const group = byId("variations");
  const buttons = variations.map(({ image, seed }, index) => {
    const button = element("button", { title: `Seed ${seed}` }, image);
    image.alt = "";
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", `Variation ${index + 1}`);
    return button;
  });
  const choose = (button) => {
    const { image, seed } = variations[buttons.indexOf(button)];
    setChecked(buttons, button);
    latent.setSeed(seed, { silent: true });
    colorizer.setResult(image);
    if (colorizer.busy) colorizer.run(); // the request in progress has another z
  };
  group.replaceChildren(...buttons);
  setChecked(buttons, null);
  bindRadioGroup(group, buttons, choose);
  setVariationsVisible(true);
  setStatus(`${variations.length} variations`);
}

function setVariationsVisible(visible) {
  byId("variations-strip").hidden = !visible;
}

async function downloadCanvas(canvas, name, background = null) {
  download(await toPng(canvas, { background }), name);
  setStatus(`Saved ${name}`);
}

function downloadResult() {
  if (!colorizer.image) return notify("There is no result to save yet. Press Colour first.");
  downloadCanvas(colorizer.toCanvas(showsLines()), "result.png");
}

/** Show an error that stays above the page. */
function showBanner(text) {
  byId("error-banner").textContent = text;
  byId("error-banner").hidden = false;
}

const formatMs = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
