// The panel's swatches and layers, and the column of tools.

import { LAYERS } from "./artwork.js";
import { element, icon } from "./notices.js";
import { check, radioGroup } from "./tools.js";

const PALETTE = {
  skin: "#f7d9c4", peach: "#eeb195", brown: "#8a5a3c", "dark brown": "#43291f",
  blond: "#f2d06b", orange: "#f08a3c", red: "#d8343f", "dark red": "#8c1d33",
  pink: "#f49ab5", violet: "#8d5bc2", navy: "#2c3566", blue: "#3d7fd6",
  sky: "#8fd0ee", teal: "#2f9e93", green: "#5aa84a", "dark green": "#27613f",
  white: "#ffffff", "light grey": "#cfd0d8", grey: "#83859a", black: "#26242e",
  cream: "#f6efdc", lilac: "#cfc0ee", mint: "#bfe6d0", lemon: "#f7f0a0",
};
const TITLES = { sketch: "Sketch", line: "Lines", hints: "Hints" };
const HINT_KEYS = { sketch: "1", line: "2", hints: "3" };

/** The tools, and what belongs to the one that is held. */
export function toolPanel(tools) {
  const group = document.querySelector(".tools");
  const buttons = [...group.querySelectorAll("button")];
  const size = document.getElementById("size");
  radioGroup(group, buttons, (button) => tools.take(button.dataset.tool));
  size.addEventListener("input", () => tools.resize(Number(size.value)));
  const pressure = document.getElementById("pressure");
  pressure.addEventListener("change", () => (tools.pressure = pressure.checked));
  const show = () => {
    check(buttons, buttons.find((button) => button.dataset.tool === tools.name));
    size.disabled = !tools.draws;
    size.value = tools.size;
    document.getElementById("size-value").textContent = tools.draws ? `${tools.size}` : "";
    for (const canvas of document.querySelectorAll(".stage canvas")) canvas.dataset.tool = tools.name;
  };
  tools.addEventListener("change", show);
  show();
}

/** The hints' colour; taking one takes the hint brush too. */
export function palette(tools) {
  const group = document.getElementById("swatches");
  const picker = document.getElementById("color");
  const take = (color) => {
    tools.dye(color);
    if (tools.name !== "hint") tools.take("hint");
  };
  const buttons = Object.entries(PALETTE).map(([name, color]) => {
    const button = element("button", { title: name });
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", name);
    button.dataset.color = color;
    button.style.backgroundColor = color;
    return button;
  });
  group.replaceChildren(...buttons);
  radioGroup(group, buttons, (button) => take(button.dataset.color));
  picker.addEventListener("input", () => take(picker.value));
  const show = () => {
    picker.value = tools.color;
    document.getElementById("hex").textContent = tools.color;
    check(buttons, buttons.find((button) => button.dataset.color === tools.color));
  };
  tools.addEventListener("change", show);
  show();
}

/** Which layer the brush works on, which ones are seen, and a way to empty each. */
export function layerPanel(artwork, history, say) {
  const list = document.getElementById("layers");
  const rows = LAYERS.map((name) => layerRow(name));
  list.replaceChildren(...rows.map(({ row }) => row));
  for (const { name, eye, title, clear } of rows) {
    eye.addEventListener("click", () => artwork.show(name, !artwork.visible[name]));
    title.addEventListener("click", () => artwork.activate(name));
    clear.addEventListener("click", () => {
      if (artwork.isEmpty(name)) return;
      const before = artwork.pixels(name);
      artwork.context(name).clearRect(0, 0, artwork.width, artwork.height);
      history.layer(`clearing ${TITLES[name].toLowerCase()}`, name, before);
      artwork.changed();
      say(`${TITLES[name]}: cleared`);
    });
  }
  const show = () => {
    for (const { name, eye, title } of rows) {
      eye.setAttribute("aria-pressed", String(artwork.visible[name]));
      title.setAttribute("aria-pressed", String(artwork.active === name));
    }
  };
  artwork.addEventListener("active", show);
  artwork.addEventListener("change", show);
  show();
}

function layerRow(name) {
  const eye = element("button", { className: "icon", title: `Show or hide (${HINT_KEYS[name]})` }, icon("eye"));
  eye.setAttribute("aria-label", `Show ${TITLES[name].toLowerCase()}`);
  const title = element("button", { className: "name", textContent: TITLES[name] });
  title.title = "Draw and erase on this layer";
  const clear = element("button", { textContent: "Clear" });
  clear.setAttribute("aria-label", `Clear ${TITLES[name].toLowerCase()}`);
  eye.dataset.show = title.dataset.layer = clear.dataset.clear = name;
  return { name, eye, title, clear, row: element("div", { className: "layer" }, eye, title, clear) };
}
