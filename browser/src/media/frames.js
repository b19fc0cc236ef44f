// Pixels of pictures and films, at the sizes that the networks take.

/** Sides are multiples of this, as the painter's blocks are. */
const BLOCK = 4, SMALLEST = 8;
/** Side of the pictures that the predictor reads. */
const STYLE_SIDE = 256;

/**
 * Return the painting's size for a content: `short` pixels at its shorter side, never larger than the content.
 * @param {number} width @param {number} height @param {number} short @returns {[number, number]}
 */
export function fitSize(width, height, short) {
  const factor = Math.min(1, short / Math.min(width, height), (short * 2.4) / Math.max(width, height));
  const fit = (side) => Math.max(SMALLEST, Math.round((side * factor) / BLOCK) * BLOCK);
  return [fit(width), fit(height)];
}

const canvases = new Map();

/**
 * Return the pixels of a source, resized. @param {CanvasImageSource} source @param {number} width @param {number} height
 */
export function grabPixels(source, width, height) {
  const key = `${width}x${height}`;
  if (canvases.size > 6) canvases.clear();
  if (!canvases.has(key)) canvases.set(key, new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true }));
  const context = canvases.get(key);
  context.imageSmoothingQuality = "high";
  context.clearRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** @param {CanvasImageSource} source */
export const grabStyle = (source) => grabPixels(source, STYLE_SIDE, STYLE_SIDE);

/** A small picture of a source, as an address for an image. @param {CanvasImageSource} source */
export function makeThumbnail(source, width = 144, height = 96) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const size = /** @type {any} */ (source), wide = size.videoWidth || size.naturalWidth || size.width, high = size.videoHeight || size.naturalHeight || size.height;
  const factor = Math.max(width / wide, height / high);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, (width - wide * factor) / 2, (height - high * factor) / 2, wide * factor, high * factor);
  return canvas.toDataURL("image/jpeg", 0.8);
}

/** @param {ImageData} pixels */
export function pixelsToCanvas(pixels) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: pixels.width, height: pixels.height });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}
