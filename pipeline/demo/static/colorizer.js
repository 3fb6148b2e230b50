// Asks for colours: after every stroke where the machine is fast enough, else on a button.

import { decoded, post } from "./api.js";
import { newCanvas, toPng } from "./artwork.js";

const PAUSE = 120; // ms without a change before a request
const SLOW = 1500; // ms of a round trip that no stroke should wait for
const VARIATIONS = 8;
const DETAIL = 2; // lines are sent at this many times the network's side: it sees no more

/**
 * Keeps one request going at most. What changes meanwhile is asked for when it is answered, the
 * newest state alone; an answer for a sheet that is gone is dropped.
 * Says `busy`, `result`, `variations`, `slow` and `error`.
 */
export class Colorizing extends EventTarget {
  live = true;
  patient = false; // whether the user wants it live although it is slow
  image = null; // the last answer, as an HTMLImageElement at the network's size
  size = 256; // side of the network's pictures
  ready = false; // whether there is a network
  #timer = 0;
  #flight = null; // AbortController of the request under way
  #again = false;
  #times = [];

  constructor(artwork, latent) {
    super();
    this.artwork = artwork;
    this.latent = latent;
  }

  get busy() {
    return this.#flight !== null;
  }

  /** After a change: colours soon, where it is live. */
  soon() {
    if (!this.live) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.next(), PAUSE);
  }

  /** As soon as the request under way is answered. */
  next() {
    if (this.busy) this.#again = true;
    else this.#run();
  }

  /** At once; a request under way is given up. */
  now() {
    clearTimeout(this.#timer);
    this.#flight?.abort();
    return this.#run();
  }

  /** Several colourings to choose from. */
  async vary() {
    clearTimeout(this.#timer);
    this.#flight?.abort();
    const seed = this.latent.values().seed ?? 0;
    const answer = await this.#ask({ seed, variations: VARIATIONS });
    if (!answer) return;
    const images = await Promise.all(answer.images.map(decoded));
    const choices = images.map((image, number) => ({ image, seed: answer.seeds[number] }));
    this.dispatchEvent(new CustomEvent("variations", { detail: choices }));
  }

  /** Shows a picture that is there already: one of the variations. */
  show(image) {
    this.image = image;
    this.#say("result", { ms: null });
  }

  /** Forgets the result. */
  clear() {
    this.show(null);
  }

  /** The result at the sheet's size; `lines` on top of it where asked for. */
  paint(context, lines) {
    const { width, height } = this.artwork;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    if (!this.image) return;
    context.imageSmoothingEnabled = true;
    context.drawImage(this.image, 0, 0, width, height);
    if (lines) context.drawImage(this.artwork.canvas("line"), 0, 0);
  }

  picture(lines) {
    const canvas = newCanvas(this.artwork.width, this.artwork.height);
    this.paint(canvas.getContext("2d", { willReadFrequently: true }), lines);
    return canvas;
  }

  async #run() {
    if (!this.ready) return;
    if (this.artwork.isEmpty("line") && this.artwork.isEmpty("hints")) return this.clear();
    const started = performance.now();
    const answer = await this.#ask({});
    if (!answer) return;
    const image = await decoded(answer.image);
    const ms = performance.now() - started;
    this.image = image;
    this.#say("result", { ms });
    this.#pace(ms);
  }

  /** The answer, or null where it failed, was given up, or came for a sheet that is gone. */
  async #ask(more) {
    const flight = (this.#flight = new AbortController());
    const { sheet } = this.artwork;
    this.#again = false;
    this.#say("busy");
    try {
      const answer = await post("/api/colorize", { ...(await this.#fields()), ...more }, flight.signal);
      const stale = flight !== this.#flight || sheet !== this.artwork.sheet;
      return stale ? null : answer;
    } catch (error) {
      const given = error.name === "AbortError" || error.code === "superseded";
      if (!given) this.#say("error", error);
      return null;
    } finally {
      if (flight === this.#flight) this.#landed();
    }
  }

  #landed() {
    this.#flight = null;
    this.#say("busy");
    if (this.#again) this.#run();
  }

  async #fields() {
    const { artwork } = this;
    const longest = DETAIL * this.size;
    const line = await toPng(artwork.canvas("line"), { longest, paper: "#fff" });
    const hints = artwork.isEmpty("hints") ? null : await toPng(artwork.canvas("hints"), { longest });
    return { line, hints, size: "model", ...this.latent.values() };
  }

  /** Where it is slow, the button is better, unless the user insists. */
  #pace(ms) {
    this.#times = [...this.#times, ms].slice(-3);
    const median = [...this.#times].sort((a, b) => a - b)[1];
    if (!this.live || this.patient || !(median > SLOW)) return;
    this.live = false;
    this.#say("slow", { ms: median });
  }

  #say(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
