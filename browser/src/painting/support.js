// Whether this browser can run the painter, and what it lacks.

/** A function of one vector instruction: whether it is valid says whether the browser has SIMD. */
const VECTORS = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);
const UPDATE = "Update it, or open the page in Chrome or Edge from 91, Firefox from 113, or Safari from 16.4.";

/** Return what is missing and what to do about it; empty where the page can paint. */
export function checkBrowser() {
  if (typeof WebAssembly !== "object") return `This browser has no WebAssembly, which runs the painter. ${UPDATE}`;
  if (!WebAssembly.validate(VECTORS)) return `The WebAssembly of this browser has no vector instructions (SIMD), which the painter needs. ${UPDATE}`;
  const needed = { DecompressionStream: "unpack files", OffscreenCanvas: "draw outside of the page", Worker: "paint in the background" };
  for (const [name, use] of Object.entries(needed)) if (!(name in globalThis)) return `This browser cannot ${use} (${name}). ${UPDATE}`;
  return "";
}
