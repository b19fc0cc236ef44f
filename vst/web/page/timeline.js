// One timeline: the keyframes at their times, the curves of their styles, the film with its cuts and
// beats, the painted part, and the moment that the stage shows.
import { $, call, content, isReady, later, latest, make, remember, say, state, still } from "./api.js";
import { buildInspector, drawInspector } from "./inspector.js";
import { colorOf, drop, insertKey, nameOf, pictureOf, redraw, retime, select, selectedKey, span, spread, swap, toPart, toSeconds } from "./keys.js";

const NS = "http://www.w3.org/2000/svg";
const SNAP = 7, CLICK = 4; // pixels
const WIDEST = 84, NARROWEST = 30, GAP = 6; // of the pictures, in pixels
const STILLS = 10; // pictures of the film
const FEWEST = 2; // frames of the painted part
const drawn = new WeakMap(); // key -> its button
const marks = {}; // content -> its cuts and beats
let onMoment = () => {}, dragging = null;

export function buildTimeline(whenMoved) {
  onMoment = whenMoved;
  buildInspector();
  $("spread").addEventListener("click", () => { spread(); redraw(); });
  $("clear").addEventListener("click", () => { state.form.keys = []; redraw(); $("style-file").focus(); });
  $("add-key").addEventListener("click", () => add(state.form.time, true));
  $("untrim").addEventListener("click", () => setTrim(null));
  $("moment").addEventListener("input", () => moveTo(Number($("moment").value)));
  $("lanes").addEventListener("pointerdown", scrub);
  $("lanes").addEventListener("dblclick", (event) => { if (event.target.closest("button") === null) add(secondsAt(event.clientX), true); });
  for (const [id, side] of [["trim-start", 0], ["trim-end", 1]]) buildTrim($(id), side);
  new ResizeObserver(() => drawTimeline()).observe($("lanes"));
}

const width = () => $("lanes").clientWidth;
const xOf = (seconds) => width() * seconds / span().end;
function secondsAt(clientX) {
  const box = $("lanes").getBoundingClientRect();
  return span().end * Math.min(1, Math.max(0, (clientX - box.left) / Math.max(1, box.width)));
}

function add(seconds, focus) {
  const refused = insertKey(toPart(snap(seconds)));
  say("keys-said", refused);
  if (!refused && focus) $("key-style").focus();
}

// The nearest cut, beat or end of the painted part, if one is near.
function snap(seconds) {
  const known = marks[state.form.content] || { cuts: [], beats: [] }, { start, last } = span();
  const near = [...known.cuts, ...known.beats, start, last].map((time) => [Math.abs(xOf(time) - xOf(seconds)), time])
    .reduce((one, other) => (other[0] < one[0] ? other : one));
  return near[0] <= SNAP ? near[1] : seconds;
}

export function moveTo(seconds) {
  state.form.time = Math.min(span().end, Math.max(0, seconds));
  showMoment();
  remember();
  onMoment();
}

export function showMoment(seconds = state.form.time) {
  const { end } = span();
  $("moment").max = end;
  $("moment").value = seconds;
  $("moment").setAttribute("aria-valuetext", `${seconds.toFixed(2)} seconds`);
  $("playhead").style.left = `${100 * Math.min(1, seconds / end)}%`;
  $("moment-at").textContent = content() ? `${seconds.toFixed(2)} s of ${end.toFixed(2)} s` : "";
}

// Follows the pointer from `element`; `move` gets seconds, `end` whether it was moved.
function follow(element, event, move, end) {
  const from = event.clientX;
  let moved = false;
  element.setPointerCapture(event.pointerId);
  element.onpointermove = (now) => {
    moved = moved || Math.abs(now.clientX - from) >= CLICK;
    if (moved) move(secondsAt(now.clientX));
  };
  element.onpointerup = element.onpointercancel = (now) => {
    element.onpointermove = element.onpointerup = element.onpointercancel = null;
    if (end) end(moved, now);
  };
}

function scrub(event) {
  if (event.button > 0 || event.target.closest("button, input") || !content()) return;
  moveTo(secondsAt(event.clientX));
  follow($("lanes"), event, moveTo);
}

// Left, right, page and end keys move a time; null for another key.
function stepTime(event, seconds, low, high) {
  const { frame, end } = span();
  const step = { ArrowLeft: -frame, ArrowDown: -frame, ArrowRight: frame, ArrowUp: frame, PageDown: -end / 10, PageUp: end / 10, Home: -end, End: end }[event.key];
  if (step === undefined) return null;
  event.preventDefault();
  return Math.min(high, Math.max(low, seconds + step));
}

function makeKey(key) {
  const knob = make("button", { class: "key", role: "slider", "aria-valuemin": 0 });
  knob.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    event.preventDefault();
    knob.focus();
    select(key);
    follow(knob, event, (seconds) => { dragging = key; retime(key, toPart(snap(seconds)), true); plotSoon(); }, (moved, now) => {
      dragging = null;
      if (moved) retime(key, key.at);
      else if (now.pointerType === "mouse") $("key-time").select(); // type a time to move it there
    });
  });
  knob.addEventListener("focus", () => select(key));
  knob.addEventListener("keydown", (event) => {
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      const next = drop(key);
      (next ? drawn.get(next) : $("style-file")).focus();
      return;
    }
    if (event.altKey && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
      event.preventDefault();
      swap(key, event.key === "ArrowLeft" ? -1 : 1);
      knob.focus();
      return;
    }
    const { start, last } = span(), seconds = stepTime(event, toSeconds(key.at), start, last);
    if (seconds === null) return;
    retime(key, toPart(seconds));
    knob.focus();
  });
  return knob;
}

function buildTrim(handle, side) {
  const set = (seconds) => {
    const { start, last, end, frame } = span(), least = (FEWEST - 1) * frame;
    const now = side ? [start, Math.min(end, Math.max(seconds, start + least))] : [Math.max(0, Math.min(seconds, last - least)), last];
    const whole = now[0] <= 0 && now[1] >= end - 1e-6;
    setTrim(whole ? null : [now[0], Math.min(content().duration, now[1] + frame)]);
  };
  handle.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    event.preventDefault();
    handle.focus();
    follow(handle, event, (seconds) => set(snap(seconds)));
  });
  handle.addEventListener("keydown", (event) => {
    const now = stepTime(event, side ? span().last : span().start, 0, span().end);
    if (now !== null) set(now);
  });
}

function setTrim(trim) {
  state.form.trim = trim;
  redraw();
}

export function drawTimeline() {
  const keys = state.form.keys, video = content();
  $("keys-empty").hidden = keys.length > 0;
  $("spread").hidden = keys.length < 3;
  $("clear").hidden = !keys.length;
  $("add-key").hidden = !keys.length;
  $("timeline").hidden = !keys.length && !video;
  drawKeys(keys);
  drawFilm(video);
  drawAxis(video);
  showMoment();
  drawInspector();
}

function drawKeys(keys) {
  const wide = Math.min(WIDEST, Math.max(NARROWEST, width() / Math.max(1, keys.length) - GAP));
  const order = [...keys].sort((one, other) => one.at - other.at);
  const wanted = order.map((key) => xOf(toSeconds(key.at)));
  const centers = place(wanted, Math.min(wide + GAP, width() / Math.max(1, keys.length)));
  const buttons = order.map((key, index) => {
    if (!drawn.has(key)) drawn.set(key, makeKey(key));
    const knob = drawn.get(key);
    dress(knob, key, wide);
    knob.style.left = `${centers[index] - wide / 2}px`;
    return knob;
  });
  const shown = [...$("keys").children];
  if (!dragging && (shown.length !== buttons.length || shown.some((one, index) => one !== buttons[index]))) {
    const focused = buttons.find((one) => one === document.activeElement);
    $("keys").replaceChildren(...buttons);
    if (focused) focused.focus();
  }
  $("stems").replaceChildren(...wanted.map((x, index) => line(centers[index], 0, x, 14, colorOf(order[index].style))));
}

function dress(knob, key, wide) {
  const address = pictureOf(key), seconds = toSeconds(key.at);
  if (knob.dataset.style !== key.style) {
    knob.dataset.style = key.style;
    knob.replaceChildren(address ? make("img", { src: address, alt: "", draggable: "false" }) : make("span", {}, "as filmed"));
  }
  knob.style.width = `${wide}px`;
  knob.style.setProperty("--curve", colorOf(key.style));
  knob.classList.toggle("selected", key === selectedKey());
  knob.title = `${nameOf(key)}, ${seconds.toFixed(2)} s`;
  knob.setAttribute("aria-label", `Keyframe ${nameOf(key)}`);
  knob.setAttribute("aria-valuemax", span().end.toFixed(2));
  knob.setAttribute("aria-valuenow", seconds.toFixed(2));
  knob.setAttribute("aria-valuetext", `${seconds.toFixed(2)} seconds`);
}

// Centers as near to the wanted ones as possible, `room` apart, within the lanes.
function place(wanted, room) {
  const placed = [];
  for (const center of wanted) placed.push(Math.max(center, room / 2, placed.length ? placed[placed.length - 1] + room : 0));
  let limit = width() - room / 2;
  for (let index = placed.length - 1; index >= 0; index -= 1) {
    placed[index] = Math.min(placed[index], limit);
    limit = placed[index] - room;
  }
  return placed;
}

function line(x1, y1, x2, y2, color) {
  const made = document.createElementNS(NS, "line");
  for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) made.setAttribute(name, value);
  made.style.stroke = color;
  return made;
}

function drawFilm(video) {
  $("film").hidden = !video;
  if (!video) return;
  const { start, last, end } = span();
  if ($("stills").dataset.of !== video.id) {
    $("stills").dataset.of = video.id;
    $("stills").replaceChildren(...Array.from({ length: STILLS }, (_, index) =>
      make("img", { src: `${still(video.id, (end * (index + 0.5) / STILLS).toFixed(3))}&side=160`, alt: "", draggable: "false" })));
    searchMarks(video);
  }
  $("film").style.setProperty("--from", `${100 * start / end}%`);
  $("film").style.setProperty("--to", `${100 * last / end}%`);
  $("untrim").hidden = !state.form.trim;
  $("trimmed").textContent = state.form.trim ? `Painted from ${start.toFixed(2)} s to ${last.toFixed(2)} s.` : "";
  for (const [id, at] of [["trim-start", start], ["trim-end", last]]) {
    $(id).setAttribute("aria-valuemax", end.toFixed(2));
    $(id).setAttribute("aria-valuenow", at.toFixed(2));
    $(id).setAttribute("aria-valuetext", `${at.toFixed(2)} seconds`);
  }
}

async function searchMarks(video) {
  drawMarks();
  if (marks[video.id]) return;
  try {
    const found = await call("marks", { file: video.id });
    if (found.replaced) return;
    marks[video.id] = found;
    drawMarks();
  } catch { /* without ticks everything works as well */ }
}

function drawMarks() {
  const { cuts, beats } = marks[state.form.content] || { cuts: [], beats: [] }, { end } = span();
  const ticks = (times, top, bottom) => times.map((time) => `M${(1000 * time / end).toFixed(2)} ${top}V${bottom}`).join("");
  $("cuts").setAttribute("d", ticks(cuts, 0, 100));
  $("beats").setAttribute("d", ticks(beats, 72, 100));
  const count = (times, what) => (times.length ? `${times.length} ${what}${times.length > 1 ? "s" : ""}` : "");
  const found = [count(cuts, "cut"), count(beats, "beat")].filter(Boolean).join(" and ");
  $("marks-said").textContent = found && `${found} found; what you drag stops at them.`;
}

function drawAxis(video) {
  const { end } = span(), steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120];
  const step = steps.find((one) => xOf(one) >= 64) || 300;
  const text = (time) => (time < 60 ? `${Number(time.toFixed(1))} s` : `${Math.floor(time / 60)}:${String(Math.round(time % 60)).padStart(2, "0")}`);
  $("axis").replaceChildren(...(video ? Array.from({ length: Math.floor(end / step + 1e-6) + 1 }, (_, index) =>
    make("span", { style: `left: ${100 * index * step / end}%` }, text(index * step))) : []));
}

// The curves, as the server computes them for the video.
export const plot = latest(async () => {
  if (!isReady() || !width()) { $("curves").replaceChildren(); return; }
  try {
    const found = await call("curves", state.form);
    if (found.replaced) return;
    const { end } = span();
    $("curves").replaceChildren(...Object.entries(found.weights).flatMap(([id, weights]) => {
      const points = weights.map((weight, index) => {
        const time = found.start + (found.last - found.start) * index / (weights.length - 1);
        return `${(1000 * time / end).toFixed(1)} ${(100 - 100 * weight).toFixed(1)}`;
      });
      const color = colorOf(id), [from, to] = [found.start, found.last].map((time) => 1000 * time / end);
      return [path(`M${from} 100L${points.join("L")}L${to} 100Z`, { fill: color, class: "area" }), path(`M${points.join("L")}`, { stroke: color, class: "curve" })];
    }));
    $("timeline").dataset.plotted = Number($("timeline").dataset.plotted || 0) + 1;
  } catch { $("curves").replaceChildren(); } // the preview reports the error
});
export const plotSoon = later(plot, 120);

function path(d, { class: name, ...style }) {
  const made = document.createElementNS(NS, "path");
  made.setAttribute("d", d);
  made.setAttribute("class", name);
  Object.assign(made.style, style);
  return made;
}
