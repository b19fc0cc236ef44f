// The styles: the built-in ones, and pictures and films of one's own.
import { takeKeyframes, openPicture } from "../media/content.js";
import { grabStyle, makeThumbnail } from "../media/frames.js";
import { $, make, notify, say, withNotice } from "./elements.js";
import { addKey, completeScore } from "./keys.js";
import { MOST_KEYS, onChange, state } from "./state.js";

/** @type {import("../painting/painter.js").Painter} */
let painter;

/** @param {import("../painting/painter.js").Painter} opened */
export function startGallery(opened) {
  painter = opened;
  drawGallery();
  onChange((what) => { if (what === "keys") markUsed(); });
  $("find").addEventListener("input", filter);
  $("style-file").addEventListener("change", withNotice(async () => {
    const files = [...$("style-file").files];
    $("style-file").value = "";
    await addFiles(files);
  }));
}

/** @param {{name: string, description: string, embedding: number[], picture: string}[]} builtin */
export function loadBuiltin(builtin) {
  for (const { name, description, embedding, picture } of builtin) {
    state.styles.set(`@${name}`, { name: `@${name}`, label: name, description, embedding: Float32Array.from(embedding), picture, source: null });
  }
}

function drawGallery() {
  const own = [...state.styles.values()].filter((style) => style.source).reverse();
  const builtin = [...state.styles.values()].filter((style) => !style.source);
  $("gallery").replaceChildren(...[...own, ...builtin].map((style) => {
    const button = make("button", { "data-style": style.name, title: style.description || style.label, "aria-label": `Add ${style.label}` },
      make("img", { src: style.picture, alt: "", loading: "lazy" }), make("span", {}, style.label));
    button.addEventListener("click", withNotice(() => addKey(style.name)));
    return button;
  }));
  markUsed();
  filter();
}

function markUsed() {
  for (const button of $("gallery").children) {
    const count = state.keys.filter((key) => button.dataset.style in key.weights).length;
    if (count) button.dataset.used = count;
    else delete button.dataset.used;
  }
}

function filter() {
  const words = $("find").value.trim().toLowerCase();
  for (const button of $("gallery").children) {
    button.hidden = !`${button.textContent} ${button.title}`.toLowerCase().includes(words);
  }
}

/** Pictures become styles; a film becomes as many as it is to have keyframes. @param {File[]} files */
async function addFiles(files) {
  const found = [], failures = [];
  for (const file of files) {
    say("style-said", `${file.name} is being read…`);
    try {
      found.push(...(await readStyles(file)));
    } catch (error) {
      failures.push(error.message);
    }
  }
  say("style-said", ...failures);
  drawGallery();
  const filled = completeScore();
  const room = MOST_KEYS - state.keys.length;
  if (filled) return;
  for (const style of found.slice(0, room)) addKey(style.name);
  if (found.length > room) notify(`A transition has at most ${MOST_KEYS} keys: ${found.length - Math.max(0, room)} styles are in the gallery only.`);
}

/** @param {File} file */
async function readStyles(file) {
  if (!file.type.startsWith("video/")) {
    const picture = await openPicture(file, file.name);
    try {
      return [await keepStyle(picture.element, file.name, null)];
    } finally {
      picture.close();
    }
  }
  const wanted = state.awaited?.filter((source) => source.path === file.name && source.at !== null).map((source) => source.at);
  const frames = await takeKeyframes(file, wanted?.length ? wanted : Math.min(MOST_KEYS, Math.max(1, Number($("keyframes").value) || 1)));
  const styles = [];
  for (const { time, canvas } of frames) styles.push(await keepStyle(canvas, file.name, Number(time.toFixed(3))));
  return styles;
}

/** Embed a picture and keep it as a style. @param {CanvasImageSource} picture @param {string} file @param {number | null} at */
async function keepStyle(picture, file, at) {
  const embedding = await painter.embed(grabStyle(picture));
  const stem = file.replace(/\.[^.]*$/, ""), label = at === null ? stem : `${stem} ${at.toFixed(1)} s`;
  const known = state.awaited?.find((source) => source.path === file && source.at === at)?.name;
  let name = known ?? label.replace(/[^\p{L}\p{N}_. -]/gu, "_").replace(/^@/, "");
  if (name === "none" || !name) name = "style";
  for (let number = 2; !known && state.styles.has(name); number++) name = `${name.replace(/ \d+$/, "")} ${number}`;
  const style = { name, label, description: file, embedding, picture: makeThumbnail(picture), source: { path: file, at } };
  state.styles.set(name, style);
  return style;
}

export { drawGallery };
