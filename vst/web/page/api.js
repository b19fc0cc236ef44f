// The page's state, and its calls to the server.

export const $ = (id) => document.getElementById(id);
const KEPT = "vst";

// `form` describes a job; it and the session's token outlive a reload.
export const state = { token: "", files: {}, styles: {}, tasks: [], about: null, bytes: 0,
  form: { content: null, keys: [], settings: {}, mask: null, drawn: [], trim: null, background: "none", time: 0 } };

export function remember() {
  const tab = document.querySelector('[role="tab"][aria-selected="true"]').id;
  localStorage.setItem(KEPT, JSON.stringify({ token: state.token, form: state.form, tab }));
}

export function recall() {
  try { return JSON.parse(localStorage.getItem(KEPT)) || {}; } catch { return {}; }
}

export async function call(name, sent = {}) {
  let reply;
  try {
    reply = await fetch(`call/${name}`, {
      method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: state.token, sent }),
    });
  } catch { setConnected(false); throw new Error(LOST); }
  setConnected(true);
  if (!reply.ok) throw new Error(reply.status === 429 ? await reply.text() : `the server answers ${reply.status}`);
  const value = await reply.json();
  if (value.gone) startAgain();
  if (value.error) throw new Error(value.error);
  return value;
}

const LOST = "The connection to the server is lost. Trying again…";
function setConnected(now) {
  if ($("lost").hidden === now) return;
  $("lost").hidden = now;
  $("lost").textContent = LOST;
  document.body.classList.toggle("offline", !now);
}

// The server has ended and kept nothing: the page loads again, with what does not need files.
function startAgain() {
  sessionStorage.setItem("vst-said", "The server was restarted and your files are gone; add them again.");
  location.reload();
}

export function upload(role, file, onChange) {
  const limit = state.about.limits[role === "project" ? "project" : "upload"];
  if (file.size > limit * 1e6) {
    return Promise.reject(new Error(`${file.name} is larger than ${limit} MB`));
  }
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", `upload/${state.token}/${role}?name=${encodeURIComponent(file.name)}`);
    request.upload.onprogress = (event) => onChange(event.loaded / Math.max(1, event.total));
    request.onerror = () => failed(new Error(`${file.name} could not be sent`));
    request.onload = () => {
      let value;
      try { value = JSON.parse(request.responseText); } catch { value = { error: request.responseText }; }
      if (value.error) return failed(new Error(value.error));
      state.files[value.id] = value;
      done(value);
    };
    request.send(file);
  });
}

export const media = (id, download) => `media/${state.token}/${id}${download ? "?download=1" : ""}`;
export const still = (id, time) => `still/${state.token}/${id}?t=${time}`;

let hides;
export function notify(text) {
  $("notice").textContent = text;
  $("notice").hidden = false;
  clearTimeout(hides);
  hides = setTimeout(() => { $("notice").hidden = true; }, 9000);
}

const UNDO_SECONDS = 7;
let settle = () => {};
// Does `finally_` some seconds later, or `undo` if the button is pressed before.
export function undoable(text, undo, finally_) {
  settle();
  notify(text);
  clearTimeout(hides);
  const close = () => { clearTimeout(timer); $("notice").hidden = true; settle = () => {}; };
  const timer = setTimeout(() => settle(), 1000 * UNDO_SECONDS);
  settle = () => { close(); finally_(); };
  $("notice").append(make("button", { class: "inline", onclick: () => { close(); undo(); } }, "Undo"));
}
addEventListener("pagehide", () => settle());

// Shows a message beside a control; an empty one goes.
export function say(place, text, kind = "wrong") {
  $(place).replaceChildren(...[text].flat().filter(Boolean).map((one) => make("p", { class: kind }, one)));
}
export const withNotice = (action) => async (...given) => {
  try { return await action(...given); } catch (error) { notify(error.message); }
};

// make("b", { class: "x" }, "text", child): an element; text is always text.
export function make(tag, about = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...inside.filter((part) => part != null));
  return made;
}

export function clock(seconds) {
  if (seconds == null || !isFinite(seconds)) return "–";
  if (seconds < 59.5) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
}

export function weigh(bytes) {
  return bytes < 1e5 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

export const content = () => state.files[state.form.content];
export const isReady = () => Boolean(content() && state.form.keys.length);

// Runs the action one call at a time; of the calls made meanwhile only the latest is repeated.
export function latest(action) {
  let busy = false, again = false;
  return async function run() {
    if (busy) { again = true; return; }
    busy = true;
    try { do { again = false; await action(); } while (again); } finally { busy = false; }
  };
}
export function later(action, wait) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(action, wait); };
}
