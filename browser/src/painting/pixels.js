// Arithmetic on RGBA bytes: to and from the painter's numbers, fades, steadiness. No network here.

/** Levels between the darkest and the brightest pixel: a frame below is flat, and above fades in. */
const CONTRAST_NONE = 2, CONTRAST_STEP = 8;

/** @param {Uint8ClampedArray} pixels RGBA @returns {Float32Array} RGB in 0..1 */
export function toNumbers(pixels) {
  const numbers = new Float32Array((pixels.length / 4) * 3);
  for (let from = 0, to = 0; from < pixels.length; from += 4, to += 3) {
    numbers[to] = pixels[from] / 255;
    numbers[to + 1] = pixels[from + 1] / 255;
    numbers[to + 2] = pixels[from + 2] / 255;
  }
  return numbers;
}

/** @param {Float32Array} numbers RGB in 0..1 @returns {Uint8ClampedArray<ArrayBuffer>} RGBA */
export function toPixels(numbers) {
  const pixels = new Uint8ClampedArray((numbers.length / 3) * 4);
  for (let from = 0, to = 0; from < numbers.length; from += 3, to += 4) {
    pixels[to] = numbers[from] * 255; // stored rounded
    pixels[to + 1] = numbers[from + 1] * 255;
    pixels[to + 2] = numbers[from + 2] * 255;
    pixels[to + 3] = 255;
  }
  return pixels;
}

/** Cross-fade into `top`: 1 leaves it, 0 is `bottom`. */
export function fadeTo(top, bottom, share) {
  if (share >= 1) return;
  for (let place = 0; place < top.length; place++) top[place] = share * top[place] + (1 - share) * bottom[place];
}

/** The painter amplifies whatever varies; in a flat frame that is rounding errors. Fade them to one color. */
export function fadeFlat(painting, frame) {
  let low = 255, high = 0;
  for (let place = 0; place < frame.length; place++) {
    if (place % 4 === 3) continue;
    if (frame[place] < low) low = frame[place];
    if (frame[place] > high) high = frame[place];
  }
  const share = (high - low - CONTRAST_NONE) / CONTRAST_STEP;
  if (share >= 1) return;
  const mean = [0, 0, 0, 255], count = painting.length / 4;
  for (let place = 0; place < painting.length; place++) if (place % 4 < 3) mean[place % 4] += painting[place] / count;
  const part = Math.max(0, share);
  for (let place = 0; place < painting.length; place++) painting[place] = part * painting[place] + (1 - part) * mean[place % 4];
}

/** The largest difference of a channel: two colors can be equally bright. */
const differ = (one, other, at) => Math.max(Math.abs(one[at] - other[at]), Math.abs(one[at + 1] - other[at + 1]), Math.abs(one[at + 2] - other[at + 2]));

/** Change of a color, in levels, at which a place counts as moving. */
const STILL = 12;

/** Removes flicker where nothing moves: there the painting follows the earlier ones. */
export class StillBlend {
  /** Forget the scene. */
  reset() {
    this.frame = this.painting = null;
  }

  /**
   * Blend in place. @param {Uint8ClampedArray} painting @param {Uint8ClampedArray} frame
   * @param {number} width @param {number} amount 0..1
   */
  apply(painting, frame, width, amount) {
    if (amount > 0 && this.frame?.length === frame.length) this.blend(painting, frame, width, amount);
    this.frame = frame.slice();
    this.painting = amount > 0 ? Float32Array.from(this.kept ?? painting) : null;
    this.kept = null;
  }

  blend(painting, frame, width, amount) {
    const change = this.measureChange(frame, width);
    const earlier = this.painting ?? painting;
    // Kept as floats: rounded to bytes, a slow change of style would never arrive.
    const kept = new Float32Array(painting.length);
    for (let place = 0; place < painting.length; place++) {
      const hold = 0.85 * amount * Math.exp(-((change[place >> 2] / STILL) ** 2));
      kept[place] = hold * earlier[place] + (1 - hold) * painting[place];
    }
    painting.set(kept);
    this.kept = kept;
  }

  /** The change since the frame before, averaged over 3 × 3 pixels. */
  measureChange(frame, width) {
    const count = frame.length / 4, plain = new Float32Array(count), rows = new Float32Array(count), change = new Float32Array(count);
    for (let place = 0; place < count; place++) plain[place] = differ(frame, this.frame, place * 4);
    const at = (from, place) => from[Math.min(count - 1, Math.max(0, place))];
    for (let place = 0; place < count; place++) rows[place] = (at(plain, place - 1) + plain[place] + at(plain, place + 1)) / 3;
    for (let place = 0; place < count; place++) change[place] = (at(rows, place - width) + rows[place] + at(rows, place + width)) / 3;
    return change;
  }
}
