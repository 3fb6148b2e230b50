// The dialogs: samples, about the model, and keyboard shortcuts.

import { element } from "./notices.js";

const SHORTCUTS = [
  ["B E H I M", "pen, eraser, colour hint, eyedropper, move"],
  ["[ ]", "smaller, larger brush"],
  ["Alt + click", "pick a colour with any tool"],
  ["Space + drag, middle button", "move the sheet"],
  ["Wheel, + − 0", "zoom; 0 fits the sheet to the window"],
  ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"],
  ["1 2 3", "show or hide sketch, lines, hints"],
  ["L", "make lines from the sketch layer"],
  ["C V R", "colour, make variations, new random seed"],
  ["N O D", "new sheet, open a file, samples"],
  ["Ctrl+V", "paste a picture"],
  ["Ctrl+S", "save the result"],
];
const DRAWING_KEYS = [
  ["Tab", "go to the drawing, the result or the next control"],
  ["Arrow keys", "move the cursor on the sheet; with Shift, in small steps"],
  ["Enter", "draw a dot, or pick a colour"],
  ["Space", "start or end a stroke; arrow keys draw it"],
];
const GESTURES = [
  ["One finger or pen", "draw; a pen's pressure changes the size"],
  ["Two fingers", "move and zoom the sheet"],
];

/** Make a button open a dialog; both are given by id. */
export function bindDialog(button, dialog) {
  document.getElementById(button).addEventListener("click", () => {
    document.getElementById(dialog).showModal();
  });
}

export function fillHelp() {
  const table = (rows) =>
    element("table", {}, ...rows.map(([keys, text]) => element("tr", {}, keyCell(keys), element("td", { textContent: text }))));
  const section = (title, rows) => [element("h2", { textContent: title }), table(rows)];
  document
    .getElementById("help-text")
    .replaceChildren(...section("Keyboard", SHORTCUTS), ...section("Drawing with the keyboard", DRAWING_KEYS), ...section("Touch and pen", GESTURES));
}

function keyCell(keys) {
  return element("th", {}, element("kbd", { textContent: keys }));
}

/** List the samples; a click calls `onSelect(sample, layer)` with the layer to load it into. */
export function fillSamples(samples, onSelect) {
  const dialog = document.getElementById("samples-dialog");
  const cards = samples.map((sample, index) => {
    const { id, line, color } = sample;
    const sampleButton = (url, layer, label) => {
      const image = element("img", { src: url, alt: "", loading: "lazy" });
      const state = element("span", { className: "spinner" });
      const button = element("button", { title: label }, image, state);
      image.addEventListener("load", () => state.remove());
      image.addEventListener("error", () => {
        Object.assign(state, { className: "muted", textContent: "not loaded" });
      });
      button.setAttribute("aria-label", `Sample ${index + 1}: ${label}`);
      button.dataset.sample = `${layer}-${id}`;
      button.addEventListener("click", () => {
        dialog.close();
        onSelect(sample, layer);
      });
      return button;
    };
    return element("div", { className: "sample" }, sampleButton(line, "line", "line art"), sampleButton(color, "sketch", "picture"));
  });
  document.getElementById("sample-list").replaceChildren(...cards);
}

/** Show which colorizer is loaded, its metrics, and how to train a better one. */
export function fillAbout(colorizer) {
  const badge = document.getElementById("about");
  badge.className = `badge ${colorizer.available ? "" : "off"}`;
  document.getElementById("model").textContent = colorizer.available
    ? `${colorizer.shipped ? "Sample model" : colorizer.name} · ${colorizer.size} px · ${colorizer.device.toUpperCase()}`
    : "No model";
  const details = colorizer.available ? modelDetails(colorizer) : [paragraph(colorizer.reason)];
  document.getElementById("about-text").replaceChildren(...details, ...trainingHelp(colorizer));
}

function modelDetails({ name, shipped, generator, size, latent, parameters, device, metrics }) {
  const summary = shipped
    ? "This small model comes with Senga. It was trained on pictures that Senga draws. It spreads your hints over the areas of the drawing: put one into every area that matters. Without any hint it has little idea of colours."
    : `This is ${name}, loaded with --colorizer.`;
  const rows = [
    ["Network", generator === "netl_spade" ? "netL-SPADE" : "SPADE"],
    ["Resolution", `${size} × ${size} pixels`],
    ["Parameters", parameters.toLocaleString("en")],
    ["Latent dimensions", latent],
    ["Device", device.toUpperCase()],
    ...metricRows(metrics),
  ];
  const row = ([key, value]) => element("tr", {}, element("th", { textContent: key }), element("td", { textContent: value }));
  return [paragraph(summary), element("table", {}, ...rows.map(row))];
}

/** Return rows with metrics of EvaluateColorizer at z = 0, if the model comes with them. */
function metricRows(metrics) {
  if (!Array.isArray(metrics)) return [];
  const isShown = ({ method, z, hints }) => z === "zero" && hints === 10 && method.includes("SPADE");
  const titles = { psnr: ["PSNR with 10 hints", "dB"], hint_difference: ["Colour error in 10 hints", "CIEDE2000"] };
  return metrics
    .map((row) => ({ ...row, title: titles[row.metric ?? row.measure] })) // measure: of earlier versions
    .filter((row) => isShown(row) && row.title && row.mean !== null)
    .map(({ title, mean, n }) => [title[0], `${mean.toFixed(1)} ${title[1]}, ${n} test pictures`]);
}

function trainingHelp({ train }) {
  const commands = `${train}\npython -m pipeline.demo --colorizer data/<dataset>/colorizer.safetensors`;
  return [
    element("h2", { textContent: "Train a better model" }),
    paragraph("The first command trains the sample model. For a better one, write a config of your own, with your own pictures, wider networks and more epochs, and train on a GPU. The second command starts the demo with the new model."),
    element("pre", {}, element("code", { textContent: commands })),
  ];
}

const paragraph = (text) => element("p", { textContent: text });
