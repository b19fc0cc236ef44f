// How a transition progresses: the curves of `vst.schedule.easing`, number for number.
import { Failure } from "../failure.js";

/** @typedef {(part: number) => number} Ease 0..1 of the time -> progress, 0 at 0 and 1 at 1 */

/** @type {Ease} */
export const smooth = (part) => part * part * (3 - 2 * part);

/** @type {Ease} */
const expo = (part) => (part > 0.5 ? 1 - expo(1 - part) : (2 ** (20 * part) - 1) / (2 * (2 ** 10 - 1)));

/** @type {Ease} */
function bounce(part) {
  if (part === 1) return 1;
  // Each parabola touches 1 at its ends; each is half as wide as the one before.
  for (const [start, width] of [[4 / 11, 4 / 11], [8 / 11, 2 / 11], [10 / 11, 1 / 11]]) {
    if (part < start || part >= start + width) continue;
    const half = width / 2, rise = ((half * 11) / 4) ** 2;
    return 1 - rise * (1 - ((part - start - half) / half) ** 2);
  }
  return ((part * 11) / 4) ** 2;
}

/** @type {Record<string, Ease>} */
export const EASES = {
  linear: (part) => part,
  smooth,
  sine: (part) => (1 - Math.cos(Math.PI * part)) / 2,
  cubic: (part) => (part < 0.5 ? 4 * part ** 3 : 1 - (2 - 2 * part) ** 3 / 2),
  expo,
  bounce,
  step: (part) => (part < 0.5 ? 0 : 1),
};

/** @type {Map<string, Ease>} */
const built = new Map();

/**
 * Return the curve of a name in `EASES`, `cubic-bezier(a,b,c,d)` or `table(0,…,1)`.
 * @param {string} name @returns {Ease}
 */
export function getEase(name) {
  if (Object.hasOwn(EASES, name)) return EASES[name];
  const known = built.get(name);
  if (known) return known;
  const call = /^(cubic-bezier|table)\s*\(([^]*)\)$/.exec(name.trim());
  if (!call) {
    throw new Failure(`Ease '${name}' is not known. Use ${Object.keys(EASES).join(", ")} or cubic-bezier(a,b,c,d).`);
  }
  const numbers = call[2].split(",").map((word) => (word.trim() ? Number(word) : NaN));
  const usable = numbers.every(Number.isFinite) ? numbers : [];
  const ease = call[1] === "table" ? makeTableEase(usable) : makeBezierEase(usable);
  built.set(name, ease);
  return ease;
}

/** @param {number[]} numbers a, b, c, d as in style sheets @returns {Ease} */
function makeBezierEase(numbers) {
  if (numbers.length !== 4) {
    throw new Failure("cubic-bezier needs four numbers. Write it as cubic-bezier(0.3,0,0.2,1).");
  }
  const [a, b, c, d] = numbers;
  if (Math.min(a, c) < 0 || Math.max(a, c) > 1) {
    throw new Failure("The first and the third number of cubic-bezier are times. Give numbers between 0 and 1.");
  }
  return (part) => (part <= 0 ? 0 : part >= 1 ? 1 : bezier(b, d, solveBezier(a, c, part)));
}

/** One coordinate of the curve at the parameter `at`. */
const bezier = (first, second, at) => 3 * first * (1 - at) ** 2 * at + 3 * second * (1 - at) * at ** 2 + at ** 3;

/** The parameter at which the rising coordinate takes `value`: Newton's method, kept in a bracket. */
function solveBezier(first, second, value) {
  let low = 0, high = 1, at = value;
  for (let round = 0; round < 60; round++) {
    const off = bezier(first, second, at) - value;
    if (Math.abs(off) < 1e-13) break;
    if (off > 0) high = at;
    else low = at;
    const slope = 3 * first * (1 - at) ** 2 + 6 * (second - first) * (1 - at) * at + 3 * (1 - second) * at ** 2;
    const next = slope > 1e-9 ? at - off / slope : -1;
    at = low < next && next < high ? next : (low + high) / 2;
  }
  return at;
}

/** @param {number[]} values at equal intervals of time, from 0 to 1 @returns {Ease} */
function makeTableEase(values) {
  const last = values.length - 1;
  if (last < 1 || values[0] !== 0 || values[last] !== 1) {
    throw new Failure("table needs two numbers or more, from 0 to 1. Write it as table(0,0.2,0.7,1).");
  }
  return (part) => {
    if (part <= 0 || part >= 1) return part <= 0 ? 0 : 1;
    const index = Math.min(Math.floor(part * last), last - 1), rest = part * last - index;
    return values[index] * (1 - rest) + values[index + 1] * rest;
  };
}
