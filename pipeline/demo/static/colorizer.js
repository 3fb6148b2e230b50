// Requests colorizations: after every stroke if the machine is fast enough, else by a button.

import { decodeImage, post } from "./api.js";
import { newCanvas, toPng } from "./artwork.js";

const DEBOUNCE_MS = 120; // from the last change to its request
const SLOW_MS = 1500; // if round trips take longer, live colouring is turned off
const VARIATIONS = 8;
const SCALE = 2; // of the lines that are sent, and so of results, as a multiple of the network's size

/**
 * The source of results: at most one request runs at a time. After changes meanwhile, the newest
 * state is sent next; a response for an older sheet is dropped.
 * Dispatches `busy`, `result`, `variations`, `slow` and `error`.
 */
export class Colorizer extends EventTarget {
  live = true;
  forceLive = false; // whether the user turned live on although it is slow
  image = null; // the latest result, as an HTMLImageElement at up to SCALE times the network's size
  size = 256; // side of the network's pictures
  available = false; // whether the server has a colorizer
  #timer = 0;
  #request = null; // AbortController of the request in progress
  #pending = false; // whether to send another one after it
  #durations = []; // ms of the latest requests

  constructor(artwork, latent) {
    super();
    this.artwork = artwork;
    this.latent = latent;
  }

  get busy() {
    return this.#request !== null;
  }

  /** Schedule a request after a change, if live. */
  schedule() {
    if (!this.live) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.runNext(), DEBOUNCE_MS);
  }

  /** Colorize after the request in progress. */
  runNext() {
    if (this.busy) this.#pending = true;
    else this.#colorize();
  }

  /** Colorize at once; abort the request in progress. */
  run() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    return this.#colorize();
  }

  /** Request several colorizations to choose from. */
  async makeVariations() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    const seed = this.latent.fields().seed ?? 0;
    const response = await this.#post({ seed, variations: VARIATIONS });
    if (!response) return;
    const images = await Promise.all(response.images.map(decodeImage));
    const variations = images.map((image, index) => ({ image, seed: response.seeds[index] }));
    this.#emit("variations", variations);
  }

  /** Make an image, such as a variation, the result. */
  setResult(image) {
    this.image = image;
    this.#emit("result", { ms: null });
  }

  /** Remove the result. */
  clear() {
    this.setResult(null);
  }

  /** Draw the result on a context, in sheet pixels, with or without the lines on top. */
  drawTo(context, withLines) {
    const { width, height } = this.artwork;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    if (!this.image) return;
    context.imageSmoothingEnabled = true;
    context.drawImage(this.image, 0, 0, width, height);
    if (withLines) context.drawImage(this.artwork.canvas("line"), 0, 0);
  }

  /** Return the result as a canvas of the sheet's size. */
  toCanvas(withLines) {
    const canvas = newCanvas(this.artwork.width, this.artwork.height);
    this.drawTo(canvas.getContext("2d", { willReadFrequently: true }), withLines);
    return canvas;
  }

  async #colorize() {
    if (!this.available) return;
    if (this.artwork.isEmpty("line") && this.artwork.isEmpty("hints")) return this.clear();
    const started = performance.now();
    const response = await this.#post({});
    if (!response) return;
    const image = await decodeImage(response.image);
    const ms = performance.now() - started;
    this.image = image;
    this.#emit("result", { ms });
    this.#disableLiveIfSlow(ms);
  }

  /** Return the response, or null if it failed, was aborted, or is for an older sheet. */
  async #post(extraFields) {
    const request = (this.#request = new AbortController());
    const { sheetId } = this.artwork;
    this.#pending = false;
    this.#emit("busy");
    try {
      const response = await post("/api/colorize", { ...(await this.#fields()), ...extraFields }, request.signal);
      const stale = request !== this.#request || sheetId !== this.artwork.sheetId;
      return stale ? null : response;
    } catch (error) {
      const isAborted = error.name === "AbortError" || error.code === "superseded";
      if (!isAborted) this.#emit("error", error);
      return null;
    } finally {
      if (request === this.#request) this.#finish();
    }
  }

  #finish() {
    this.#request = null;
    this.#emit("busy");
    if (this.#pending) this.#colorize();
  }

  async #fields() {
    const { artwork } = this;
    const maxSide = SCALE * this.size;
    const line = await toPng(artwork.canvas("line"), { maxSide, background: "#fff" });
    const hints = artwork.isEmpty("hints") ? null : await toPng(artwork.canvas("hints"), { maxSide });
    return { line, hints, ...this.latent.fields() };
  }

  /** Turn live colouring off if it is slow, unless the user has turned it on. */
  #disableLiveIfSlow(ms) {
    this.#durations = [...this.#durations, ms].slice(-3);
    const median = [...this.#durations].sort((a, b) => a - b)[1];
    if (!this.live || this.forceLive || !(median > SLOW_MS)) return;
    this.live = false;
    this.#emit("slow", { ms: median });
  }

  #emit(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
