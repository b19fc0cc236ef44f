// Masks drawn on frames: a brush, a box, and what the server makes of them on the frames between.
import { $, call, content, latest, later, make, notify, say, state, still, upload, withNotice } from "./api.js";
import { record } from "./history.js";
import { span } from "./keys.js";

const LONGEST = 960; // pixels of a drawn mask
const SAME = 0.002; // seconds between two times of one frame
const SHORTLY = 0.05; // of a frame
const mask = document.createElement("canvas"); // white where the foreground is
let masking = false, tool = "add", pen = null, at = [0.5, 0.5], shown = "";
let place = () => null, changed = () => {}, moveTo = () => {};

export const isMasking = () => masking;

// `whereFrame`: the frame's box in the stage; `onChange`: the form has changed; `onMove`: to another moment.
export function buildMask(whereFrame, onChange, onMove) {
  [place, changed, moveTo] = [whereFrame, onChange, onMove];
  const canvas = $("mask-canvas");
  for (const one of [mask, canvas]) one.getContext("2d", { willReadFrequently: true }); // kept in memory, not on the GPU
  $("mask-brush").addEventListener("click", () => setMasking(!masking));
  $("mask-done").addEventListener("click", () => { setMasking(false); $("mask-brush").focus(); });
  $("mask-undo").addEventListener("click", () => $("undo").click());
  $("mask-drop").addEventListener("click", () => keep(drawnHere() ? others() : []));
  $("mask-empty").addEventListener("click", () => { clear(); commit(); });
  $("mask-before").addEventListener("click", () => step(-1));
  $("mask-after").addEventListener("click", () => step(1));
  for (const one of document.getElementsByName("mask-tool")) one.addEventListener("change", () => { tool = one.value; pen = null; draw(); });
  $("mask-size").addEventListener("input", draw);
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    begin(spot(event));
  });
  canvas.addEventListener("pointermove", (event) => { at = spot(event); if (pen) move(at); else draw(); });
  canvas.addEventListener("pointerup", () => end());
  canvas.addEventListener("pointercancel", () => { pen = null; showMaskSoon(); });
  canvas.addEventListener("keydown", press);
}

function setMasking(now) {
  if (now && !content()) return notify("choose a video first");
  masking = now;
  pen = null;
  shown = "";
  $("stage").classList.toggle("masking", now);
  $("mask-tools").hidden = $("mask-canvas").hidden = !now;
  $("mask-brush").setAttribute("aria-pressed", String(now));
  if (now) {
    $("stage").scrollIntoView({ block: "nearest" });
    $("mask-canvas").focus({ preventScroll: true });
  }
  changed();
}

const drawn = () => state.form.drawn || [];
const isHere = (one) => Math.abs(one.time - frameTime()) < SAME;
const drawnHere = () => drawn().find(isHere);
const others = () => drawn().filter((one) => !isHere(one));
// A time shortly after the start of the frame that is shown: rounded, it belongs to no other frame.
const frameTime = () => (Math.floor(state.form.time / span().frame + 1e-3) + SHORTLY) * span().frame;
const step = (frames) => moveTo(frameTime() + frames * span().frame);

function spot(event) {
  const box = $("mask-canvas").getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((part) => Math.min(1, Math.max(0, part)));
}

// A stroke or a box: `begin`, `move` and `end`, by pointer or by keys.
function begin(where) {
  at = where;
  pen = { from: where, last: where };
  if (tool !== "box") stroke(where, where);
  draw();
}
function move(where) {
  at = where;
  if (tool !== "box") stroke(pen.last, where);
  pen.last = where;
  draw();
}
async function end() {
  if (!pen) return;
  const { from, last } = pen;
  pen = null;
  if (tool === "box") await withNotice(cutBox)(from, last); else await commit();
}

function stroke(from, to) {
  const pencil = mask.getContext("2d");
  const erases = tool === "erase";
  Object.assign(pencil, { lineCap: "round", lineJoin: "round", strokeStyle: "#fff",
    lineWidth: 2 * radius() + (erases ? 2 : 0), // the soft rim of a stroke goes, too
    globalCompositeOperation: erases ? "destination-out" : "source-over" });
  pencil.beginPath();
  pencil.moveTo(from[0] * mask.width, from[1] * mask.height);
  pencil.lineTo(to[0] * mask.width + 0.01, to[1] * mask.height);
  pencil.stroke();
  pencil.globalCompositeOperation = "source-over";
}
const radius = () => Number($("mask-size").value) / 100 * Math.min(mask.width, mask.height) / 2;

async function cutBox(from, to) {
  const box = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])];
  if (box[2] < 0.02 || box[3] < 0.02) { draw(); return notify("the box is too small; draw it around the foreground"); }
  say("mask-said", "Looking for what is in the box…", "hint");
  const found = await call("box", { content: state.form.content, time: frameTime(), box });
  await fill(found.mask);
  await commit();
}

// Keys: arrows move the brush, Enter or Space puts it down and lifts it.
function press(event) {
  const step_ = event.shiftKey ? 0.1 : 0.02;
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (way) {
    at = at.map((part, index) => Math.min(1, Math.max(0, part + step_ * way[index])));
    if (pen) move(at); else draw();
  } else if (event.key === "Enter" || event.key === " ") {
    if (pen) end(); else begin(at);
  } else if (event.key === "," || event.key === ".") step(event.key === "," ? -1 : 1);
  else if (event.key === "[" || event.key === "]") {
    $("mask-size").value = Number($("mask-size").value) + (event.key === "[" ? -4 : 4);
    draw();
  } else if (event.key === "Escape") setMasking(false);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

const commit = withNotice(async () => {
  const time = frameTime(), of = state.form.content;
  const plain = document.createElement("canvas");
  [plain.width, plain.height] = [mask.width, mask.height];
  const pencil = plain.getContext("2d");
  pencil.fillRect(0, 0, plain.width, plain.height);
  pencil.drawImage(mask, 0, 0);
  draw();
  const packed = await new Promise((done) => plain.toBlob(done, "image/png"));
  const kept = await upload("mask", new File([packed], `mask at ${time.toFixed(3)} s.png`), () => {});
  if (of !== state.form.content) return;
  shown = JSON.stringify([of, time, kept.id]);
  keep([...drawn().filter((one) => Math.abs(one.time - time) >= SAME), { time, file: kept.id }]);
});

function keep(rows) {
  state.form.drawn = rows.sort((one, other) => one.time - other.time);
  if (rows.length) state.form.mask = null; // one mask at a time
  changed();
  record();
  showDrawn();
}

function clear() {
  const video = content(), part = Math.min(1, LONGEST / Math.max(video.width, video.height));
  [mask.width, mask.height] = [Math.round(video.width * part), Math.round(video.height * part)];
}

// Fills the mask from a picture, white on black; an empty address clears it.
async function fill(address) {
  clear();
  if (!address) return;
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const pencil = mask.getContext("2d");
  pencil.drawImage(picture, 0, 0, mask.width, mask.height);
  const data = pencil.getImageData(0, 0, mask.width, mask.height);
  for (let index = 0; index < data.data.length; index += 4) {
    data.data[index + 3] = data.data[index];
    data.data[index] = data.data[index + 1] = data.data[index + 2] = 255;
  }
  pencil.putImageData(data, 0, 0);
}

// The mask of the moment that is shown, as it is carried there.
const showMask = latest(withNotice(async () => {
  const video = content();
  if (!masking || !video || pen) return;
  const here = drawnHere(), time = frameTime();
  $("frame-before").src = still(video.id, time);
  const wanted = JSON.stringify([video.id, time, here ? here.file : drawn()]);
  if (wanted !== shown) {
    if (drawn().length && !here) say("mask-said", "Following the mask to this frame…", "hint");
    const found = drawn().length ? await call("mask", { content: video.id, drawn: drawn(), time: here ? here.time : time }) : { mask: null };
    if (found.replaced || pen) return;
    shown = wanted;
    await fill(found.mask);
    $("mask-canvas").dataset.found = found.mask ? "1" : "";
  }
  describe(here);
  draw();
}));
const showMaskSoon = later(showMask, 60);

function describe(here) {
  const count = drawn().length, many = `${count} ${count === 1 ? "frame is" : "frames are"} drawn`;
  say("mask-said", here ? `Drawn at this frame. ${many}.`
    : !count ? "Paint over the foreground, or draw a box around it."
      : $("mask-canvas").dataset.found ? `Followed to this frame; paint to correct it. ${many}.`
        : `No drawn mask reaches this frame: paint one. ${many}.`, "hint");
}

export function showDrawn() {
  if (!content() && masking) setMasking(false);
  const { end } = span();
  $("mask-drop").disabled = !drawnHere();
  $("mask-undo").disabled = $("undo").disabled;
  $("mask-marks").replaceChildren(...drawn().map((one) => make("button", { style: `left: ${100 * one.time / end}%`,
    "aria-label": `Mask drawn at ${one.time.toFixed(2)} s`, title: `Mask drawn at ${one.time.toFixed(2)} s`,
    onclick: () => { moveTo(one.time); if (!masking) setMasking(true); } })));
  if (masking) { showMaskSoon(); draw(); }
}

// Darkens what is not in the mask, and shows the brush.
function draw() {
  const box = place(), canvas = $("mask-canvas");
  if (!masking || !box || !mask.width) return;
  Object.assign(canvas.style, { left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px` });
  [canvas.width, canvas.height] = [mask.width, mask.height];
  const pencil = canvas.getContext("2d");
  pencil.fillStyle = "#0009";
  pencil.fillRect(0, 0, canvas.width, canvas.height);
  pencil.globalCompositeOperation = "destination-out";
  pencil.drawImage(mask, 0, 0);
  pencil.globalCompositeOperation = "source-over";
  const [x, y] = [at[0] * canvas.width, at[1] * canvas.height], line = Math.max(1, canvas.width / box.width);
  for (const [color, wide] of [["#000", 4], ["#fff", 2]]) {
    Object.assign(pencil, { strokeStyle: color, lineWidth: wide * line });
    pencil.beginPath();
    if (tool !== "box") pencil.arc(x, y, Math.max(line, radius()), 0, 2 * Math.PI);
    else if (pen) pencil.rect(pen.from[0] * canvas.width, pen.from[1] * canvas.height, x - pen.from[0] * canvas.width, y - pen.from[1] * canvas.height);
    else { pencil.moveTo(x - 9 * line, y); pencil.lineTo(x + 9 * line, y); pencil.moveTo(x, y - 9 * line); pencil.lineTo(x, y + 9 * line); }
    pencil.stroke();
  }
}
