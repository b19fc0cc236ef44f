// The keyframes: a style and its place, 0..1 of the painted time. The timeline shows them.
import { content, media, state } from "./api.js";

const COLORS = 8; // of the curves, in page.css
let redrawn = () => {}, changed = () => {};
let selected = null; // the key that the inspector shows

export function buildKeys({ onDraw, onChange }) { redrawn = onDraw; changed = onChange; }

export const styleOf = (key) => state.styles[key.style];
export const nameOf = (key) => (styleOf(key) ? styleOf(key).name : key.style === "none" ? "as filmed" : key.style.replace("@", ""));
export const selectedKey = () => (state.form.keys.includes(selected) ? selected : null);

// The address of a style's picture; empty for the video itself.
export function pictureOf(key) {
  const shown = styleOf(key);
  if (shown && shown.file) return media(shown.file);
  return key.style.startsWith("@") ? `swatch/${key.style.slice(1)}` : "";
}

// The color of a style's curve, by the order in which the styles come first.
export function colorOf(id) {
  if (id === "none") return "var(--bare)";
  const known = [...new Set(state.form.keys.map((key) => key.style))].filter((one) => one !== "none");
  return `var(--c${known.indexOf(id) % COLORS})`;
}

// Seconds of the first and of the last painted frame, of the content's last frame, and of one frame.
export function span() {
  const video = content();
  if (!video) return { start: 0, last: 1, end: 1, frame: 0.04 };
  const frame = 1 / video.rate, end = Math.max(video.duration - frame, frame);
  const [from, to] = state.form.trim || [0, video.duration];
  return { start: Math.min(from, end), last: Math.min(end, Math.max(to - frame, from)), end, frame };
}
export const toSeconds = (at) => { const { start, last } = span(); return start + at * (last - start); };
export const toPart = (seconds) => {
  const { start, last } = span();
  return Math.min(1, Math.max(0, (seconds - start) / Math.max(last - start, 1e-6)));
};

export function redraw(quiet) {
  redrawn();
  if (!quiet) changed();
}

export function select(key, quiet) {
  if (selected === key) return;
  selected = key;
  if (!quiet) redrawn();
}

const intervals = (count) => Math.max(1, state.form.settings.loop ? count : count - 1);

// Spaces the times evenly; a loop leaves time to return to the first.
export function spread() {
  const keys = state.form.keys;
  keys.forEach((key, index) => { key.at = index / intervals(keys.length); });
}

// Why `count` more keyframes cannot be added; empty if they can.
function refuse(count) {
  const most = state.about.limits.keyframes, now = state.form.keys.length + count;
  return now > most ? `${now} keyframes would be on the page; it accepts ${most}. Take fewer, or remove some.` : "";
}

// Appends keyframes; those before move together to make room. Returns why not.
export function addKeys(styles) {
  const keys = state.form.keys, refused = refuse(styles.length);
  if (refused) return refused;
  const before = keys.length > 1 ? intervals(keys.length) : 0, now = intervals(keys.length + styles.length);
  for (const key of keys) key.at *= before / now;
  for (const style of styles) keys.push({ style, at: Math.min(1, keys.length / now) });
  redraw();
  return "";
}

// Adds a keyframe at a place, in the style that is nearest; returns why not.
export function insertKey(at) {
  const keys = state.form.keys;
  if (!keys.length) return "Add a style first: a video, a picture, or one from the gallery.";
  const refused = refuse(1);
  if (refused) return refused;
  const nearest = keys.reduce((one, other) => (Math.abs(other.at - at) < Math.abs(one.at - at) ? other : one));
  const key = { style: nearest.style, at };
  keys.push(key);
  sortKeys();
  select(key, true);
  redraw();
  return "";
}

export function dropStyles(gone) {
  state.form.keys = state.form.keys.filter((key) => !gone(key.style));
  redraw();
}

// Two neighbors change places; the times stay.
export function swap(key, step) {
  const keys = state.form.keys, other = keys[keys.indexOf(key) + step];
  if (!other) return;
  [key.at, other.at] = [other.at, key.at];
  const from = keys.indexOf(key);
  [keys[from], keys[from + step]] = [other, key];
  redraw();
}

export function sortKeys() { state.form.keys.sort((one, other) => one.at - other.at); }

export function retime(key, at, quiet) {
  key.at = Math.min(1, Math.max(0, at));
  if (!quiet) sortKeys();
  redraw(quiet);
}

export function restyle(key, style) {
  key.style = style;
  redraw();
}

// Removes a key; returns the one that takes its place.
export function drop(key) {
  const keys = state.form.keys, index = keys.indexOf(key);
  keys.splice(index, 1);
  const next = keys[Math.min(index, keys.length - 1)] || null;
  select(next, true);
  redraw();
  return next;
}
