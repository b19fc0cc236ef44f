// The painter, in a thread of its own: the page stays free while it paints.
import { blendEmbeddings } from "../mixing/interpolation.js";
import { keepColors } from "./colors.js";
import { StillBlend, fadeFlat, fadeTo, toNumbers, toPixels } from "./pixels.js";
import { openNetworks } from "./runtime.js";

/** Strength below which the painting is cross-faded to the content, as the engine in Python does. */
const FADES_BELOW = 0.3;

/** Share of its length by which a style may differ from the frame's before, without being another one. */
const JUMP = 0.25;

/** @type {import("./runtime.js").Networks} */
let networks;
/** The content's own style, towards which a weak strength draws. @type {Float32Array | null} */
let sceneStyle = null;
const still = new StillBlend();
/** The style of the frame before. @type {Float32Array | null} */
let earlier = null;

const tasks = {
  async open({ base, wanted }) {
    networks = await openNetworks(base, wanted);
    return { backend: networks.backend };
  },

  async embed({ pixels }) {
    return { style: Float32Array.from(await networks.embed(toNumbers(pixels))) };
  },

  /** A new content: what is remembered of the one before no longer holds. `pixels`: its picture, 256 × 256. */
  async setScene({ pixels }) {
    still.reset();
    sceneStyle = pixels ? Float32Array.from(await networks.embed(toNumbers(pixels))) : null;
    return {};
  },

  async forget() {
    still.reset();
    return {};
  },

  async paint({ pixels, width, height, look }) {
    const started = performance.now();
    const painting = await paintFrame(pixels, width, height, look);
    if (look.steadiness !== null) still.apply(painting, pixels, width, look.steadiness);
    keepColors(painting, pixels, look.colors);
    fadeTo(painting, pixels, Math.min(1, look.painted / FADES_BELOW));
    return { painting, width, height, milliseconds: performance.now() - started };
  },
};

async function paintFrame(pixels, width, height, look) {
  if (!look.styles.length || look.painted <= 0) return pixels.slice();
  const numbers = toNumbers(pixels);
  const paint = async (style) => {
    const painting = toPixels(await networks.paint(numbers, height, width, drawToScene(style, look.painted)));
    fadeFlat(painting, pixels);
    return painting;
  };
  if (look.blend !== "pixels") {
    const style = blendEmbeddings(look.styles, look.weights, look.blend);
    if (isJump(style)) still.reset(); // what was painted before is of another style
    earlier = style;
    return paint(style);
  }
  let mixed = null, soFar = 0;
  for (const [index, style] of look.styles.entries()) {
    if (look.weights[index] <= 0) continue;
    soFar += look.weights[index];
    const painting = await paint(style);
    if (mixed) fadeTo(painting, mixed, look.weights[index] / soFar);
    mixed = painting;
  }
  return mixed;
}

const isJump = (style) => earlier !== null
  && Math.hypot(...style.map((value, place) => value - earlier[place])) > JUMP * Math.hypot(...earlier);

const drawToScene = (style, painted) =>
  (painted >= 1 || !sceneStyle ? style : style.map((value, place) => painted * value + (1 - painted) * sceneStyle[place]));

self.onmessage = async ({ data }) => {
  try {
    const result = await tasks[data.task](data);
    const moved = [result.painting?.buffer].filter(Boolean);
    self.postMessage({ id: data.id, result }, { transfer: moved });
  } catch (error) {
    self.postMessage({ id: data.id, error: error?.message ?? String(error) });
  }
};
