// What is painted: a picture, a film or the camera.
import { Failure } from "../failure.js";

/**
 * @typedef {object} Content
 * @property {"picture" | "film" | "camera"} kind
 * @property {HTMLImageElement | HTMLVideoElement} element
 * @property {number} width
 * @property {number} height
 * @property {number} duration seconds; a picture and a camera have none of their own
 * @property {string} name
 * @property {() => void} close
 */

/** Pixels above which a film is said to be painted smaller, whatever the setting. */
const LARGE = 3840 * 2160;
const WAIT = 20_000;

/** @param {File} file @returns {Promise<Content>} */
export function openFile(file) {
  return file.type.startsWith("image/") || /\.(jpe?g|png|webp|gif|avif|bmp|svg)$/i.test(file.name) ? openPicture(file, file.name) : openFilm(file);
}

/** @param {Blob | string} source @param {string} name @returns {Promise<Content>} */
export async function openPicture(source, name) {
  const address = typeof source === "string" ? source : URL.createObjectURL(source);
  const close = () => { if (address !== source) URL.revokeObjectURL(address); };
  const element = new Image();
  element.src = address;
  try {
    await element.decode();
    if (!element.naturalWidth) throw new Error("no size");
  } catch {
    close();
    throw new Failure(`${name} cannot be read: the browser finds no picture in it. Choose a JPEG, PNG or WebP file.`);
  }
  return { kind: "picture", element, width: element.naturalWidth, height: element.naturalHeight, duration: 0, name, close };
}

/** @param {File} file @returns {Promise<Content>} */
export async function openFilm(file) {
  const address = URL.createObjectURL(file);
  const element = makeVideo();
  const close = () => { element.pause(); element.removeAttribute("src"); element.load(); URL.revokeObjectURL(address); };
  element.src = address;
  try {
    await waitFor(element, "loadeddata");
    if (!element.videoWidth) throw new Error("no picture");
    if (!Number.isFinite(element.duration)) await findDuration(element);
  } catch {
    close();
    throw new Failure(`${file.name} cannot be read: the browser finds no film in it that it can play. Choose an MP4 (H.264) or WebM file.`);
  }
  return { kind: "film", element, width: element.videoWidth, height: element.videoHeight, duration: element.duration, name: file.name, close };
}

/** @param {"user" | "environment"} facing @returns {Promise<Content>} */
export async function openCamera(facing) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Failure("The camera is not available: browsers give it to pages on https:// and on localhost only. Open the page there, or choose a film.");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false });
  } catch (error) {
    throw new Failure(explainCamera(error.name));
  }
  const element = makeVideo();
  element.srcObject = stream;
  const close = () => { stream.getTracks().forEach((track) => track.stop()); element.srcObject = null; };
  try {
    await waitFor(element, "loadeddata");
    await element.play();
  } catch {
    close();
    throw new Failure("The camera sends no picture. Close other programs that use it, and try again.");
  }
  return { kind: "camera", element, width: element.videoWidth, height: element.videoHeight, duration: 0, name: "Camera", close };
}

function explainCamera(name) {
  if (name === "NotAllowedError" || name === "SecurityError") {
    return "The camera was refused: this page may not use it. Allow it in the browser's settings for this page, or choose a film or a picture.";
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") return "No camera was found. Connect one, or choose a film or a picture.";
  return "The camera is in use or cannot be started. Close other programs that use it, and try again.";
}

/** A sentence about a content that this page paints much smaller; empty for others. @param {Content} content */
export function describeLarge(content, [width, height]) {
  if (content.kind !== "film" || content.width * content.height < LARGE) return "";
  return `This film has ${content.width} × ${content.height} pixels; here it is painted at ${width} × ${height}. Use \`vst stylize\` for its full size.`;
}

/**
 * Take frames of a film, as canvases: at the given times, or in the middles of so many equal segments.
 * @param {File} file @param {number | number[]} wanted times in seconds, or a number of segments
 */
export async function takeKeyframes(file, wanted) {
  const film = await openFilm(file), video = /** @type {HTMLVideoElement} */ (film.element), found = [];
  const times = typeof wanted === "number"
    ? Array.from({ length: wanted }, (_, segment) => ((segment + 0.5) * film.duration) / wanted) : wanted;
  try {
    for (const time of times) {
      await seek(video, time);
      const canvas = document.createElement("canvas");
      const factor = Math.min(1, 512 / Math.min(film.width, film.height));
      Object.assign(canvas, { width: Math.round(film.width * factor), height: Math.round(film.height * factor) });
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      found.push({ time, canvas });
    }
  } finally {
    film.close();
  }
  return found;
}

/** @param {HTMLVideoElement} video @param {number} time */
export async function seek(video, time) {
  const arrived = waitFor(video, "seeked");
  video.currentTime = Math.min(time, Math.max(0, video.duration - 0.001));
  await arrived;
}

function makeVideo() {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, playsInline: true, preload: "auto", loop: true });
  return video;
}

/** A film that was recorded in a browser may not say how long it is: its end does. */
async function findDuration(video) {
  const known = waitFor(video, "durationchange");
  video.currentTime = 1e9;
  await known;
  if (!Number.isFinite(video.duration)) throw new Error("no end");
  await seek(video, 0);
}

function waitFor(element, event) {
  return new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error("late")), WAIT);
    element.addEventListener(event, () => { clearTimeout(late); done(undefined); }, { once: true });
    element.addEventListener("error", () => { clearTimeout(late); failed(new Error("error")); }, { once: true });
  });
}
