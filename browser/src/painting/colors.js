// Keeps the content's colors: `vst.imaging.color` in its color space, CIE Lab of sRGB with the white D65.

const WHITE = [0.950456, 1, 1.088754];
const LINEAR = Float32Array.from({ length: 256 }, (_, level) => (level <= 0.04045 * 255 ? level / 255 / 12.92 : ((level / 255 + 0.055) / 1.055) ** 2.4));
/** Levels of linear light that the way back to sRGB is tabulated for. */
const STEPS = 4096;
const GAMMA = Uint8ClampedArray.from({ length: STEPS + 1 }, (_, step) => {
  const light = step / STEPS;
  return 255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055);
});
const compress = (value) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116);
const expand = (value) => (value > 0.206893 ? value ** 3 : (value - 16 / 116) / 7.787);
const toLevel = (light) => GAMMA[Math.round(STEPS * Math.min(1, Math.max(0, light)))];

/**
 * Keep the painting's brightness and mix `share` of the frame into its color.
 * @param {Uint8ClampedArray} painting RGBA, changed @param {Uint8ClampedArray} frame RGBA @param {number} share 0..1
 */
export function keepColors(painting, frame, share) {
  if (share <= 0) return;
  const painted = [0, 0, 0], filmed = [0, 0, 0];
  for (let at = 0; at < painting.length; at += 4) {
    readLab(painting, at, painted);
    readLab(frame, at, filmed);
    writeLab(painting, at, painted[0], (1 - share) * painted[1] + share * filmed[1], (1 - share) * painted[2] + share * filmed[2]);
  }
}

/** Lightness / 116 with its offset, and the two color differences, of a pixel. */
function readLab(pixels, at, lab) {
  const red = LINEAR[pixels[at]], green = LINEAR[pixels[at + 1]], blue = LINEAR[pixels[at + 2]];
  const x = compress((0.412453 * red + 0.35758 * green + 0.180423 * blue) / WHITE[0]);
  const y = compress(0.212671 * red + 0.71516 * green + 0.072169 * blue);
  const z = compress((0.019334 * red + 0.119193 * green + 0.950227 * blue) / WHITE[2]);
  lab[0] = y;
  lab[1] = x - y;
  lab[2] = y - z;
}

function writeLab(pixels, at, y, toRed, toYellow) {
  const x = WHITE[0] * expand(y + toRed), light = expand(y), z = WHITE[2] * expand(y - toYellow);
  pixels[at] = toLevel(3.240479 * x - 1.53715 * light - 0.498535 * z);
  pixels[at + 1] = toLevel(-0.969256 * x + 1.875991 * light + 0.041556 * z);
  pixels[at + 2] = toLevel(0.055648 * x - 0.204043 * light + 1.057311 * z);
}
