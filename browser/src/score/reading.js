// Reads the score files of `vst stylize --score`.
import { Failure } from "../failure.js";
import { getEase } from "../mixing/easing.js";
import { BLENDS, COLORS, Curve, NONE, Timeline } from "../mixing/timeline.js";
import { fail, parseYaml } from "./nodes.js";
import { parseScoreTime, toSeconds } from "./times.js";

/** @typedef {import("./times.js").ScoreTime} ScoreTime */
/** @typedef {{path: string, at: number | null}} StyleSource */
/**
 * @typedef {object} ScoreKey
 * @property {ScoreTime} at
 * @property {Record<string, number>} weights
 * @property {number} [strength]
 * @property {string} [ease]
 * @property {number} [hold]
 * @property {number} [brush]
 * @property {string} [colors]
 */
/**
 * @typedef {object} Score
 * @property {ScoreKey[]} keys
 * @property {Record<string, StyleSource>} styles
 * @property {string} ease
 * @property {string} blend
 * @property {number} hold
 * @property {boolean} loop
 * @property {string} colors
 * @property {[ScoreTime, number][]} strength
 * @property {[ScoreTime, number][]} brush
 * @property {number | null} steadiness
 * @property {string[]} unused what the score sets and this page does not do
 */

const SCORE_KEYS = ["content", "styles", "keys", "background", "ease", "blend", "hold", "loop", "pace", "align",
  "colors", "strength", "brush", "steadiness"];
const KEY_KEYS = ["at", "style", "strength", "ease", "hold", "brush", "colors"];
const RANGES = { strength: [0, 1], hold: [0, 1], brush: [0.25, 4], steadiness: [0, 1] };
const ALIASES = { colours: "colors", ground: "background" };

/** @param {string} text @returns {Score} */
export function parseScore(text) {
  const root = readMapping(parseYaml(text), SCORE_KEYS, "score");
  if (!root.keys) throw new Failure("Line 1: keys: missing. Write `keys:` and below it `- {at: 0, style: NAME}`.");
  const styles = root.styles ? readStyles(root.styles) : {};
  const curves = ["strength", "brush"].filter((name) => root[name]);
  const choose = (name, choices, other) => (root[name] ? readChoice(root[name], choices) : other);
  const pace = choose("pace", ["eased", "uniform"], "eased"), align = choose("align", ["off", "cuts", "beats"], "off");
  if (root.background) readKeys(root.background, styles, []);
  return {
    keys: readKeys(root.keys, styles, curves),
    styles,
    ease: root.ease ? readEase(root.ease) : "smooth",
    blend: choose("blend", BLENDS, "embedding"),
    hold: root.hold ? readNumber(root.hold, 0, 1) : 0,
    loop: root.loop ? readBoolean(root.loop) : false,
    colors: choose("colors", COLORS, "style"),
    strength: root.strength ? readCurve(root.strength, "strength") : [],
    brush: root.brush ? readCurve(root.brush, "brush") : [],
    steadiness: root.steadiness ? readNumber(root.steadiness, 0, 1) : null,
    unused: [root.background && "the background", pace === "uniform" && "the uniform pace", align !== "off" && `align: ${align}`]
      .filter((word) => typeof word === "string"),
  };
}

/**
 * Return the timeline of a score for a content. @param {Score} score @param {import("./times.js").Clock} clock
 */
export function makeTimeline(score, clock) {
  const curve = (points) => (points.length ? new Curve(points.map(([time, value]) => [toSeconds(time, clock), value])) : null);
  const keys = score.keys.map(({ at, ...key }) => ({ ...key, time: toSeconds(at, clock), colors: key.colors ?? score.colors }));
  const { ease, blend, hold } = score;
  const timeline = new Timeline(keys, { ease, blend, hold, strength: curve(score.strength), brush: curve(score.brush) });
  return score.loop ? timeline.closeLoop(clock.last) : timeline;
}

function readStyles(node) {
  if (node.kind !== "mapping") fail(node, "not a mapping. Write `NAME: path/to/picture.jpg` below it.");
  return Object.fromEntries([...node.content].map(([name, source]) => {
    if (name === NONE || name.startsWith("@")) fail(source, "this name is reserved. Choose another.");
    if (source.kind === "text") return [name, { path: readWord(source), at: null }];
    const parts = readMapping(source, ["path", "at"], "style");
    if (!parts.path) fail(source, "path is missing. Write {path: film.mp4, at: 4.5}.");
    const at = parts.at ? readTime(parts.at) : null;
    if (at && at.unit !== "s") fail(parts.at, "not a time of the style film. Write seconds (4.5).");
    return [name, { path: readWord(parts.path), at: at?.value ?? null }];
  }));
}

function readKeys(node, styles, curves) {
  if (node.kind !== "list" || !node.content.length) fail(node, "not a list of keys. Write `- {at: 0, style: NAME}` below it.");
  return node.content.map((one) => readKey(one, styles, curves));
}

function readKey(node, styles, curves) {
  const parts = readMapping(node, KEY_KEYS, "key");
  for (const [needed, example] of [["at", "at: 50%"], ["style", "style: NAME"]]) {
    if (!parts[needed]) fail({ ...node, key: needed }, `missing in this key. Write \`${example}\`.`);
  }
  for (const name of curves) if (parts[name]) fail(parts[name], `the score has a curve '${name}' too. Remove one of the two.`);
  /** @type {ScoreKey} */
  const key = { at: readTime(parts.at), weights: readWeights(parts.style, styles) };
  for (const name of ["strength", "hold", "brush"]) if (parts[name]) key[name] = readNumber(parts[name], ...RANGES[name]);
  if (parts.ease) key.ease = readEase(parts.ease);
  if (parts.colors) key.colors = readChoice(parts.colors, COLORS);
  return key;
}

function readWeights(node, styles) {
  if (node.kind === "text") return { [checkName(readWord(node), node, styles)]: 1 };
  if (node.kind === "list" || !node.content.size) fail(node, "not a style. Write a name, or a mix such as {ink: 0.5, waves: 0.5}.");
  const weights = {};
  for (const [name, weight] of node.content) weights[checkName(name, weight, styles)] = readNumber(weight, 0, Infinity);
  if (!Object.values(weights).some((weight) => weight > 0)) fail(node, "all weights of the mix are 0. Give one a weight above 0.");
  return weights;
}

function checkName(name, node, styles) {
  if (name === NONE || name.startsWith("@") || Object.hasOwn(styles, name)) return name;
  return fail(node, `unknown style '${name}'. Add it to \`styles:\`, or write @NAME.`);
}

function readCurve(node, name) {
  const [low, high] = RANGES[name];
  if (node.kind === "text") return [[{ value: 0, unit: "%" }, readNumber(node, low, high)]];
  if (node.kind !== "mapping" || !node.content.size) fail(node, "not a curve. Write one number, or {0%: 0.2, 50%: 1}.");
  return [...node.content].map(([time, value]) => [parseTime(time, { ...value, key: name }), readNumber({ ...value, key: name }, low, high)]);
}

const readTime = (node) => parseTime(readWord(node), node);

/** @returns {ScoreTime} */
function parseTime(text, node) {
  try {
    return parseScoreTime(text);
  } catch (error) {
    return fail(node, /** @type {Error} */ (error).message);
  }
}

function readMapping(node, allowed, what) {
  if (node.kind !== "mapping") fail(node, `not a ${what}. Write \`key: value\` with the keys ${allowed.join(", ")}.`);
  /** @type {Record<string, any>} */
  const entries = {};
  for (const [given, entry] of node.content) {
    const name = ALIASES[given] ?? given;
    if (!allowed.includes(name)) fail(entry, `unknown key '${name}'. A ${what} has ${allowed.join(", ")}.`);
    if (Object.hasOwn(entries, name)) fail(entry, `${name} is also given under its earlier name. Remove one of them.`);
    entries[name] = entry;
  }
  return entries;
}

function readWord(node) {
  if (node.kind !== "text" || !node.content.trim()) fail(node, "not a single value. Write one after the colon.");
  return node.content.trim();
}

function readNumber(node, low, high) {
  const text = readWord(node), found = Number(text);
  const allowed = high < Infinity ? `from ${low} to ${high}` : `of ${low} or more`;
  if (Number.isNaN(found)) fail(node, `'${text}' is not a number. Write a number ${allowed}.`);
  if (found < low || found > high || found === Infinity) fail(node, `${found} is out of range. Write a number ${allowed}.`);
  return found;
}

function readBoolean(node) {
  const text = readWord(node).toLowerCase();
  if (!["true", "false", "yes", "no", "on", "off"].includes(text)) fail(node, `'${text}' is not a truth value. Write true or false.`);
  return ["true", "yes", "on"].includes(text);
}

function readChoice(node, choices) {
  const text = readWord(node);
  if (!choices.includes(text)) fail(node, `unknown name '${text}'. Allowed: ${choices.join(", ")}.`);
  return text;
}

function readEase(node) {
  const text = readWord(node);
  try {
    getEase(text);
  } catch (error) {
    fail(node, /** @type {Error} */ (error).message);
  }
  return text;
}
