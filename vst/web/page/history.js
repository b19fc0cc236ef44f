// Undo and redo of what the form describes.
import { $, state } from "./api.js";

const MOST = 100;
const GAP = 700; // changes of a slider within this many milliseconds are one
let past = [], future = [], last = "", at = 0, apply = () => {};

const parts = () => JSON.stringify({ ...state.form, time: 0 });

export function buildHistory(onRestore) {
  apply = onRestore;
  last = parts();
  $("undo").addEventListener("click", () => step(past, future));
  $("redo").addEventListener("click", () => step(future, past));
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    if (/^(text|search|number)$/.test(event.target.type || "")) return; // the browser's own undo
    event.preventDefault();
    if (event.shiftKey) step(future, past); else step(past, future);
  });
  show();
}

// `continued`: the change goes on with the one before, if that was a moment ago.
export function record(continued) {
  const now = parts();
  if (now === last) return;
  if (!continued || performance.now() - at > GAP || !past.length) past.push(last);
  if (past.length > MOST) past.shift();
  at = continued ? performance.now() : 0;
  future = [];
  last = now;
  show();
}

function step(from, to) {
  if (!from.length) return;
  to.push(last);
  last = from.pop();
  at = 0;
  apply({ ...JSON.parse(last), time: state.form.time });
  show();
}

function show() {
  $("undo").disabled = !past.length;
  $("redo").disabled = !future.length;
}
