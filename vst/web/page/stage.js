// The preview: a frame as filmed and painted, a wipe between them, and the mask's rectangle.
import { $, call, clock, content, weigh, withNotice, isReady, later, latest, make, remember, notify, state, still } from "./api.js";
import { forgetClip, stopClip } from "./clip.js";
import { nameOf } from "./keys.js";
import { buildMask, isMasking, showDrawn } from "./mask.js";
import { moveTo, plotSoon, showMoment } from "./timeline.js";

const SIDES = ["left", "top", "width", "height"];
let drawing = false;

export function buildStage() {
  $("wipe").addEventListener("input", showWipe);
  $("stage").addEventListener("pointerdown", onPointer);
  $("mask-draw").addEventListener("click", () => setDrawing(!drawing));
  $("mask-clear").addEventListener("click", () => { Object.assign(state.form, { mask: null, drawn: [] }); setDrawing(false); maskChanged(); });
  SIDES.forEach((side, index) => {
    const input = make("input", { type: "number", min: 0, max: 100, step: 1, id: `mask-${side}`,
      onchange: () => setMaskSide(index, Number(input.value) / 100) });
    $("mask-numbers").append(make("label", {}, `${side} %`, input));
  });
  $("background").addEventListener("change", () => { state.form.background = $("background").value; changed(); });
  buildMask(frame, changed, moveTo);
  new ResizeObserver(() => { showMask(); showDrawn(); showWipe(); }).observe($("stage"));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drawing) setDrawing(false); });
}

// Another moment was chosen.
export function momentChanged() {
  stopClip();
  showDrawn();
  if (content() && !isReady() && !isMasking()) $("frame-before").src = still(content().id, state.form.time);
  soon();
}

const paintMoment = latest(withNotice(async () => {
  if (!isReady() || isMasking()) return;
  $("busy").hidden = false;
  try {
    const found = await call("frame", state.form);
    if (found.replaced || isMasking()) return;
    $("frame-before").src = found.before;
    $("frame-after").src = found.after;
    $("stage").dataset.painted = Number($("stage").dataset.painted || 0) + 1;
    $("stage").dataset.seconds = found.seconds;
    $("weights").textContent = Object.entries(found.weights).filter(([, share]) => share > 0.005)
      .map(([style, share]) => `${nameOf({ style })} ${Math.round(100 * share)} %`).join(" · ");
    show();
  } finally { $("busy").hidden = true; }
}));
const soon = later(paintMoment, 60);

// The time and the size of a rendering; measured again when something changes that they depend on.
let estimated = "";
const estimate = latest(async () => {
  if (!isReady()) { estimated = ""; $("expected").textContent = ""; return; }
  const { content: id, settings, mask, drawn, keys, trim } = state.form;
  const needed = JSON.stringify([id, settings, Boolean(mask || drawn.length), keys.length, trim]);
  if (needed === estimated) return;
  $("expected").textContent = "Measuring how long it takes…";
  try {
    const found = await call("estimate", state.form);
    if (found.replaced) return;
    estimated = needed;
    $("expected").textContent = `About ${clock(found.seconds)} to render, about ${weigh(found.bytes)}, ${found.size.join("\u00a0×\u00a0")} pixels.`;
  } catch { $("expected").textContent = ""; } // the preview reports the error
});
const estimateSoon = later(estimate, 1200);

// The job has changed: store it, and update the preview.
export function changed() {
  remember();
  show();
  soon();
  plotSoon();
  estimateSoon();
  forgetClip();
}

export function show() {
  const video = content();
  $("stage-empty").hidden = Boolean(video);
  $("under").hidden = !video;
  $("play-clip").disabled = !isReady();
  $("frame-before").hidden = !video;
  const painted = isReady() && $("frame-after").getAttribute("src");
  $("frame-after").hidden = $("divider").hidden = !painted;
  $("weights").hidden = !painted;
  if (video) {
    showMoment();
    if (!isReady() && !isMasking()) $("frame-before").src = still(video.id, state.form.time);
  } else {
    $("frame-before").removeAttribute("src");
    $("frame-after").removeAttribute("src");
  }
  showWipe();
  showMask();
  showDrawn();
}

// The picture's place within the stage, at its own aspect ratio.
function frame() {
  const stage = $("stage").getBoundingClientRect(), video = content();
  if (!video) return null;
  const shown = $("frame-before").getBoundingClientRect();
  const part = Math.min(shown.width / video.width, shown.height / video.height);
  const width = video.width * part, height = video.height * part;
  return { left: shown.left - stage.left + (shown.width - width) / 2,
    top: shown.top - stage.top + (shown.height - height) / 2, width, height, stage };
}

function showWipe() {
  const box = frame();
  const part = Number($("wipe").value) / 100;
  const shown = $("frame-after").getBoundingClientRect();
  if (!box || !shown.width) return;
  const x = box.left + part * box.width;
  const left = shown.left - box.stage.left;
  $("frame-after").style.setProperty("--wipe", `${100 * (x - left) / shown.width}%`);
  $("divider").style.left = `${x - 1}px`;
  $("divider").style.top = `${box.top}px`;
  $("divider").style.bottom = `${box.stage.height - box.top - box.height}px`;
}

function onPointer(event) {
  const box = frame();
  if (!box || event.button > 0 || isMasking()) return;
  const place = (at) => [(at.clientX - box.stage.left - box.left) / box.width, (at.clientY - box.stage.top - box.top) / box.height]
    .map((part) => Math.min(1, Math.max(0, part)));
  const first = place(event);
  const follow = (at) => {
    const here = place(at);
    if (!drawing) { $("wipe").value = 100 * here[0]; showWipe(); return; }
    state.form.drawn = []; // one mask at a time
    state.form.mask = [Math.min(first[0], here[0]), Math.min(first[1], here[1]),
      Math.abs(here[0] - first[0]), Math.abs(here[1] - first[1])];
    showMask();
  };
  $("stage").setPointerCapture(event.pointerId);
  if (!drawing) follow(event);
  $("stage").onpointermove = follow;
  $("stage").onpointerup = $("stage").onpointercancel = () => {
    $("stage").onpointermove = $("stage").onpointerup = $("stage").onpointercancel = null;
    if (!drawing) return;
    setDrawing(false);
    const mask = state.form.mask;
    if (mask && (mask[2] < 0.02 || mask[3] < 0.02)) {
      state.form.mask = null;
      notify("the rectangle is too small; draw it around the foreground");
    }
    maskChanged();
  };
}

function setDrawing(now) {
  if (now && !content()) return notify("choose a video first");
  drawing = now;
  if (now) { stopClip(); $("stage").scrollIntoView({ block: "nearest" }); }
  $("stage").classList.toggle("drawing", now);
  $("mask-draw").setAttribute("aria-pressed", String(now));
}

function setMaskSide(index, value) {
  const mask = state.form.mask || [0.25, 0.25, 0.5, 0.5];
  mask[index] = Math.min(1, Math.max(0, value || 0));
  mask[2] = Math.min(mask[2], 1 - mask[0]);
  mask[3] = Math.min(mask[3], 1 - mask[1]);
  state.form.mask = mask;
  state.form.drawn = [];
  maskChanged();
}
function maskChanged() { showMask(); changed(); }

function showMask() {
  const mask = state.form.mask, box = frame();
  $("mask-clear").disabled = !mask && !state.form.drawn.length;
  SIDES.forEach((side, index) => { $(`mask-${side}`).value = mask ? Math.round(100 * mask[index]) : ""; });
  $("rectangle").hidden = !(mask && box && (drawing || $("mask").open));
  if (!mask || !box) return;
  Object.assign($("rectangle").style, {
    left: `${box.left + mask[0] * box.width}px`, top: `${box.top + mask[1] * box.height}px`,
    width: `${mask[2] * box.width}px`, height: `${mask[3] * box.height}px` });
}
