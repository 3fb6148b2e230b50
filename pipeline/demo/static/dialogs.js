// The samples, the model, and the keys.

import { element } from "./notices.js";

const KEYS = [
  ["B E H I M", "pen, eraser, colour hint, eyedropper, move"],
  ["[ ]", "smaller and larger brush"],
  ["Alt + click", "takes a colour with any tool"],
  ["Space + drag, middle button", "moves the sheet"],
  ["Wheel, + − 0", "zooms; 0 fits the sheet to the window"],
  ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"],
  ["1 2 3", "shows or hides sketch, lines, hints"],
  ["L", "makes lines from the sketch layer"],
  ["C V R", "colours, makes variations, shuffles z"],
  ["N O D", "a new sheet, a file, the samples"],
  ["Ctrl+V", "pastes a picture"],
  ["Ctrl+S", "saves the result"],
];
const WITHOUT_MOUSE = [
  ["Tab", "goes to the drawing, the result and every control"],
  ["Arrows", "move the cursor on the sheet; with Shift in small steps"],
  ["Enter", "puts a dot, or takes a colour"],
  ["Space", "puts the pen down, and lifts it: arrows draw between"],
];
const FINGERS = [
  ["One finger or pen", "draws; a pen's pressure sets the size"],
  ["Two fingers", "move and zoom the sheet"],
];

/** Opens a dialog by a button. */
export function opens(button, dialog) {
  document.getElementById(button).addEventListener("click", () => {
    document.getElementById(dialog).showModal();
  });
}

export function fillHelp() {
  const table = (rows) =>
    element("table", {}, ...rows.map(([keys, text]) => element("tr", {}, keyCell(keys), element("td", { textContent: text }))));
  const part = (title, rows) => [element("h2", { textContent: title }), table(rows)];
  document
    .getElementById("help-text")
    .replaceChildren(...part("Keys", KEYS), ...part("Without a mouse", WITHOUT_MOUSE), ...part("On a tablet", FINGERS));
}

function keyCell(keys) {
  return element("th", {}, element("kbd", { textContent: keys }));
}

/** The samples, to take as lines or as a picture: `take(address, layer)`. */
export function fillSamples(samples, take) {
  const dialog = document.getElementById("samples-dialog");
  const cards = samples.map(({ id, line, color }, number) => {
    const button = (address, layer, text) => {
      const image = element("img", { src: address, alt: "", loading: "lazy" });
      const made = element("button", { title: text }, image);
      made.setAttribute("aria-label", `Sample ${number + 1}: ${text}`);
      made.dataset.sample = `${layer}-${id}`;
      made.addEventListener("click", () => {
        dialog.close();
        take(address, layer);
      });
      return made;
    };
    return element("div", { className: "sample" }, button(line, "line", "line art"), button(color, "sketch", "picture"));
  });
  document.getElementById("sample-list").replaceChildren(...cards);
}

/** What is loaded, how good it is, and how to train a better one. */
export function fillAbout(colorizer) {
  const badge = document.getElementById("about");
  badge.className = `badge ${colorizer.available ? "" : "off"}`;
  document.getElementById("model").textContent = colorizer.available
    ? `${colorizer.shipped ? "Sample model" : colorizer.name} · ${colorizer.size} px · ${colorizer.device.toUpperCase()}`
    : "No model";
  const parts = colorizer.available ? described(colorizer) : [paragraph(colorizer.reason)];
  document.getElementById("about-text").replaceChildren(...parts, ...better(colorizer));
}

function described({ name, shipped, generator, size, latent, parameters, device, metrics }) {
  const said = shipped
    ? "This small model comes with Senga. It was trained on a CPU with drawings of Senga's own sample booru, so it knows characters from the waist up on white, drawn in that one manner, and little else."
    : `This is ${name}, which was given with --colorizer.`;
  const rows = [
    ["Network", generator === "netl_spade" ? "netL-SPADE" : "SPADE"],
    ["Paints at", `${size} × ${size} pixels`],
    ["Parameters", parameters.toLocaleString("en")],
    ["Dimensions of z", latent],
    ["Runs on", device.toUpperCase()],
    ...measured(metrics),
  ];
  const line = ([key, value]) => element("tr", {}, element("th", { textContent: key }), element("td", { textContent: value }));
  return [paragraph(said), element("table", {}, ...rows.map(line))];
}

/** Rows of what EvaluateColorizer has found, with z = 0, where it came with the model. */
function measured(metrics) {
  if (!Array.isArray(metrics)) return [];
  const of = ({ method, z, hints }) => z === "zero" && hints === 10 && method.includes("SPADE");
  const titles = { psnr: ["PSNR with 10 hints", "dB"], hint_difference: ["Colour error in 10 hints", "CIEDE2000"] };
  return metrics
    .filter((row) => of(row) && titles[row.measure] && row.mean !== null)
    .map(({ measure, mean, n }) => [titles[measure][0], `${mean.toFixed(1)} ${titles[measure][1]}, ${n} test pictures`]);
}

function better({ train }) {
  const commands = `${train}\npython -m pipeline.demo --colorizer data/<dataset>/colorizer/<recipe>`;
  return [
    element("h2", { textContent: "A better one" }),
    paragraph("The sample model was made by the first of these commands. A recipe of your own in its place, with pictures of your own, wider networks, more epochs and a GPU, makes a better one; the second starts the demo with it."),
    element("pre", {}, element("code", { textContent: commands })),
  ];
}

const paragraph = (text) => element("p", { textContent: text });
