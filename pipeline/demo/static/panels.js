// The controls of tools, hint colours and layers.

import { LAYERS } from "./artwork.js";
import { element, icon } from "./notices.js";
import { setChecked, bindRadioGroup } from "./tools.js";

const PALETTE = {
  skin: "#f7d9c4", peach: "#eeb195", brown: "#8a5a3c", "dark brown": "#43291f",
  blond: "#f2d06b", orange: "#f08a3c", red: "#d8343f", "dark red": "#8c1d33",
  pink: "#f49ab5", violet: "#8d5bc2", navy: "#2c3566", blue: "#3d7fd6",
  sky: "#8fd0ee", teal: "#2f9e93", green: "#5aa84a", "dark green": "#27613f",
  white: "#ffffff", "light grey": "#cfd0d8", grey: "#83859a", black: "#26242e",
  cream: "#f6efdc", lilac: "#cfc0ee", mint: "#bfe6d0", lemon: "#f7f0a0",
};
const TITLES = { sketch: "Sketch", line: "Lines", hints: "Hints" };
const LAYER_KEYS = { sketch: "1", line: "2", hints: "3" };

/** Bind the tools, and the size of the selected one. */
export function bindToolPanel(tools) {
  const group = document.querySelector(".tools");
  const buttons = [...group.querySelectorAll("button")];
  const size = document.getElementById("size");
  bindRadioGroup(group, buttons, (button) => tools.select(button.dataset.tool));
  size.addEventListener("input", () => tools.setSize(Number(size.value)));
  const pressure = document.getElementById("pressure");
  pressure.addEventListener("change", () => (tools.pressure = pressure.checked));
  const update = () => {
    setChecked(buttons, buttons.find((button) => button.dataset.tool === tools.name));
    size.disabled = !tools.isBrush;
    size.value = tools.size;
    document.getElementById("size-value").textContent = tools.isBrush ? `${tools.size}` : "";
    for (const canvas of document.querySelectorAll(".stage canvas")) canvas.dataset.tool = tools.name;
  };
  tools.addEventListener("change", update);
  update();
}

/** Bind the hint colours; choosing one also selects the hint tool. */
export function bindPalette(tools) {
  const group = document.getElementById("swatches");
  const picker = document.getElementById("color");
  const choose = (color) => {
    tools.setColor(color);
    if (tools.name !== "hint") tools.select("hint");
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
  bindRadioGroup(group, buttons, (button) => choose(button.dataset.color));
  picker.addEventListener("input", () => choose(picker.value));
  const update = () => {
    picker.value = tools.color;
    document.getElementById("hex").textContent = tools.color;
    setChecked(buttons, buttons.find((button) => button.dataset.color === tools.color));
  };
  tools.addEventListener("change", update);
  update();
}

/** Bind the layers: the active one, the visible ones, and buttons that clear them. */
export function bindLayerPanel(artwork, history, setStatus) {
  const list = document.getElementById("layers");
  const rows = LAYERS.map((name) => layerRow(name));
  list.replaceChildren(...rows.map(({ row }) => row));
  for (const { name, eye, title, clear } of rows) {
    eye.addEventListener("click", () => artwork.setVisible(name, !artwork.visible[name]));
    title.addEventListener("click", () => artwork.setActiveLayer(name));
    clear.addEventListener("click", () => {
      if (artwork.isEmpty(name)) return;
      const before = artwork.pixels(name);
      artwork.context(name).clearRect(0, 0, artwork.width, artwork.height);
      history.recordLayer(`clear ${TITLES[name].toLowerCase()}`, name, before);
      artwork.notifyChange();
      setStatus(`${TITLES[name]} cleared`);
    });
  }
  const update = () => {
    for (const { name, eye, title } of rows) {
      eye.setAttribute("aria-pressed", String(artwork.visible[name]));
      title.setAttribute("aria-pressed", String(artwork.active === name));
    }
  };
  artwork.addEventListener("layers", update);
  artwork.addEventListener("change", update);
  update();
}

function layerRow(name) {
  const eye = element("button", { className: "icon", title: `Show or hide (${LAYER_KEYS[name]})` }, icon("eye"));
  eye.setAttribute("aria-label", `Show ${TITLES[name].toLowerCase()}`);
  const title = element("button", { className: "name", textContent: TITLES[name] });
  title.title = "Draw and erase on this layer";
  const clear = element("button", { textContent: "Clear" });
  clear.setAttribute("aria-label", `Clear ${TITLES[name].toLowerCase()}`);
  eye.dataset.show = title.dataset.layer = clear.dataset.clear = name;
  return { name, eye, title, clear, row: element("div", { className: "layer" }, eye, title, clear) };
}
