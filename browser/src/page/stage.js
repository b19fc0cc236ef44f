// The stage: paints the frame of the moment, again and again while something moves.
import { sharePainted, NONE } from "../mixing/timeline.js";
import { fitSize, grabPixels } from "../media/frames.js";
import { $, notify } from "./elements.js";
import { announce, getDuration, labelWeights, mixAt, state } from "./state.js";

const COLOR_SHARES = { style: 0, content: 1, blend: 0.5 };
/** Of how many of the last frames the speed is shown. */
const COUNTED = 12;

/** @type {import("../painting/painter.js").Painter} */
let painter;
let wanted = false, painting = false, seeking = false, started = 0, momentAtStart = 0;
const done = [];

/** @param {import("../painting/painter.js").Painter} opened */
export function startStage(opened) {
  painter = opened;
  new ResizeObserver(showWipe).observe($("stage"));
  $("wipe").addEventListener("input", () => { state.wipe = Number($("wipe").value) / 100; showWipe(); });
  $("stage").addEventListener("pointerdown", followPointer);
}

/** The size at which the content is painted, width and height. */
export function getSize() {
  return state.content ? fitSize(state.content.width, state.content.height, state.settings.side) : [0, 0];
}

/** Paint the present moment as soon as the painter is free. */
export function requestPainting() {
  wanted = true;
  showBusy();
  if (!painting && painter && state.content) paintLoop();
}

async function paintLoop() {
  painting = true;
  try {
    while ((wanted || isMoving()) && state.content) {
      wanted = false;
      followClock();
      await paintOnce();
      showBusy();
      await nextFrame();
    }
  } catch (error) {
    pause();
    notify(error.message);
  } finally {
    painting = false;
    showBusy();
  }
}

/** Whether what is shown is not yet what was asked for. */
function showBusy() {
  $("stage").dataset.busy = wanted || painting || seeking ? "1" : "";
}

/** Let the browser show what was painted; a hidden page gets no animation frames, and then paints nothing. */
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

export const isMoving = () => state.playing || state.content?.kind === "camera";

export function describeLook(mix) {
  const names = mix ? Object.keys(mix.weights).filter((name) => name !== NONE) : [];
  const colors = Object.entries(mix?.palette ?? {}).reduce((sum, [name, share]) => sum + share * COLOR_SHARES[name], 0);
  return {
    styles: names.map((name) => state.styles.get(name).embedding), weights: names.map((name) => mix.weights[name]),
    blend: mix?.blend ?? "embedding", painted: mix ? sharePainted(mix) : 0, colors,
    steadiness: isMoving() && state.content?.kind !== "picture" ? state.settings.steadiness : null,
  };
}

async function paintOnce() {
  const content = state.content, [width, height] = getSize(), mix = mixAt(state.moment);
  const frame = grabPixels(content.element, width, height);
  const found = await painter.paint(frame, describeLook(mix));
  if (content !== state.content) return;
  show($("painted"), new ImageData(found.painting, width, height));
  show($("filmed"), frame);
  $("stage").style.setProperty("--wide", String(width / height));
  for (const id of ["painted", "filmed", "weights"]) $(id).hidden = false;
  $("stage-empty").hidden = true;
  $("weights").textContent = mix ? labelWeights(mix.weights) : "no style yet";
  $("stage").dataset.painted = Number($("stage").dataset.painted || 0) + 1;
  $("stage").dataset.milliseconds = found.milliseconds.toFixed(1);
  showWipe();
  showSpeed();
}

function show(canvas, pixels) {
  if (canvas.width !== pixels.width || canvas.height !== pixels.height) Object.assign(canvas, { width: pixels.width, height: pixels.height });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

function showSpeed() {
  done.push(performance.now());
  if (done.length > COUNTED) done.shift();
  const rate = (1000 * (done.length - 1)) / (done.at(-1) - done[0]);
  const steady = isMoving() && done.length > 3;
  $("speed").textContent = steady ? `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} frames a second` : "";
  $("speed").dataset.rate = steady ? String(rate) : "";
}

/** The clock moves the mix: a film's own, or one that starts with Play. */
function followClock() {
  if (!state.playing || state.drive !== "clock") return;
  const { content } = state;
  const seconds = content.kind === "film" ? /** @type {HTMLVideoElement} */ (content.element).currentTime
    : (momentAtStart * getDuration() + (performance.now() - started) / 1000) % getDuration();
  state.moment = Math.min(1, seconds / getDuration());
  announce("moment");
}

export async function play() {
  state.playing = true;
  done.length = 0;
  started = performance.now();
  momentAtStart = state.moment >= 0.999 ? 0 : state.moment;
  painter.forget();
  const film = getFilm();
  if (!film) seeking = false;
  else {
    if (film.ended || momentAtStart === 0) film.currentTime = 0;
    await film.play();
  }
  showPlaying();
  requestPainting();
}

export function pause() {
  state.playing = false;
  getFilm()?.pause();
  showPlaying();
}

/** The film's element; null for a picture or the camera. @returns {HTMLVideoElement | null} */
export const getFilm = () => (state.content?.kind === "film" ? /** @type {HTMLVideoElement} */ (state.content.element) : null);

function showPlaying() {
  $("play").textContent = state.playing ? "❚❚ Pause" : "▶ Play";
  $("stage").classList.toggle("playing", state.playing);
}

/** Show another moment of the transition, and of a film while it stands still. @param {number} share 0..1 */
export function moveTo(share) {
  state.moment = Math.min(1, Math.max(0, share));
  momentAtStart = state.moment;
  started = performance.now();
  announce("moment");
  const film = getFilm();
  if (film && !(state.playing && state.drive === "finger")) {
    seeking = true;
    film.onseeked = () => { seeking = false; requestPainting(); };
    film.currentTime = Math.min(state.moment * film.duration, film.duration - 0.001);
    showBusy();
  } else {
    seeking = false; // a film that was sought may be gone
    requestPainting();
  }
}

function showWipe() {
  const stage = $("stage").getBoundingClientRect(), box = $("painted").getBoundingClientRect();
  $("filmed").style.clipPath = `inset(0 ${100 - 100 * state.wipe}% 0 0)`;
  const shown = !$("painted").hidden && state.wipe > 0 && state.wipe < 1;
  $("divider").hidden = !shown;
  Object.assign($("divider").style, { left: `${box.left - stage.left + state.wipe * box.width - 1}px`,
    top: `${box.top - stage.top}px`, bottom: `${stage.bottom - box.bottom}px` });
}

/** A finger on the picture moves the wipe, or the mix. */
function followPointer(event) {
  if (event.button > 0 || $("painted").hidden) return;
  const box = $("painted").getBoundingClientRect();
  const follow = (at) => {
    const share = Math.min(1, Math.max(0, (at.clientX - box.left) / box.width));
    if (state.drive === "finger") moveTo(share);
    else { state.wipe = share; $("wipe").value = String(100 * share); showWipe(); }
  };
  $("stage").setPointerCapture(event.pointerId);
  follow(event);
  $("stage").onpointermove = follow;
  $("stage").onpointerup = $("stage").onpointercancel = () => {
    $("stage").onpointermove = $("stage").onpointerup = $("stage").onpointercancel = null;
  };
}
