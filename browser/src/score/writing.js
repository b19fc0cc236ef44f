// Writes a score that `vst stylize --score` and this page read back as an equal score.
import { formatNumber, formatScoreTime } from "./times.js";

const PLAIN = /^[A-Za-z0-9_./~-][A-Za-z0-9_./~%+ -]*$/;
const UNSAFE = /^-|^\s|\s$|^~$/;

/** @param {import("./reading.js").Score} score @returns {string} */
export function formatScore(score) {
  const rows = [];
  for (const [name, usual] of [["blend", "embedding"], ["ease", "smooth"], ["colors", "style"]]) {
    if (score[name] !== usual) rows.push(`${name}: ${quoteText(score[name])}`);
  }
  if (score.hold) rows.push(`hold: ${formatNumber(score.hold)}`);
  if (score.steadiness !== null) rows.push(`steadiness: ${formatNumber(score.steadiness)}`);
  if (score.loop) rows.push("loop: true");
  const styles = Object.entries(score.styles);
  if (styles.length) rows.push("", "styles:", ...styles.map(([name, source]) => `  ${quoteText(name)}: ${formatSource(source)}`));
  rows.push("", "keys:", ...score.keys.map(formatKey));
  for (const name of ["strength", "brush"]) {
    const points = score[name].map(([time, value]) => `${formatScoreTime(time)}: ${formatNumber(value)}`);
    if (points.length) rows.push("", `${name}: {${points.join(", ")}}`);
  }
  return `${rows.join("\n").replace(/^\n+/, "")}\n`;
}

function formatKey(key) {
  const parts = [`at: ${formatScoreTime(key.at)}`, `style: ${formatWeights(key.weights)}`];
  for (const name of ["strength", "hold", "brush"]) if (key[name] != null) parts.push(`${name}: ${formatNumber(key[name])}`);
  for (const name of ["ease", "colors"]) if (key[name] != null) parts.push(`${name}: ${quoteText(key[name])}`);
  return `  - {${parts.join(", ")}}`;
}

function formatWeights(weights) {
  const all = Object.entries(weights);
  if (all.length === 1 && all[0][1] === 1) return quoteText(all[0][0]);
  return `{${all.map(([name, weight]) => `${quoteText(name)}: ${formatNumber(weight)}`).join(", ")}}`;
}

const formatSource = ({ path, at }) => (at === null ? quoteText(path) : `{path: ${quoteText(path)}, at: ${formatNumber(at)}}`);

/** Text for YAML: unquoted if that is safe. @param {string} text */
function quoteText(text) {
  return PLAIN.test(text) && !UNSAFE.test(text) ? text : JSON.stringify(text);
}
