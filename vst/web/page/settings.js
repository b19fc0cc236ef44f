// The style: one control for each field of a job that the server names.
import { $, make, state } from "./api.js";

const LABELS = { stabilize: "Stabilizer", steadiness: "Steadiness", audio: "Sound", hold: "Stay", ease: "Change", blend: "Mix",
  brush: "Strokes", pace: "Speed of change", ghost: "Trail", speed: "Playback", size: "Detail" };
// What each setting does, in the page's words; a setting without any has the library's.
const HELP = {
  quality: "Draft is quick and best is slow: sets steadiness, detail and how the file is compressed.",
  strength: "How much of the style is seen; 0 leaves the video as filmed.",
  hold: "How long each style stays before it changes to the next.",
  ease: "How a change starts and ends.",
  size: "Height of the painting in pixels. More shows finer detail and takes longer.",
  stabilize: "How flicker from frame to frame is removed; off shows it.",
  steadiness: "How much flicker is removed; 0 leaves each frame as it was painted.",
  colors: "Take the colors of the style, or keep those of the video; or take the colors alone.",
  blend: "How two styles mix in a change: into one style between them, on an arc or a smooth path, or as a cross-fade of two paintings.",
  brush: "Below 1 the strokes are larger, above 1 finer.",
  pace: "Let the change follow its curve, or look even all the way.",
  loop: "End with the first style again, for a video that repeats.",
  ghost: "How long a trail of earlier frames stays.",
  speed: "Below 1 is slow motion, above 1 a time-lapse.",
  audio: "Keep the sound of the video.",
};
const WORDS = { embedding: "one style", slerp: "on an arc", spline: "smooth path", pixels: "cross-fade",
  eased: "by the curve", uniform: "even", steady: "motion", gaussian: "average", content: "the video's", style: "the style's", blend: "half-way between", only: "the style's, without strokes" };
export const PICKERS = { middle: "evenly over time", scene: "one of each scene", change: "where most changes", diverse: "most different" };
export const word = (name) => WORDS[name] || name;
export const label = (name) => LABELS[name] || name[0].toUpperCase() + name.slice(1);
const SEGMENTS = 22; // letters of choices that lie side by side

export function buildSettings(controls, changed) {
  $("settings").replaceChildren();
  $("settings-more").replaceChildren();
  for (const about of controls) {
    const value = state.form.settings[about.name];
    if (value === undefined) state.form.settings[about.name] = about.default;
    const set = (now) => { state.form.settings[about.name] = now; changed(about.name); };
    const row = make("div", { class: "setting" });
    const build = { slider, stops, switch: onOff, choice }[about.kind];
    build(row, about, state.form.settings[about.name], set);
    row.append(make("small", { class: "help" }, HELP[about.name] || about.help));
    $(about.more ? "settings-more" : "settings").append(row);
  }
}

function range(row, about, given, texts, set) {
  const id = `set-${about.name}`;
  const value = make("output", { for: id });
  const input = make("input", { type: "range", id, ...given });
  const show = () => {
    value.textContent = texts(Number(input.value));
    input.setAttribute("aria-valuetext", value.textContent);
  };
  input.addEventListener("input", () => { show(); set(Number(input.value)); });
  row.append(make("label", { for: id }, label(about.name)), input, value);
  show();
}

function slider(row, about, value, set) {
  const many = about.high > 8; // as a factor: from 1/16 to 64 times
  const low = many ? Math.log2(about.low) : about.low, high = many ? Math.log2(about.high) : about.high;
  const shown = (x) => (many ? `${Number((2 ** x).toPrecision(3))}×` : x.toFixed(2).replace(/0$/, ""));
  range(row, about, { min: low, max: high, step: many ? 0.25 : 0.05, value: many ? Math.log2(value) : value },
    shown, (x) => set(many ? 2 ** x : x));
}

function stops(row, about, value, set) {
  const at = Math.max(0, about.choices.indexOf(value));
  range(row, about, { min: 0, max: about.choices.length - 1, step: 1, value: at },
    (x) => String(about.choices[x]), (x) => set(about.choices[x]));
}

function onOff(row, about, value, set) {
  const id = `set-${about.name}`;
  const input = make("input", { type: "checkbox", id });
  input.checked = value;
  input.addEventListener("change", () => set(input.checked));
  row.append(make("label", { for: id }, label(about.name)), input);
}

function choice(row, about, value, set) {
  if (about.shapes) return eased(row, about, value, set);
  if (about.choices.map(word).join("").length > SEGMENTS) {
    const id = `set-${about.name}`;
    const select = make("select", { id }, ...about.choices.map((name) => make("option", { value: name }, word(name))));
    select.value = value;
    select.addEventListener("change", () => set(select.value));
    row.append(make("label", { for: id }, label(about.name)), make("div", { class: "wide" }, select));
    return;
  }
  const group = make("div", { class: "segments wide", role: "radiogroup", "aria-label": label(about.name) });
  for (const name of about.choices) {
    const input = make("input", { type: "radio", name: `set-${about.name}`, value: name });
    input.checked = name === value;
    input.addEventListener("change", () => set(name));
    group.append(make("label", { title: (about.texts || {})[name] }, input, make("span", {}, word(name))));
  }
  row.append(make("span", {}, label(about.name)), group);
}

function eased(row, about, value, set) {
  const select = make("select", { id: "set-ease" }, ...about.choices.map((name) => make("option", {}, name)));
  const NS = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(NS, "svg");
  const path = document.createElementNS(NS, "path");
  drawing.setAttribute("viewBox", "-4 -14 52 62");
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(path);
  const draw = () => {
    const shape = about.shapes[select.value];
    path.setAttribute("d", "M" + shape.map((y, i) => `${(44 * i / (shape.length - 1)).toFixed(1)} ${(34 - 34 * y).toFixed(1)}`).join("L"));
  };
  select.value = value;
  select.addEventListener("change", () => { draw(); set(select.value); });
  draw();
  row.append(make("label", { for: "set-ease" }, label(about.name)),
    make("div", { class: "eased wide" }, select, drawing));
}
