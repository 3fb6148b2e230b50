// What a result depends on besides lines and hints: the latent code z, which is its mean or a random
// sample, with a shift and that of a reference picture; and whether colours are suggested.

const MAX_SEED = 999_999;

/** The controls' state. Dispatches `change`. */
export class Latent extends EventTarget {
  #modes = [...document.querySelectorAll("input[name=latent]")];
  #seed = document.getElementById("seed");
  #shift = document.getElementById("shift");
  #shiftOutput = document.getElementById("shift-value");
  #dimension = document.getElementById("dimension");
  #suggest = document.getElementById("suggest");
  #reference = null; // a PNG, as a blob
  #referenceButton = document.getElementById("reference");
  #clearReference = document.getElementById("clear-reference");

  constructor() {
    super();
    for (const mode of this.#modes) mode.addEventListener("change", () => this.#changed());
    this.#seed.addEventListener("change", () => this.setSeed(Number(this.#seed.value)));
    this.#shift.addEventListener("input", () => this.#changed());
    this.#dimension.addEventListener("change", () => this.#changed());
    this.#suggest.addEventListener("change", () => this.#changed());
    document.getElementById("random-seed").addEventListener("click", () => this.randomize());
    this.#clearReference.addEventListener("click", () => this.setReference(null));
    this.setDimensions(0);
  }

  /** Return the request's fields; a seed of null stands for the mean of z, `suggest` of null for no suggestions. */
  fields() {
    const seed = this.#stochastic ? Number(this.#seed.value) : null;
    const dimension = this.#dimension.value === "" ? null : Number(this.#dimension.value);
    const suggest = this.#suggest.checked ? (seed ?? 0) : null;
    return { seed, suggest, shift: Number(this.#shift.value), dimension, reference: this.#reference };
  }

  /** Add the z of a picture, a PNG as a blob with a name, or of none if null. */
  setReference(blob, name = "") {
    this.#reference = blob;
    this.#referenceButton.textContent = blob ? name : "Choose a picture";
    this.#clearReference.hidden = !blob;
    this.#changed();
  }

  /** List the dimensions to choose from. */
  setDimensions(count) {
    const options = Array.from({ length: count }, (_, index) => new Option(index, index));
    this.#dimension.replaceChildren(new Option("All", ""), ...options);
  }

  /** Switch to the random z of a seed. */
  setSeed(seed, { silent = false } = {}) {
    this.#modes.find((mode) => mode.value === "stochastic").checked = true;
    this.#seed.value = Math.min(MAX_SEED, Math.max(0, Math.round(seed) || 0));
    this.#changed(silent);
  }

  randomize() {
    this.setSeed(Math.floor(Math.random() * MAX_SEED));
  }

  get #stochastic() {
    return this.#modes.find((mode) => mode.checked).value === "stochastic";
  }

  #changed(silent = false) {
    this.#shiftOutput.textContent = Number(this.#shift.value);
    if (!silent) this.dispatchEvent(new Event("change"));
  }
}
