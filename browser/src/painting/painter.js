// The page's side of the painter's thread.
import { Failure } from "../failure.js";

/**
 * @typedef {object} Look a mix, as the thread paints it
 * @property {Float32Array[]} styles
 * @property {number[]} weights
 * @property {string} blend
 * @property {number} painted share of paint, 0..1
 * @property {number} colors share of the content's colors, 0..1
 * @property {number | null} steadiness null: paint as if nothing came before
 */

export class Painter {
  /** @param {{backend: string, threads: number}} wanted "webgpu", "wasm" or "" for the better one; 0: as many as help */
  constructor(wanted) {
    this.wanted = wanted;
    this.backend = "";
    this.waiting = new Map();
    this.next = 0;
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "painter" });
    this.worker.onmessage = ({ data }) => {
      const { done, failed } = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.error) failed(new Failure(data.error));
      else done(data.result);
    };
    this.worker.onerror = (event) => {
      for (const { failed } of this.waiting.values()) failed(new Failure(`The painter stopped (${event.message}). Load the page again.`));
      this.waiting.clear();
    };
  }

  async open() {
    const base = new URL(".", document.baseURI).href;
    this.backend = (await this.send({ task: "open", base, wanted: this.wanted })).backend;
  }

  /** @param {ImageData} picture 256 × 256 @returns {Promise<Float32Array>} */
  async embed(picture) {
    return (await this.send({ task: "embed", pixels: picture.data })).style;
  }

  /** @param {ImageData | null} picture 256 × 256 of the new content */
  setScene(picture) {
    return this.send({ task: "setScene", pixels: picture?.data ?? null });
  }

  forget() {
    return this.send({ task: "forget" });
  }

  /** @param {ImageData} frame @param {Look} look */
  paint(frame, look) {
    return this.send({ task: "paint", pixels: frame.data, width: frame.width, height: frame.height, look });
  }

  /** @returns {Promise<any>} */
  send(message) {
    const id = this.next++;
    return new Promise((done, failed) => {
      this.waiting.set(id, { done, failed });
      this.worker.postMessage({ ...message, id });
    });
  }
}
