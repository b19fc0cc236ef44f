// A setting as a link: its score, the page's own settings, and the numbers of styles of one's own.
import { parseScore } from "../score/reading.js";
import { Failure } from "../failure.js";
import { formatSetting, openScore } from "./keys.js";
import { announce, state } from "./state.js";

const DIM = 100;
/** Settings that a score does not have. */
const FURTHER = ["side", "seconds"];

/** @returns {string} */
export function formatLink() {
  const own = [...new Set(state.keys.flatMap((key) => Object.keys(key.weights)))].map((name) => state.styles.get(name)).filter((style) => style?.source);
  const content = { score: formatSetting(), settings: Object.fromEntries(FURTHER.map((name) => [name, state.settings[name]])),
    styles: own.map((style) => ({ name: style.name, label: style.label, numbers: encodeNumbers(style.embedding) })) };
  const address = new URL(location.href);
  address.hash = `setting=${encodeText(JSON.stringify(content))}`;
  return address.href;
}

/**
 * Take the setting of the page's address, if it has one.
 * @param {(embedding: Float32Array) => Promise<string>} paintThumbnail a link has no pictures of styles
 */
export async function openLink(paintThumbnail) {
  const found = /^#setting=([\w-]+)$/.exec(location.hash);
  if (!found) return false;
  try {
    const content = JSON.parse(decodeText(found[1]));
    const score = parseScore(content.score);
    for (const { name, label, numbers } of content.styles) {
      const embedding = decodeNumbers(numbers);
      if (embedding.length !== DIM || !embedding.every(Number.isFinite) || !score.styles[name]) throw new Error("styles");
      state.styles.set(name, { name, label, embedding, picture: await paintThumbnail(embedding), source: score.styles[name] });
    }
    for (const name of FURTHER) if (Number.isFinite(content.settings[name])) state.settings[name] = content.settings[name];
    openScore(content.score);
  } catch {
    throw new Failure("The setting in this link cannot be read: a part of the link is missing. Ask for it again, or go on without it.");
  }
  announce("settings");
  return true;
}

const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const fromBase64 = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const encodeText = (text) => toBase64(new TextEncoder().encode(text));
const decodeText = (text) => new TextDecoder().decode(fromBase64(text));
const encodeNumbers = (numbers) => toBase64(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
const decodeNumbers = (text) => new Float32Array(fromBase64(text).buffer);
