// Changes of the transition's keys. A key is where its styles are complete.
import { formatScore } from "../score/writing.js";
import { parseScore } from "../score/reading.js";
import { toSeconds } from "../score/times.js";
import { NONE } from "../mixing/timeline.js";
import { notify, say } from "./elements.js";
import { MOST_KEYS, RATE, announce, describeScore, getDuration, sortKeys, state } from "./state.js";

/** Add a style at the end, and make room for it. @param {string} name */
export function addKey(name) {
  if (state.keys.length >= MOST_KEYS) {
    return notify(`A transition has at most ${MOST_KEYS} keys. Remove one first.`);
  }
  const key = { share: 1, weights: { [name]: 1 } };
  state.keys = [...sortKeys(), key];
  state.selected = null;
  spreadKeys();
}

/** Put the keys at equal distances; a loop leaves time to come back to the first. */
export function spreadKeys() {
  const keys = sortKeys(), count = state.settings.loop ? keys.length : keys.length - 1;
  keys.forEach((key, index) => { key.share = count > 0 ? index / count : 0; });
  state.keys = keys;
  announce("keys");
}

/** @param {import("./state.js").PlacedKey} key @param {number} share */
export function retimeKey(key, share) {
  key.share = Math.min(1, Math.max(0, share));
  announce("keys");
}

/** @param {import("./state.js").PlacedKey} key @param {string} name */
export function restyleKey(key, name) {
  key.weights = { [name]: 1 };
  announce("keys");
}

/** @param {import("./state.js").PlacedKey} key */
export function dropKey(key) {
  state.keys = state.keys.filter((one) => one !== key);
  state.selected = null;
  announce("keys");
}

/** @param {import("./state.js").PlacedKey | null} key */
export function selectKey(key) {
  if (state.selected === key) return;
  state.selected = key;
  announce("selection");
}

export function clearKeys() {
  state.keys = [];
  state.selected = null;
  announce("keys");
}

/** The text of the present setting, as a score. */
export const formatSetting = () => formatScore(describeScore());

/** A score whose own styles are not here yet, and the files it waits for. */
let awaitedText = "";

/** Take a score's keys and settings, or wait for the files that it names. @param {string} text */
export function openScore(text) {
  const score = parseScore(text);
  const names = new Set(score.keys.flatMap((key) => Object.keys(key.weights)));
  const unknown = [...names].filter((name) => name.startsWith("@") && !state.styles.has(name));
  if (unknown.length) notify(`Style '${unknown[0]}' is not in this page's gallery. Use \`vst stylize\` for this score.`);
  if (unknown.length) return;
  const missing = [...names].filter((name) => name !== NONE && !state.styles.has(name));
  state.awaited = missing.map((name) => ({ name, path: baseName(score.styles[name].path), at: score.styles[name].at }));
  if (missing.length) {
    awaitedText = text;
    const files = [...new Set(state.awaited.map((source) => source.path))];
    say("keep-said", `This score needs ${files.join(", ")}. Choose ${files.length > 1 ? "them" : "it"} with “Add pictures or a film”.`);
    return;
  }
  awaitedText = "";
  applyScore(score);
}

const baseName = (path) => path.split(/[\\/]/).at(-1);

/** Open the score that waited, if all of its files are here now. Returns whether one waited. */
export function completeScore() {
  if (!awaitedText) return false;
  openScore(awaitedText);
  return true;
}

/** @param {import("../score/reading.js").Score} score */
function applyScore(score) {
  const duration = getDuration(), clock = { start: 0, last: duration, rate: RATE };
  const toShare = (time) => Math.min(1, toSeconds(time, clock) / duration);
  const keys = score.keys.map(({ at, brush, ...key }) => ({ share: toShare(at), ...key }));
  const curve = score.strength.map(([time, value]) => /** @type {[number, number]} */ ([toShare(time), value]));
  const constant = curve.length === 1;
  const { ease, blend, hold, loop, colors } = score;
  Object.assign(state.settings, { ease, blend, hold, loop, colors, strength: constant ? curve[0][1] : 1,
    steadiness: score.steadiness ?? state.settings.steadiness });
  Object.assign(state, { keys, selected: null, strengthCurve: curve.length > 1 ? curve : null });
  const usesBrush = score.brush.length || score.keys.some((key) => key.brush !== undefined);
  const late = score.keys.some((key) => toSeconds(key.at, clock) > duration);
  const unused = [...score.unused, ...(usesBrush ? ["the size of the strokes"] : [])];
  say("keep-said", unused.length ? `This page does not use ${unused.join(" and ")} of the score; \`vst stylize\` does.` : "The score is open.",
    late ? `Some of its keys are later than ${duration.toFixed(1)} s, where this transition ends: they are at its end now.` : "");
  announce("settings");
  announce("keys");
}
