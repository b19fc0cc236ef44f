// The styles' weights, the strength and the brush at each time: `vst.schedule.timeline`, number for
// number. Python writes the cases that the test compares.
import { Failure } from "../failure.js";
import { getEase, smooth } from "./easing.js";
import { areEqual, combineWeights, computeVelocity, dropName, interpolateHermite, normalize } from "./interpolation.js";

/** @typedef {import("./interpolation.js").Weights} Weights */
/**
 * @typedef {object} Key the `weights` at `time` (seconds); null for an ease or a hold: the timeline's
 * @property {number} time
 * @property {Weights} weights
 * @property {number} [strength] 0..1
 * @property {number} [brush] 0.25..4
 * @property {string} [colors]
 * @property {string | null} [ease]
 * @property {number | null} [hold] 0..1
 */
/**
 * @typedef {object} Mix what to paint a frame with
 * @property {Weights} weights
 * @property {string} blend
 * @property {number} strength
 * @property {number} brush
 * @property {string} colors
 * @property {Weights} palette
 */

/** The name of the keyframe that stands for the unpainted content. */
export const NONE = "none";
export const BLENDS = ["embedding", "slerp", "spline", "pixels"];
export const COLORS = ["style", "content", "blend"];

/** Parts of a transition closer to an end than this count as that end: times are rounded. */
const SNAP = 1e-9;
const clamp = (value) => Math.min(1, Math.max(0, value));

/** A number over time; outside of the points, the nearest point's. */
export class Curve {
  /** @param {[number, number][]} points @param {string} ease */
  constructor(points, ease = "linear") {
    this.points = [...points].sort((one, other) => one[0] - other[0]);
    this.ease = ease;
  }

  /** @param {number} time */
  at(time) {
    const after = countUntil(this.points.map(([start]) => start), time), last = this.points.length;
    if (after === 0 || after === last) return this.points[Math.min(after, last - 1)][1];
    const [start, low] = this.points[after - 1], [end, high] = this.points[after];
    const part = getEase(this.ease)((time - start) / (end - start));
    return (1 - part) * low + part * high;
  }

  /** @param {number} end the time at which it has its first value again */
  closeLoop(end) {
    const before = this.points.filter(([time]) => time < end);
    return new Curve([...before, [end, this.points[0][1]]], this.ease);
  }
}

/** The share of paint in the result, 0..1. @param {Mix} mix */
export const sharePainted = (mix) => clamp(mix.strength * (1 - (mix.weights[NONE] ?? 0)));

/** Keys in order of time, and how to interpolate between them. */
export class Timeline {
  /**
   * @param {Key[]} keys
   * @param {{ease?: string, blend?: string, hold?: number, loop?: boolean, strength?: Curve | null,
   *   brush?: Curve | null}} options
   */
  constructor(keys, { ease = "smooth", blend = "embedding", hold = 0, loop = false, strength = null, brush = null } = {}) {
    if (!keys.length) throw new Failure("The timeline has no keys. Give at least one key.");
    this.keys = keys.map(complete).sort((one, other) => one.time - other.time);
    Object.assign(this, { ease, blend, hold, loop, strength, brush });
  }

  get firstVisible() {
    return this.keys.filter((key) => key.time === this.keys[0].time).at(-1);
  }

  /** Return the timeline as a loop: at `end` seconds it is as at its first key. @param {number} end */
  closeLoop(end) {
    const first = this.firstVisible, last = this.keys.at(-1);
    let keys = this.keys;
    if (keys.length > 1 && !(areAlike(first, last) && last.time <= end)) {
      if (last.time >= end) {
        throw new Failure("The last key leaves no time to come back to the first style. Move it earlier.");
      }
      keys = [...keys, { ...first, time: end, ease: null, hold: null }];
    }
    return new Timeline(keys, { ...this, loop: true, strength: this.strength?.closeLoop(end) ?? null,
      brush: this.brush?.closeLoop(end) ?? null });
  }

  /** The styles in order of appearance, without `NONE`. */
  get names() {
    return [...new Set(this.keys.flatMap((key) => Object.keys(key.weights)))].filter((name) => name !== NONE);
  }

  /** Return the mix at `time` seconds. @param {number} time @returns {Mix} */
  at(time) {
    const after = countUntil(this.keys.map((key) => key.time), time);
    if (after === 0) return this.between(0, 0, time);
    if (after === this.keys.length) return this.between(after - 1, 0, time);
    const key = this.keys[after - 1], following = this.keys[after];
    const part = applyHold((time - key.time) / (following.time - key.time), key.hold ?? this.hold);
    return this.between(after - 1, getEase(key.ease ?? this.ease)(part), time);
  }

  /** @param {number} index @param {number} given the part of the change @param {number} time @returns {Mix} */
  between(index, given, time) {
    const before = this.keys[index], following = this.keys[Math.min(index + 1, this.keys.length - 1)];
    const part = Math.abs(given) < SNAP ? 0 : Math.abs(given - 1) < SNAP ? 1 : given;
    const inside = clamp(part);
    // Brush sizes are ratios: halfway between 1/2 and 2 is 1.
    const brush = Math.exp((1 - inside) * Math.log(before.brush) + inside * Math.log(following.brush));
    return {
      weights: this.findWeights(index, part),
      blend: this.blend,
      strength: this.strength?.at(time) ?? (1 - inside) * before.strength + inside * following.strength,
      brush: this.brush?.at(time) ?? brush,
      colors: inside < 0.5 ? before.colors : following.colors,
      palette: combineWeights([[1 - inside, { [before.colors]: 1 }], [inside, { [following.colors]: 1 }]]),
    };
  }

  findWeights(index, given) {
    const following = Math.min(index + 1, this.keys.length - 1);
    const start = normalize(this.keys[index].weights), end = normalize(this.keys[following].weights);
    if (given === 0 || following === index) return start;
    if (given === 1) return end;
    if (this.blend !== "spline") {
      const part = NONE in start || NONE in end ? clamp(given) : given; // the content does not overshoot
      return combineWeights([[1 - part, start], [part, end]]);
    }
    // The unpainted content is not a point of the style space: its weight has a curve of its own.
    const eased = smooth(clamp(given));
    const bare = (1 - eased) * (start[NONE] ?? 0) + eased * (end[NONE] ?? 0);
    const a = orElse(dropName(start, NONE), () => dropName(end, NONE));
    const b = orElse(dropName(end, NONE), () => a);
    const way = interpolateHermite(
      { weights: a, velocity: this.findVelocity(index) }, { weights: b, velocity: this.findVelocity(following) },
      this.keys[following].time - this.keys[index].time, given);
    return combineWeights([[1 - bare, way], [bare, { [NONE]: 1 }]]);
  }

  findVelocity(index) {
    const key = this.keys[index], here = dropName(normalize(key.weights), NONE);
    if (!Object.keys(here).length) return {};
    const neighbor = (step) => this.findNeighbor(index, step, here);
    return computeVelocity(neighbor(-1), { time: key.time, weights: here }, neighbor(1));
  }

  findNeighbor(index, step, here) {
    const last = this.keys.length - 1;
    let position = index + step, shift = 0;
    if (position < 0 || position > last) {
      if (!this.loop || last < 2) return null;
      shift = step * (this.keys[last].time - this.keys[0].time); // around the loop
      position = step < 0 ? last - 1 : 1;
    }
    const other = this.keys[position], time = other.time + shift;
    if (time === this.keys[index].time) return null; // a hard change interrupts the path
    return { time, weights: orElse(dropName(normalize(other.weights), NONE), () => here) };
  }
}

/** Keep the progress constant for the share `hold` of the time, half of it at each end. */
export function applyHold(part, hold) {
  return hold >= 1 ? (part < 0.5 ? 0 : 1) : clamp((part - hold / 2) / (1 - hold));
}

const orElse = (weights, other) => (Object.keys(weights).length ? weights : other());
const countUntil = (times, time) => times.filter((start) => start <= time).length;
const complete = (key) => ({ ...key, strength: key.strength ?? 1, brush: key.brush ?? 1, colors: key.colors ?? "style" });
const areAlike = (one, other) => one.strength === other.strength && one.brush === other.brush
  && one.colors === other.colors && areEqual(normalize(one.weights), normalize(other.weights));
