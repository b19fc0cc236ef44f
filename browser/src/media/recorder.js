// Records the painting, with the film's sound, while it plays.
import { Failure } from "../failure.js";

const TYPES = ["video/mp4;codecs=avc1,mp4a.40.2", "video/webm;codecs=vp9,opus", "video/webm;codecs=vp8,opus", "video/webm"];
const BITS_PER_SECOND = 6_000_000;
/** One sound graph per film: an element can be connected only once. @type {WeakMap<HTMLVideoElement, MediaStreamAudioDestinationNode>} */
const sounds = new WeakMap();

export class Recorder {
  /** @param {HTMLCanvasElement} canvas @param {HTMLVideoElement | null} film its sound is recorded */
  constructor(canvas, film) {
    if (typeof MediaRecorder === "undefined" || !canvas.captureStream) {
      throw new Failure("This browser cannot record. Save single pictures, or use a newer browser.");
    }
    const stream = canvas.captureStream(30);
    if (film) for (const track of connectSound(film).stream.getAudioTracks()) stream.addTrack(track);
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    this.parts = [];
    this.recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: BITS_PER_SECOND });
    this.recorder.ondataavailable = ({ data }) => { if (data.size) this.parts.push(data); };
    this.ended = new Promise((done, failed) => {
      this.recorder.onstop = () => done(undefined);
      this.recorder.onerror = () => failed(new Failure("The recording stopped: the device has no room left for it. Free some space, and record a shorter clip."));
    });
    this.ended.catch(() => undefined);
    this.recorder.start(1000);
    this.started = performance.now();
  }

  get seconds() {
    return (performance.now() - this.started) / 1000;
  }

  /** @returns {Promise<{blob: Blob, suffix: string}>} */
  async stop() {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    await this.ended;
    for (const track of this.recorder.stream.getVideoTracks()) track.stop();
    const blob = new Blob(this.parts, { type: this.recorder.mimeType });
    if (!blob.size) throw new Failure("The recording is empty. Record for a second or longer.");
    return { blob, suffix: blob.type.includes("mp4") ? "mp4" : "webm" };
  }
}

/** @param {HTMLVideoElement} film */
function connectSound(film) {
  let target = sounds.get(film);
  if (!target) {
    const context = new AudioContext();
    const source = context.createMediaElementSource(film);
    target = context.createMediaStreamDestination();
    source.connect(target);
    source.connect(context.destination);
    sounds.set(film, target);
  }
  /** @type {AudioContext} */ (target.context).resume();
  film.muted = false;
  return target;
}
