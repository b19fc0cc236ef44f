// Small helpers for elements, notices and files.

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/** Make an element. @param {string} tag @param {Record<string, any>} given attributes @param {...(Node | string)} inside @returns {any} */
export function make(tag, given = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

const NS = "http://www.w3.org/2000/svg";
export function makeSvg(tag, given = {}) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(given)) made.setAttribute(name, String(value));
  return made;
}

let hiding = 0;
/** Show a sentence at the lower edge for a while. @param {string} text */
export function notify(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
  clearTimeout(hiding);
  hiding = window.setTimeout(() => { $("notice").hidden = true; }, 4000 + 60 * text.length);
}

/** Put sentences beside a control; none clears them. @param {string} id @param {...string} texts */
export function say(id, ...texts) {
  $(id).replaceChildren(...texts.filter(Boolean).map((text) => make("p", {}, text)));
}

/** Run what a person asked for; tell them why it failed. @param {(...given: any[]) => any} act */
export function withNotice(act) {
  return async (...given) => {
    try {
      await act(...given);
    } catch (error) {
      notify(error instanceof Error ? error.message : String(error));
    }
  };
}

/** Offer a blob as a download. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const address = URL.createObjectURL(blob), link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** @param {number} seconds */
export const formatSeconds = (seconds) => (seconds < 60 ? `${Number(seconds.toFixed(1))} s`
  : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`);
