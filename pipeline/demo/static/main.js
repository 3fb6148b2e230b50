// Puts the page together.

import { get } from "./api.js";
import { Artwork, toPng } from "./artwork.js";
import { Colorizing } from "./colorizer.js";
import { fillAbout, fillHelp, fillSamples, opens } from "./dialogs.js";
import { fetchPicture, hearOfFiles, lay, looksLikeLines, readPicture, save } from "./files.js";
import { History } from "./history.js";
import { Latent } from "./latent.js";
import { makeLines, offer, suit } from "./lines.js";
import { complain, element, notify, say, settle } from "./notices.js";
import { layerPanel, palette, toolPanel } from "./panels.js";
import { Pointer } from "./pointer.js";
import { hearOfKeys } from "./shortcuts.js";
import { Tools, check, radioGroup } from "./tools.js";
import { Side, View } from "./view.js";

const LIMITS = { pixels: 2 ** 24, smallest_side: 16 }; // until the server says its own
const byId = (id) => document.getElementById(id);
const on = (id, act, event = "click") => byId(id).addEventListener(event, act);

const artwork = new Artwork();
const history = new History(artwork);
const tools = new Tools(artwork);
const latent = new Latent();
const view = new View();
const colorizing = new Colorizing(artwork, latent);
const keeps = () => byId("keep").checked;
const drawing = new Side(byId("drawing"), view, artwork, (context) => artwork.paint(context));
const result = new Side(byId("result"), view, artwork, (context) => colorizing.paint(context, keeps()));
let limits = LIMITS;
let touched = false; // whether there is work that a closed page would lose

const pointer = new Pointer({ artwork, view, tools, history, pick, say }, [drawing, result]);
toolPanel(tools);
palette(tools);
layerPanel(artwork, history, say);
fillHelp();
bind();
start();

/** Asks for the models, and opens with the first sample. */
async function start() {
  requestAnimationFrame(fit);
  let models;
  try {
    models = await get("/api/models");
  } catch (error) {
    return trouble(error.message);
  }
  limits = models.limits;
  offer(models);
  fillAbout(models.colorizer);
  fillSamples(models.samples, openSample);
  byId("colorize").disabled = byId("vary").disabled = !models.colorizer.available;
  if (models.colorizer.available) {
    Object.assign(colorizing, { ready: true, size: models.colorizer.size });
    latent.dimensions(models.colorizer.latent);
  } else {
    trouble(models.colorizer.reason);
    byId("empty").firstElementChild.textContent = "There is no model that could colour it.";
  }
  if (models.samples.length) await openSample(models.samples[0].line, "line");
  history.forget();
  document.body.dataset.ready = "true";
}

function bind() {
  artwork.addEventListener("change", changed);
  artwork.addEventListener("active", () => drawing.redraw());
  history.addEventListener("change", () => {
    byId("undo").disabled = !history.canUndo;
    byId("redo").disabled = !history.canRedo;
    touched = history.canUndo;
  });
  latent.addEventListener("change", () => colorizing.next());
  view.addEventListener("change", () => (byId("zoom").textContent = `${Math.round(view.scale * 100)} %`));
  bindColorizing();
  bindButtons();
  hearOfFiles(byId("file"), openFile);
  hearOfKeys({ artwork, tools, undo, redo, click: (id) => byId(id).click() });
  window.addEventListener("beforeunload", (event) => touched && event.preventDefault());
}

function bindButtons() {
  on("new", newSheet);
  on("open", () => byId("file").click());
  opens("samples", "samples-dialog");
  opens("about", "about-dialog");
  opens("help", "help-dialog");
  on("undo", undo);
  on("redo", redo);
  on("zoom-in", () => view.zoom(1.25));
  on("zoom-out", () => view.zoom(0.8));
  on("fit", fit);
  on("make-lines", lines);
  on("colorize", () => colorizing.now());
  on("vary", () => colorizing.vary());
  on("strip-close", () => showStrip(false));
  on("keep", () => result.redraw(), "change");
  on("live", () => {
    colorizing.live = colorizing.patient = byId("live").checked;
    colorizing.soon();
  }, "change");
  on("save-line", () => keep(artwork.canvas("line"), "lines.png", "#fff"));
  on("save-hints", () => keep(artwork.canvas("hints"), "lines.hints.png"));
  on("save-result", saveResult);
}

function bindColorizing() {
  colorizing.addEventListener("busy", () => {
    byId("spinner").hidden = !colorizing.busy;
    byId("result").setAttribute("aria-busy", String(colorizing.busy));
  });
  colorizing.addEventListener("result", ({ detail }) => {
    byId("empty").hidden = colorizing.image !== null;
    byId("took").textContent = detail.ms === null ? "" : seconds(detail.ms);
    if (detail.ms !== null) {
      settle("server");
      say(`Coloured in ${seconds(detail.ms)}`);
      document.body.dataset.results = Number(document.body.dataset.results ?? 0) + 1;
    }
    result.redraw();
  });
  colorizing.addEventListener("variations", ({ detail }) => showVariations(detail));
  colorizing.addEventListener("error", ({ detail }) => complain(detail, "server"));
  colorizing.addEventListener("slow", ({ detail }) => {
    byId("live").checked = false;
    notify(`Colouring takes ${seconds(detail.ms)} here, so it now waits for the button Colour.`);
  });
}

function changed({ detail: { kind } }) {
  drawing.redraw();
  if (keeps()) result.redraw();
  if (kind === "sheet") {
    colorizing.clear();
    showStrip(false);
    fit();
  }
  if (!colorizing.live && colorizing.image) byId("took").textContent = "older than the drawing";
  colorizing.soon();
}

function fit() {
  view.fit(artwork, drawing.room);
}

function newSheet() {
  const before = artwork.snapshot();
  artwork.active = "line";
  artwork.restore();
  history.sheet("the new sheet", before);
  tools.take("pen");
  say("A blank sheet");
}

async function openFile(file) {
  try {
    const picture = await readPicture(file, limits);
    const layer = looksLikeLines(picture) ? "line" : "sketch";
    place(picture, layer);
    settle("file");
    offerTheOther(picture, layer);
  } catch (error) {
    complain(error, "file");
  }
}

async function openSample(address, layer) {
  try {
    place(await fetchPicture(address, limits), layer);
    settle("file");
    if (layer === "sketch") say("A picture: press Make lines to find its lines");
  } catch (error) {
    complain(error, "server");
  }
}

function place(picture, layer) {
  lay(artwork, history, picture, layer);
  suit(false);
  tools.take(layer === "line" ? "hint" : "pen");
}

/** What a picture is was a guess: says which, and offers what else it may be. */
function offerTheOther(picture, layer) {
  if (layer === "line") {
    const act = () => {
      place(picture, "sketch");
      suit(true);
    };
    return notify("Taken as line art.", { action: { label: "It is a rough sketch", act } });
  }
  const act = () => place(picture, "line");
  return notify("Taken as a picture: press Make lines to find its lines.", {
    action: { label: "It is line art", act },
  });
}

async function lines() {
  const button = byId("make-lines");
  button.disabled = true;
  byId("drawing").setAttribute("aria-busy", "true");
  say("Looking for lines");
  try {
    const ms = await makeLines(artwork, history);
    if (ms === null) return;
    settle("lines");
    say(`Lines in ${seconds(ms)}`);
    tools.take("hint");
    if (!colorizing.live) colorizing.now();
  } catch (error) {
    complain(error, "lines");
    say("");
  } finally {
    button.disabled = false;
    byId("drawing").removeAttribute("aria-busy");
  }
}

function pick(place, side) {
  const canvas = side === result && colorizing.image ? colorizing.picture(keeps()) : seen();
  const [x, y] = [Math.floor(place.x), Math.floor(place.y)];
  if (x < 0 || y < 0 || x >= artwork.width || y >= artwork.height) return;
  const [red, green, blue] = canvas.getContext("2d").getImageData(x, y, 1, 1).data;
  const color = `#${[red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
  tools.dye(color);
  tools.take("hint");
  say(`Colour ${color}`);
}

/** The drawing at the sheet's size, for its colours. */
function seen() {
  const canvas = element("canvas", { width: artwork.width, height: artwork.height });
  artwork.paint(canvas.getContext("2d", { willReadFrequently: true }), { faint: false });
  return canvas;
}

function undo() {
  if (pointer.drawing) return;
  const what = history.undo();
  if (what) say(`Undone: ${what}`);
}

function redo() {
  if (pointer.drawing) return;
  const what = history.redo();
  if (what) say(`Done again: ${what}`);
}

function showVariations(choices) {
  const group = byId("variations");
  const buttons = choices.map(({ image, seed }, number) => {
    const button = element("button", { title: `z of seed ${seed}` }, image);
    image.alt = "";
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", `Variation ${number + 1}`);
    return button;
  });
  const choose = (button) => {
    const { image, seed } = choices[buttons.indexOf(button)];
    check(buttons, button);
    latent.draw(seed, { silent: true });
    colorizing.show(image);
    if (colorizing.busy) colorizing.now(); // what is under way has another z
  };
  group.replaceChildren(...buttons);
  check(buttons, null);
  radioGroup(group, buttons, choose);
  showStrip(true);
  say(`${choices.length} variations`);
}

function showStrip(shown) {
  byId("strip").hidden = !shown;
}

async function keep(canvas, name, paper = null) {
  save(await toPng(canvas, { paper }), name);
  say(`Saved ${name}`);
}

function saveResult() {
  if (!colorizing.image) return notify("There is no result to save yet: press Colour first.");
  keep(colorizing.picture(keeps()), "result.png");
}

function trouble(sentence) {
  byId("trouble").textContent = sentence;
  byId("trouble").hidden = false;
}

const seconds = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
