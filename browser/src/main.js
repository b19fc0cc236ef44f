// Starts the page: the painter, the styles, a first picture.
import { Painter } from "./painting/painter.js";
import { checkBrowser } from "./painting/support.js";
import { isolate, keepOffline } from "./page/offline.js";
import { $, make, notify, withNotice } from "./page/elements.js";
import { drawGallery, loadBuiltin, startGallery } from "./page/gallery.js";
import { startChoosing, takePicture } from "./page/choosing.js";
import { openLink } from "./page/link.js";
import { addKey } from "./page/keys.js";
import { startLook } from "./page/look.js";
import { startSaving } from "./page/saving.js";
import { startStrip } from "./page/strip.js";
import { pause, play, requestPainting, startStage } from "./page/stage.js";
import { onChange, state } from "./page/state.js";
import { pixelsToCanvas } from "./media/frames.js";

const FIRST_STYLES = ["@ink-wash", "@blue-swirls", "@stained-glass"];
const THEME = "vst-theme";

async function start() {
  buildTheme();
  const lacking = checkBrowser();
  if (lacking) return refuse(lacking);
  if (await isolate()) return; // the page loads again, now with threads
  const asked = new URLSearchParams(location.search); // for measurements: ?backend=wasm&threads=1
  const painter = new Painter({ backend: asked.get("backend") ?? "", threads: Number(asked.get("threads")) });
  const [models, styles] = await Promise.all([fetchJson("models/models.json"), fetchJson("models/styles.json"), painter.open()]);
  loadBuiltin(styles.styles);
  startStage(painter);
  startGallery(painter);
  startLook();
  startStrip();
  startSaving();
  startChoosing(painter);
  onChange((what) => { if (what !== "moment" && what !== "selection") requestPainting(); });
  $("play").addEventListener("click", withNotice(() => (state.playing ? pause() : play())));
  for (const input of document.querySelectorAll("[name=drive]")) {
    input.addEventListener("change", () => { state.drive = /** @type {HTMLInputElement} */ (input).value; });
  }
  await takePicture("models/sample.jpg", "Sample picture");
  await takeSetting(painter);
  $("version").textContent = `vst ${models.vst}`;
  $("backend").textContent = ` · ${painter.backend}`;
  document.body.dataset.ready = "1";
  await keepOffline();
}

async function takeSetting(painter) {
  const paintThumbnail = async (embedding) => {
    const frame = readSamplePixels();
    const look = { styles: [embedding], weights: [1], blend: "embedding", painted: 1, colors: 0, steadiness: null };
    const found = await painter.paint(frame, look);
    return pixelsToCanvas(new ImageData(found.painting, frame.width, frame.height)).toDataURL("image/jpeg", 0.8);
  };
  const opened = await openLink(paintThumbnail).catch((error) => { notify(error.message); return false; });
  drawGallery();
  if (!opened) for (const name of FIRST_STYLES) if (state.styles.has(name)) addKey(name);
}

/** The sample picture, small. */
function readSamplePixels() {
  const canvas = make("canvas", { width: 144, height: 96 }), context = canvas.getContext("2d");
  context.drawImage(state.content.element, 0, 0, 144, 96);
  return context.getImageData(0, 0, 144, 96);
}

async function fetchJson(name) {
  const reply = await fetch(name).catch(() => null);
  if (!reply?.ok) throw new Error(`${name} could not be loaded: the server does not answer with it. Connect, and load the page again.`);
  return reply.json();
}

function refuse(sentence) {
  $("opening").textContent = "This page cannot paint here.";
  $("opening-more").textContent = sentence;
  for (const id of ["camera", "content-file", "style-file", "score-file", "share", "save-score"]) $(id).disabled = true;
  document.body.dataset.ready = "1";
}

function buildTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem(THEME); } catch { return null; } };
  const show = () => { document.documentElement.dataset.theme = stored() ?? (dark.matches ? "dark" : "light"); };
  dark.addEventListener("change", show);
  $("theme").addEventListener("click", () => {
    const now = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = now;
    try { localStorage.setItem(THEME, now); } catch { /* kept for this visit only */ }
  });
  show();
}

start().catch((error) => refuse(error.message));
