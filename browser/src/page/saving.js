// What one takes away: a picture, a recording, the score, a link.
import { Recorder } from "../media/recorder.js";
import { $, download, formatSeconds, notify, say, withNotice } from "./elements.js";
import { formatSetting, openScore } from "./keys.js";
import { formatLink } from "./link.js";
import { getFilm, moveTo, pause, play } from "./stage.js";
import { getSize, isMoving } from "./stage.js";
import { labelWeights, mixAt, onChange, state } from "./state.js";

/** @type {Recorder | null} */
let recorder = null;
let ticking = 0;

export function startSaving() {
  $("save-picture").addEventListener("click", withNotice(savePicture));
  $("record").addEventListener("click", withNotice(() => (recorder ? stopRecording() : startRecording())));
  $("save-score").addEventListener("click", () => download(new Blob([formatSetting()], { type: "text/yaml" }), "transition.yaml"));
  $("score-file").addEventListener("change", withNotice(async () => {
    const [file] = $("score-file").files;
    $("score-file").value = "";
    say("keep-said");
    openScore(await file.text());
  }));
  $("share").addEventListener("click", withNotice(shareLink));
  $("result-close").addEventListener("click", () => $("result").close());
  $("result").addEventListener("close", () => { URL.revokeObjectURL($("result-video").src); $("result-video").removeAttribute("src"); });
  onChange((what) => { if (what !== "moment") showState(); });
  showState();
}

function showState() {
  const ready = Boolean(state.content);
  for (const id of ["play", "save-picture", "record"]) $(id).disabled = !ready;
  for (const id of ["share", "save-score"]) $(id).disabled = !state.keys.length;
  const [width, height] = getSize(), count = state.keys.length;
  $("go-summary").textContent = ready ? `${width} × ${height} pixels, ${count} ${count === 1 ? "key" : "keys"}.` : "Choose what to paint.";
}

async function savePicture() {
  const blob = await new Promise((done) => $("painted").toBlob(done, "image/png"));
  if (!blob) throw new Error("The picture could not be made: the browser has no memory left for it. Choose less detail.");
  download(blob, `painted ${labelWeights(mixAt(state.moment)?.weights ?? {}).replaceAll(" · ", ", ")}.png`);
}

async function startRecording() {
  const film = getFilm();
  recorder = new Recorder($("painted"), film);
  recorder.ended.catch(withNotice(async (error) => { await stopRecording(); throw error; }));
  if (film) {
    film.loop = false;
    film.onended = withNotice(stopRecording);
    moveTo(0);
  }
  await play();
  ticking = window.setInterval(showSeconds, 250);
  showSeconds();
  $("record").textContent = "■ Stop";
  $("record").setAttribute("aria-pressed", "true");
}

function showSeconds() {
  $("recording").hidden = !recorder;
  if (recorder) $("recording").textContent = `● ${formatSeconds(Math.floor(recorder.seconds))}`;
}

async function stopRecording() {
  const used = recorder, film = getFilm();
  if (!used) return;
  recorder = null;
  clearInterval(ticking);
  showSeconds();
  $("record").textContent = "● Record";
  $("record").removeAttribute("aria-pressed");
  if (film) Object.assign(film, { loop: true, muted: true, onended: null });
  if (isMoving()) pause();
  const { blob, suffix } = await used.stop();
  showResult(blob, suffix);
}

function showResult(blob, suffix) {
  const address = URL.createObjectURL(blob), name = `painted.${suffix}`;
  Object.assign($("result-video"), { src: address });
  Object.assign($("result-save"), { href: address, download: name });
  $("result-about").textContent = `${(blob.size / 1e6).toFixed(1)} MB, ${suffix === "mp4" ? "MP4" : "WebM"}.`;
  const file = new File([blob], name, { type: blob.type });
  $("result-share").hidden = !navigator.canShare?.({ files: [file] });
  $("result-share").onclick = withNotice(() => navigator.share({ files: [file] }));
  $("result").showModal();
}

async function shareLink() {
  const link = formatLink();
  history.replaceState(null, "", link);
  try {
    await navigator.clipboard.writeText(link);
    notify("The link is copied. It has the styles and the settings, not your film.");
  } catch {
    notify("The link is in the address bar now: the browser did not allow copying it.");
  }
}
