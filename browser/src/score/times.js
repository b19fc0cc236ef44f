// A time in a score: seconds, frames, a share of the painted part, a cut or a beat.
import { Failure } from "../failure.js";

/** @typedef {{value: number, unit: "s" | "f" | "%" | "cut" | "beat"}} ScoreTime */
/** @typedef {{start: number, last: number, rate: number}} Clock seconds of the first and last frame, frames per second */

const NUMBER = String.raw`(\d+(?:\.\d*)?|\.\d+)`;
/** @type {[ScoreTime["unit"], RegExp][]} */
const UNITS = [
  ["f", /^(\d+)\s*f(?:rames?)?$/],
  ["%", new RegExp(`^${NUMBER}\\s*%$`)],
  ["cut", /^cut\s+(\d+)$/],
  ["beat", /^beat\s+(\d+)$/],
  ["s", new RegExp(`^${NUMBER}\\s*s?$`)],
];
const CLOCK = new RegExp(`^(?:(?:(\\d+):)?(\\d{1,2}):)?${NUMBER}$`);

/** @param {string} text @returns {ScoreTime} */
export function parseScoreTime(text) {
  const bare = text.trim().toLowerCase();
  for (const [unit, pattern] of UNITS) {
    const match = pattern.exec(bare);
    if (!match) continue;
    const value = Number(match[1]);
    if (unit === "%" && value > 100) throw new Failure(`time '${text}' is after the end. Give at most 100%.`);
    if ((unit === "cut" || unit === "beat") && value < 1) {
      throw new Failure(`time '${text}' does not exist: ${unit}s are counted from 1.`);
    }
    return { value, unit };
  }
  const match = CLOCK.exec(bare);
  if (match && !(Number(match[3]) >= 60)) {
    return { value: Number(match[1] ?? 0) * 3600 + Number(match[2]) * 60 + Number(match[3]), unit: "s" };
  }
  throw new Failure(`time '${text}' is not a time. Write seconds (12.5), 1:02.5, 120f, 50%, cut 3 or beat 8.`);
}

/** @param {ScoreTime} time @param {Clock} clock */
export function toSeconds(time, clock) {
  if (time.unit === "%") return clock.start + ((clock.last - clock.start) * time.value) / 100;
  if (time.unit === "f") return time.value / clock.rate;
  if (time.unit === "s") return time.value;
  throw new Failure(`time '${time.unit} ${time.value}' needs the ${time.unit}s of the film, which this page does not `
    + "search for. Write seconds or percent, or use `vst stylize`.");
}

/** @param {ScoreTime} time */
export function formatScoreTime({ value, unit }) {
  const number = formatNumber(value);
  return unit === "cut" || unit === "beat" ? `${unit} ${number}` : unit === "s" ? number : number + unit;
}

/** The shortest decimal that reads back as this number, without an exponent. @param {number} number */
export function formatNumber(number) {
  const text = String(number);
  return /e/.test(text) ? number.toFixed(20).replace(/\.?0+$/, "") : text;
}
