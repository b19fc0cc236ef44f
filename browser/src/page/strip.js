// The transition strip: the keys at their times, the curves of their styles, and the moment shown.
import { NONE } from "../mixing/timeline.js";
import { $, formatSeconds, make, makeSvg } from "./elements.js";
import { clearKeys, dropKey, restyleKey, retimeKey, selectKey, spreadKeys } from "./keys.js";
import { moveTo } from "./stage.js";
import { getDuration, labelStyle, labelWeights, mixAt, onChange, sortKeys, state } from "./state.js";

const CLICK = 4, WIDEST = 76, NARROWEST = 30, GAP = 4; // pixels
const POINTS = 240; // of a curve
const COLORS = 8; // --c0 … --c7
/** @type {WeakMap<object, HTMLElement>} */
const drawn = new WeakMap();
let dragged = null;

export function startStrip() {
  onChange((what) => {
    if (what === "moment") showMoment();
    else drawStrip();
  });
  $("spread").addEventListener("click", spreadKeys);
  $("clear").addEventListener("click", clearKeys);
  $("moment").addEventListener("input", () => moveTo(Number($("moment").value) / 1000));
  $("lanes").addEventListener("pointerdown", scrub);
  $("key-time").addEventListener("change", () => retimeKey(state.selected, Number($("key-time").value) / getDuration()));
  $("key-style").addEventListener("change", () => restyleKey(state.selected, $("key-style").value));
  $("key-drop").addEventListener("click", () => { dropKey(state.selected); $("spread").focus(); });
  new ResizeObserver(drawStrip).observe($("lanes"));
  drawStrip();
}

const width = () => $("lanes").clientWidth;

function shareAt(clientX) {
  const box = $("lanes").getBoundingClientRect();
  return Math.min(1, Math.max(0, (clientX - box.left) / Math.max(1, box.width)));
}

function follow(element, event, move, end) {
  const from = event.clientX;
  let moved = false;
  element.setPointerCapture(event.pointerId);
  element.onpointermove = (now) => {
    moved ||= Math.abs(now.clientX - from) >= CLICK;
    if (moved) move(shareAt(now.clientX));
  };
  element.onpointerup = element.onpointercancel = () => {
    element.onpointermove = element.onpointerup = element.onpointercancel = null;
    end?.();
  };
}

function scrub(event) {
  if (event.button > 0 || event.target.closest("button, input")) return;
  moveTo(shareAt(event.clientX));
  follow($("lanes"), event, moveTo);
}

function makeKey(key) {
  const knob = make("button", { class: "key", role: "slider", "aria-valuemin": "0" });
  knob.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    event.preventDefault();
    knob.focus();
    dragged = key;
    follow(knob, event, (share) => retimeKey(key, share), () => { dragged = null; drawStrip(); });
  });
  knob.addEventListener("focus", () => selectKey(key));
  knob.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 }[event.key];
    const removes = ["Delete", "Backspace"].includes(event.key);
    if (step === undefined && !removes) return;
    event.preventDefault();
    if (!removes) { retimeKey(key, key.share + step); knob.focus(); return; }
    dropKey(key);
    /** @type {HTMLElement} */ ($("keys").firstElementChild ?? $("find")).focus();
  });
  return knob;
}

function drawStrip() {
  const keys = sortKeys();
  $("keys-empty").hidden = keys.length > 0;
  $("timeline").hidden = !keys.length;
  $("spread").hidden = keys.length < 2;
  $("clear").hidden = !keys.length;
  drawKeys(keys);
  drawCurves();
  drawAxis();
  showMoment();
  drawInspector();
}

function drawKeys(keys) {
  const wide = Math.min(WIDEST, Math.max(NARROWEST, width() / Math.max(1, keys.length) - GAP));
  const centers = placeKeys(keys.map((key) => key.share * width()), Math.min(wide + GAP, width() / Math.max(1, keys.length)));
  const knobs = keys.map((key, index) => {
    if (!drawn.has(key)) drawn.set(key, makeKey(key));
    const knob = drawn.get(key);
    dressKey(knob, key, wide);
    knob.style.left = `${centers[index] - wide / 2}px`;
    return knob;
  });
  const shown = [...$("keys").children];
  // While one is dragged its element stays where it is, or the pointer would be lost.
  if (dragged || (shown.length === knobs.length && shown.every((one, index) => one === knobs[index]))) return;
  const focused = knobs.find((one) => one === document.activeElement);
  $("keys").replaceChildren(...knobs);
  focused?.focus();
}

/** Centers as near to the wanted ones as possible, `room` apart, within the lanes. */
function placeKeys(wanted, room) {
  const placed = [];
  for (const center of wanted) placed.push(Math.max(center, room / 2, placed.length ? placed.at(-1) + room : 0));
  let limit = width() - room / 2;
  for (let index = placed.length - 1; index >= 0; index--) {
    placed[index] = Math.min(placed[index], limit);
    limit = placed[index] - room;
  }
  return placed;
}

function dressKey(knob, key, wide) {
  const [name] = mainStyle(key), picture = state.styles.get(name)?.picture, seconds = key.share * getDuration();
  if (knob.dataset.style !== name) {
    knob.dataset.style = name;
    knob.replaceChildren(picture ? make("img", { src: picture, alt: "", draggable: "false" }) : make("span", {}, labelStyle(name)));
  }
  knob.style.width = `${wide}px`;
  knob.style.setProperty("--curve", colorOf(name));
  knob.classList.toggle("selected", key === state.selected);
  knob.title = `${labelWeights(key.weights)}, ${seconds.toFixed(1)} s`;
  for (const [part, value] of Object.entries({ label: `Key ${labelWeights(key.weights)}`, valuemax: getDuration().toFixed(1),
    valuenow: seconds.toFixed(1), valuetext: `${seconds.toFixed(1)} seconds` })) knob.setAttribute(`aria-${part}`, value);
}

const mainStyle = (key) => Object.entries(key.weights).reduce((one, other) => (other[1] > one[1] ? other : one));

function listNames() {
  return [...new Set(sortKeys().flatMap((key) => Object.keys(key.weights)))];
}

function colorOf(name) {
  return name === NONE ? "var(--bare)" : `var(--c${listNames().filter((one) => one !== NONE).indexOf(name) % COLORS})`;
}

function drawCurves() {
  if (!state.keys.length) { $("curves").replaceChildren(); return; }
  const mixes = Array.from({ length: POINTS + 1 }, (_, point) => /** @type {any} */ (mixAt(point / POINTS)).weights);
  $("curves").replaceChildren(...listNames().flatMap((name) => {
    const line = mixes.map((weights, point) => `${(1000 * point) / POINTS} ${(100 - 100 * (weights[name] ?? 0)).toFixed(1)}`).join("L");
    const color = colorOf(name);
    return [makeSvg("path", { d: `M0 100L${line}L1000 100Z`, class: "area", style: `fill: ${color}` }),
      makeSvg("path", { d: `M${line}`, class: "curve", style: `stroke: ${color}` })];
  }));
}

function drawAxis() {
  const end = getDuration(), steps = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
  const step = steps.find((one) => (width() * one) / end >= 58) ?? 1800;
  $("axis").replaceChildren(...Array.from({ length: Math.floor(end / step + 1e-6) + 1 }, (_, index) =>
    make("span", { style: `left: ${(100 * index * step) / end}%` }, formatSeconds(index * step))));
}

function showMoment() {
  const seconds = state.moment * getDuration();
  $("moment").value = String(Math.round(1000 * state.moment));
  $("moment").setAttribute("aria-valuetext", `${seconds.toFixed(1)} seconds`);
  $("playhead").style.left = `${100 * state.moment}%`;
}

function drawInspector() {
  const key = state.selected;
  $("inspector").hidden = !key;
  if (!key) return;
  const [name] = mainStyle(key), style = state.styles.get(name);
  $("key-picture").hidden = !style;
  if (style) $("key-picture").src = style.picture;
  $("key-name").textContent = labelWeights(key.weights);
  $("key-of").textContent = style?.source ? style.source.path : style ? "from the gallery" : "";
  $("key-time").max = getDuration().toFixed(1);
  if (document.activeElement !== $("key-time")) $("key-time").value = (key.share * getDuration()).toFixed(1);
  $("key-style").replaceChildren(...[...state.styles.values()].map((one) => make("option", { value: one.name }, one.label)),
    make("option", { value: NONE }, "as filmed"));
  $("key-style").value = name;
}
