// The keyframes in a row, and their times on a rail.
import { $, content, make, media, state } from "./api.js";

let changed = () => {};
export function buildKeys(onChange) {
  changed = onChange;
  $("spread").addEventListener("click", () => { spread(); redraw(); });
  $("clear").addEventListener("click", () => { state.form.keys = []; redraw(); $("style-file").focus(); });
}

const style = (key) => state.styles[key.style];
const name = (key) => (style(key) ? style(key).name : key.style.replace("@", ""));

// Spaces the keys' times evenly; a loop leaves time to return to the first.
export function spread() {
  const keys = state.form.keys;
  const steps = Math.max(1, state.form.settings.loop ? keys.length : keys.length - 1);
  keys.forEach((key, index) => { key.at = index / steps; });
}

// Adds keyframes as long as the page accepts them; returns why not.
export function addKeys(styles) {
  const most = state.about.limits.keyframes, now = state.form.keys.length + styles.length;
  if (now > most) return `${now} keyframes would be on the page; it accepts ${most}. Take fewer, or remove some.`;
  for (const one of styles) state.form.keys.push({ style: one, at: 1 });
  spread();
  redraw();
}

export function dropStyles(gone) {
  state.form.keys = state.form.keys.filter((key) => !gone(key.style));
  redraw();
}

// Keys change places; the times stay.
function move(from, to) {
  const keys = state.form.keys;
  if (to < 0 || to >= keys.length || from === to) return;
  const styles = keys.map((key) => key.style);
  styles.splice(to, 0, ...styles.splice(from, 1));
  keys.forEach((key, index) => { key.style = styles[index]; });
  redraw();
  const moved = $("keys").children[to];
  (moved.querySelector(to > from ? "[data-later]" : "[data-earlier]") || moved).focus();
}

function retime(key, at, quiet) {
  key.at = Math.min(1, Math.max(0, at));
  if (!quiet) { state.form.keys.sort((one, other) => one.at - other.at); redraw(); }
}

function drop(index) {
  state.form.keys.splice(index, 1);
  redraw();
  const next = $("keys").children[Math.min(index, state.form.keys.length - 1)];
  (next ? next.querySelector("[data-drop]") : $("style-file")).focus();
}

const seconds = () => (content() ? Math.max(content().duration - 1 / content().rate, 0) : 1);

export function redraw(quiet) {
  const keys = state.form.keys;
  $("keys").replaceChildren(...keys.map(card));
  $("rail").replaceChildren(...keys.map(handle));
  $("keys-empty").hidden = keys.length > 0;
  $("rail").hidden = keys.length < 2;
  $("spread").hidden = keys.length < 3;
  $("clear").hidden = !keys.length;
  if (!quiet) changed();
}

function card(key, index) {
  const shown = style(key);
  const address = shown && shown.file ? media(shown.file) : key.style.startsWith("@") ? `swatch/${key.style.slice(1)}` : "";
  const picture = address ? make("img", { src: address, alt: "" }) : make("span", { class: "bare" }, "as filmed");
  const time = make("input", { type: "number", min: 0, max: seconds().toFixed(2), step: 0.1,
    value: (key.at * seconds()).toFixed(2), "aria-label": `Time of ${name(key)} in seconds`,
    onchange: (event) => retime(key, Number(event.target.value) / Math.max(seconds(), 1e-3)) });
  const item = make("li", { class: "key", draggable: "true" }, picture, make("b", { title: name(key) }, name(key)),
    make("label", {}, time, "s"),
    make("div", {},
      make("button", { class: "quiet", "data-earlier": true, "aria-label": `Play ${name(key)} earlier`, onclick: () => move(index, index - 1), disabled: index === 0 }, "←"),
      make("button", { class: "quiet", "data-drop": true, "aria-label": `Remove ${name(key)}`, onclick: () => drop(index) }, "×"),
      make("button", { class: "quiet", "data-later": true, "aria-label": `Play ${name(key)} later`, onclick: () => move(index, index + 1), disabled: index === state.form.keys.length - 1 }, "→")));
  item.addEventListener("dragstart", (event) => { event.dataTransfer.setData("text/plain", String(index)); item.classList.add("lifted"); });
  item.addEventListener("dragend", () => item.classList.remove("lifted"));
  item.addEventListener("dragover", (event) => { event.preventDefault(); item.classList.add("target"); });
  item.addEventListener("dragleave", () => item.classList.remove("target"));
  item.addEventListener("drop", (event) => {
    event.preventDefault();
    const from = Number(event.dataTransfer.getData("text/plain"));
    if (Number.isInteger(from) && state.form.keys[from]) move(from, index); else redraw(true);
  });
  return item;
}

function handle(key, index) {
  const shown = () => `${(key.at * seconds()).toFixed(2)} s`;
  const knob = make("button", { role: "slider", "aria-label": `Time of ${name(key)}`, "aria-valuemin": 0,
    "aria-valuemax": 100, "aria-valuenow": Math.round(100 * key.at), "aria-valuetext": shown(), title: name(key) }, String(index + 1));
  const place = () => { knob.style.left = `${100 * key.at}%`; knob.setAttribute("aria-valuetext", shown()); };
  place();
  knob.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    knob.focus();
    knob.setPointerCapture(event.pointerId);
    const rail = $("rail").getBoundingClientRect();
    knob.onpointermove = (at) => { retime(key, (at.clientX - rail.left) / rail.width, true); place(); };
    knob.onpointerup = knob.onpointercancel = () => { knob.onpointermove = null; retime(key, key.at); };
  });
  knob.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.01, ArrowRight: 0.01, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    retime(key, key.at + step);
    $("rail").children[state.form.keys.indexOf(key)].focus();
  });
  return knob;
}
