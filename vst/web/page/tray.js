// The files that the server keeps for this visitor: what they weigh, and a way to remove them.
import { $, call, make, notify, state, undoable, weigh } from "./api.js";

const ROLES = { content: "video", style: "style", painted: "painting", project: "project" };
let gone = () => {};
const leaving = new Set();

export function buildTray(onGone) { gone = onGone; }

export function showTray() {
  const files = Object.values(state.files).filter((file) => ROLES[file.role] && !leaving.has(file.id));
  $("tray").hidden = !files.length;
  $("tray-list").replaceChildren(...files.map((file) => make("li", {},
    make("span", { class: "name" }, file.name), make("small", {}, `${ROLES[file.role]}, ${weigh(file.bytes)}`),
    make("button", { class: "quiet", "aria-label": `Remove ${file.name}`, onclick: () => removeFile(file) }, "×"))));
  const most = state.about.limits.kept, sent = files.reduce((sum, file) => sum + file.bytes, 0);
  $("tray-sum").textContent = `${weigh(Math.max(state.bytes, sent))} of ${most} MB, with what was painted.`;
}

// Takes a file off the page at once, and off the server when it is too late to undo.
export function removeFile(file) {
  const before = structuredClone(state.form);
  leaving.add(file.id);
  gone(file);
  showTray();
  undoable(`${file.name} is removed.`, () => {
    leaving.delete(file.id);
    gone(null, before);
    showTray();
  }, async () => {
    leaving.delete(file.id);
    try {
      await call("forget", { file: file.id });
      delete state.files[file.id];
    } catch (error) { notify(error.message); }
    showTray();
  });
}
