// What the page knows: the content, the styles, the keys of the transition, and the settings.
import { NONE } from "../mixing/timeline.js";
import { makeTimeline } from "../score/reading.js";

/**
 * @typedef {object} Style
 * @property {string} name as in a score: `@ink-wash`, or the name of a style of one's own
 * @property {string} label for people
 * @property {Float32Array} embedding
 * @property {string} picture address of a thumbnail
 * @property {{path: string, at: number | null} | null} source file of a style of one's own
 */
/**
 * @typedef {object} PlacedKey
 * @property {number} share 0..1 of the transition's time
 * @property {Record<string, number>} weights
 * @property {number} [strength]
 * @property {string} [ease]
 * @property {number} [hold]
 * @property {string} [colors]
 */

export const MOST_KEYS = 8;
/** Frames per second by which a score's frame numbers are read: the page cannot ask a film for its own. */
export const RATE = 25;
/** Length of the transition over a camera or a picture, in seconds. */
export const SECONDS = 8;
/** What a score without `steadiness` means, here and for `vst stylize`. */
const STEADINESS = 0.5;

export const state = {
  /** @type {import("../media/content.js").Content | null} */ content: null,
  /** @type {Map<string, Style>} */ styles: new Map(),
  /** @type {PlacedKey[]} */ keys: [],
  /** @type {PlacedKey | null} */ selected: null,
  /** Points of a score's strength over time; null where the slider's single value holds. @type {[number, number][] | null} */
  strengthCurve: null,
  settings: { strength: 1, colors: "style", ease: "smooth", hold: 0, blend: "embedding", loop: true,
    steadiness: STEADINESS, side: 256, seconds: SECONDS },
  moment: 0, playing: false, drive: "clock", wipe: 0,
};

/** Seconds of the whole transition. */
export const getDuration = () => (state.content?.kind === "film" ? state.content.duration : state.settings.seconds);

const listeners = [];
/** Call `act` after each change. @param {(what: string) => void} act */
export const onChange = (act) => listeners.push(act);
/** @param {string} what "content", "keys", "settings" or "moment" */
export function announce(what) {
  if (what !== "moment") timeline = undefined;
  for (const act of listeners) act(what);
}

/** @type {import("../mixing/timeline.js").Timeline | null | undefined} */
let timeline;

/** The timeline of the keys; null without keys. Its times are shares of the transition, 0..1. */
export function getTimeline() {
  if (timeline === undefined) timeline = state.keys.length ? makeTimeline(describeScore(), { start: 0, last: 1, rate: RATE }) : null;
  return timeline;
}

/** Return the setting as a score, with its times in percent. @returns {import("../score/reading.js").Score} */
export function describeScore() {
  const { ease, blend, hold, loop, colors, strength, steadiness } = state.settings;
  const at = (share) => ({ value: Number((100 * share).toFixed(4)), unit: /** @type {const} */ ("%") });
  const used = [...new Set(state.keys.flatMap((key) => Object.keys(key.weights)))].map((name) => state.styles.get(name));
  const sources = used.flatMap((style) => (style?.source ? [[style.name, style.source]] : []));
  const keyed = state.keys.some((key) => key.strength !== undefined);
  const points = state.strengthCurve ?? (strength < 1 && !keyed ? [[0, strength]] : []);
  return {
    keys: sortKeys().map(({ share, ...key }) => ({ at: at(share), ...key })), styles: Object.fromEntries(sources),
    ease, blend, hold, loop: loop && canLoop(), colors, steadiness: steadiness === STEADINESS ? null : steadiness, strength: points.map(([share, value]) => [at(share), value]), brush: [],
    unused: [],
  };
}

/** A loop needs time to come back to its first style. */
const canLoop = () => state.keys.length > 1 && Math.max(...state.keys.map((key) => key.share)) < 1;

export const sortKeys = () => [...state.keys].sort((one, other) => one.share - other.share);

/** @param {number} share @returns {import("../mixing/timeline.js").Mix | null} */
export const mixAt = (share) => getTimeline()?.at(share) ?? null;

/** @param {string} name */
export function labelStyle(name) {
  return name === NONE ? "as filmed" : state.styles.get(name)?.label ?? name;
}

/** @param {Record<string, number>} weights */
export function labelWeights(weights) {
  const shown = Object.entries(weights).filter(([, share]) => share > 0.005).sort((one, other) => other[1] - one[1]);
  if (shown.length === 1) return labelStyle(shown[0][0]);
  return shown.map(([name, share]) => `${labelStyle(name)} ${Math.round(100 * share)} %`).join(" · ");
}
