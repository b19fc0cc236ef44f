// A sound when a job is done, for those who want it.
import { $ } from "./api.js";

const KEPT = "vst-ring", TONES = [660, 880], SECONDS = 0.5;
let audio = null;

export function buildRing() {
  $("ring").checked = localStorage.getItem(KEPT) === "1";
  $("ring").addEventListener("change", () => {
    localStorage.setItem(KEPT, $("ring").checked ? "1" : "0");
    if ($("ring").checked) ring(); // as a sample; browsers allow sound after a click only
  });
}

export function ring() {
  if (!$("ring").checked) return;
  audio = audio || new AudioContext();
  TONES.forEach((tone, index) => {
    const begin = audio.currentTime + 0.16 * index, source = audio.createOscillator(), gain = audio.createGain();
    source.frequency.value = tone;
    gain.gain.setValueAtTime(0.12, begin);
    gain.gain.exponentialRampToValueAtTime(0.001, begin + SECONDS);
    source.connect(gain).connect(audio.destination);
    source.start(begin);
    source.stop(begin + SECONDS);
  });
  document.body.dataset.rung = Number(document.body.dataset.rung || 0) + 1;
}
