// Plays the whole transition in the stage, small and painted in a moment, before it is rendered.
import { $, call, isReady, make, notify, state } from "./api.js";
import { showMoment } from "./timeline.js";

const SECONDS = 2.6; // how long the transition plays
let pictures = null, times = [], form = "", request = 0, began = 0;

export function buildClip() {
  $("play-clip").addEventListener("click", () => (request ? stopClip() : playClip()));
}

const describe = () => JSON.stringify({ ...state.form, time: 0 });

export function forgetClip() {
  if (form !== describe()) stopClip();
}

export function stopClip() {
  cancelAnimationFrame(request);
  if (request) showMoment();
  request = 0;
  $("clip-frame").hidden = true;
  $("stage").classList.remove("playing");
  setButton("▶ Play", make("span", { class: "long" }, "the transition"));
}

function setButton(...parts) { $("play-clip").replaceChildren(...parts); }

export async function playClip() {
  if (!isReady()) return;
  const now = describe();
  if (form !== now || !pictures) {
    setButton("Painting it small…");
    $("play-clip").disabled = true;
    try {
      const found = await call("clip", state.form);
      if (found.replaced) return stopClip();
      pictures = await Promise.all(found.frames.map(load));
      times = found.times;
      form = now;
      if (now !== describe()) return stopClip(); // changed meanwhile
    } catch (error) { notify(error.message); return stopClip(); }
    finally { $("play-clip").disabled = false; }
  }
  setButton("■ Stop");
  $("stage").classList.add("playing");
  $("clip-frame").hidden = false;
  began = performance.now();
  request = requestAnimationFrame(draw);
}

async function load(address) {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  return picture;
}

function draw(now) {
  const passed = Math.max(0, now - began) / 1000 / SECONDS; // a frame can have begun before the click
  if (passed >= 1 && !$("loop-clip").checked) { stopClip(); return; }
  const part = passed % 1;
  const index = Math.min(pictures.length - 1, Math.floor(part * pictures.length));
  if ($("clip-frame").src !== pictures[index].src) $("clip-frame").src = pictures[index].src;
  $("stage").dataset.played = index;
  showMoment(times[0] + part * (times[times.length - 1] - times[0]));
  request = requestAnimationFrame(draw);
}
