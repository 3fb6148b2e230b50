// The latent code z: its mean or one drawn at random, and a shift of it.

const MOST_SEED = 999_999;

/** Binds the controls. Says `change`. */
export class Latent extends EventTarget {
  #modes = [...document.querySelectorAll("input[name=latent]")];
  #seed = document.getElementById("seed");
  #shift = document.getElementById("shift");
  #shown = document.getElementById("shift-value");
  #dimension = document.getElementById("dimension");

  constructor() {
    super();
    for (const mode of this.#modes) mode.addEventListener("change", () => this.#changed());
    this.#seed.addEventListener("change", () => this.draw(Number(this.#seed.value)));
    this.#shift.addEventListener("input", () => this.#changed());
    this.#dimension.addEventListener("change", () => this.#changed());
    document.getElementById("shuffle").addEventListener("click", () => this.shuffle());
    this.dimensions(0);
  }

  /** What the server is asked for; a seed of null is the mean of z. */
  values() {
    const seed = this.#stochastic ? Number(this.#seed.value) : null;
    const dimension = this.#dimension.value === "" ? null : Number(this.#dimension.value);
    return { seed, shift: Number(this.#shift.value), dimension };
  }

  /** Offers this many dimensions. */
  dimensions(latent) {
    const numbers = Array.from({ length: latent }, (_, number) => new Option(`dimension ${number}`, number));
    this.#dimension.replaceChildren(new Option("all dimensions", ""), ...numbers);
  }

  /** Draws z at random from a seed. */
  draw(seed, { silent = false } = {}) {
    this.#modes.find((mode) => mode.value === "stochastic").checked = true;
    this.#seed.value = Math.min(MOST_SEED, Math.max(0, Math.round(seed) || 0));
    this.#changed(silent);
  }

  shuffle() {
    this.draw(Math.floor(Math.random() * MOST_SEED));
  }

  get #stochastic() {
    return this.#modes.find((mode) => mode.checked).value === "stochastic";
  }

  #changed(silent = false) {
    this.#shown.textContent = Number(this.#shift.value);
    if (!silent) this.dispatchEvent(new Event("change"));
  }
}
