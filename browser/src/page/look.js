// The settings of the look: each a row with a sentence about what it does.
import { EASES } from "../mixing/easing.js";
import { BLENDS, COLORS } from "../mixing/timeline.js";
import { $, formatSeconds, make } from "./elements.js";
import { announce, onChange, state } from "./state.js";

/** Shorter side of the painting, in pixels. */
export const SIDES = [128, 192, 256, 360, 480, 720];
const WORDS = { style: "style's", content: "film's", blend: "between", embedding: "one style", slerp: "on an arc", spline: "smooth path", pixels: "cross-fade" };
const percent = (value) => `${Math.round(100 * value)} %`;

/** The shown rows, which a score or a link may change. @type {(() => void)[]} */
const refreshers = [];

export function startLook() {
  slider("strength", "Strength", { step: 0.05, text: percent, help: "How much of the style is seen; 0 leaves it as filmed.", set: setStrength });
  choice("colors", "Colors", COLORS, "Take the colors of the style, or keep those of the film.");
  slider("side", "Detail", { values: SIDES, text: (side) => `${side} px`, help: "Shorter side of the painting. More is finer and slower." });
  slider("steadiness", "Steadiness", { step: 0.05, text: (value) => (value ? percent(value) : "off"),
    help: "Removes flicker where nothing moves; 0 is off. Motion is not followed here; vst stylize does that." });
  select("ease", "Change", Object.keys(EASES), "How a change starts and ends.");
  slider("hold", "Stay", { step: 0.05, text: percent, help: "How long each style stays before it changes." });
  select("blend", "Mix", BLENDS, "How two styles mix: into one style between them, or as a cross-fade of two paintings.");
  slider("seconds", "Length", { values: [4, 6, 8, 12, 20, 30, 60], text: formatSeconds, help: "Of the transition over a camera or a picture. A film has its own." });
  toggle("loop", "Repeat", "End with the first style again.");
  onChange((what) => { if (what === "settings" || what === "content") for (const refresh of refreshers) refresh(); });
}

/** One strength for all of the transition: a score's own is left. */
function setStrength(value) {
  state.strengthCurve = null;
  for (const key of state.keys) delete key.strength;
  state.settings.strength = value;
}

function addRow(name, label, help, ...inside) {
  $("settings").append(make("div", { class: "setting" }, make("label", { for: `set-${name}` }, label), ...inside, make("small", { class: "help" }, help)));
}

function slider(name, label, { step = 1, values = null, text, help, set = (value) => { state.settings[name] = value; } }) {
  const input = make("input", { type: "range", id: `set-${name}`, min: 0, max: values ? values.length - 1 : 1, step });
  const output = make("output", { for: `set-${name}` });
  const refresh = () => {
    const now = state.settings[name];
    input.value = String(values ? nearest(values, now) : now);
    output.textContent = text(now);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => {
    set(values ? values[Number(input.value)] : Number(input.value));
    announce("settings");
  });
  addRow(name, label, help, input, output);
  refreshers.push(refresh);
  refresh();
}

const nearest = (values, wanted) => values.reduce((best, value, index) => (Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? index : best), 0);

function select(name, label, names, help) {
  const input = make("select", { id: `set-${name}` });
  const refresh = () => {
    const now = state.settings[name];
    // A score may have a curve of its own.
    const shown = names.includes(now) ? names : [...names, now];
    input.replaceChildren(...shown.map((one) => make("option", { value: one }, WORDS[one] ?? one)));
    input.value = now;
  };
  input.addEventListener("change", () => { state.settings[name] = input.value; announce("settings"); });
  addRow(name, label, help, make("div", { class: "wide" }, input));
  refreshers.push(refresh);
  refresh();
}

function choice(name, label, names, help) {
  const inputs = names.map((one) => make("input", { type: "radio", name: `set-${name}`, value: one }));
  const group = make("div", { class: "segments wide", role: "radiogroup", "aria-label": label },
    ...inputs.map((input) => make("label", {}, input, make("span", {}, WORDS[input.value]))));
  const refresh = () => { for (const input of inputs) input.checked = input.value === state.settings[name]; };
  group.addEventListener("change", (event) => { state.settings[name] = event.target.value; announce("settings"); });
  $("settings").append(make("div", { class: "setting" }, make("span", {}, label), group, make("small", { class: "help" }, help)));
  refreshers.push(refresh);
  refresh();
}

function toggle(name, label, help) {
  const input = make("input", { type: "checkbox", id: `set-${name}` });
  const refresh = () => { input.checked = state.settings[name]; };
  input.addEventListener("change", () => { state.settings[name] = input.checked; announce("settings"); });
  addRow(name, label, help, input);
  refreshers.push(refresh);
  refresh();
}
