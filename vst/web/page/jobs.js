// The list of jobs: those that wait, run and are done.
import { $, call, clock, withNotice, make, notify, remember, state, still, undoable } from "./api.js";
import { nameOf } from "./keys.js";
import { showReport } from "./report.js";
import { showResult } from "./result.js";
import { buildRing, ring } from "./ring.js";
import { label, word } from "./settings.js";

const SLOW = 3000, FAST = 700;
const OVER = ["done", "failed", "stopped"];
const shown = new Map(); // job -> its card and what the card was drawn from
const leaving = new Set(); // removed jobs that can still come back
const TITLE = document.title;
let timer, edit = () => {}, refreshed = () => {};

export function buildJobs(given) {
  ({ edit, refreshed } = given);
  buildRing();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) document.title = TITLE; });
}

export async function watch() {
  clearTimeout(timer);
  try {
    const before = new Map(state.tasks.map((task) => [task.id, task.state]));
    const found = await call("tasks");
    Object.assign(state, { tasks: found.tasks, bytes: found.bytes });
    for (const task of state.tasks) {
      if (task.state === "done" && ["running", "waiting"].includes(before.get(task.id))) announce(task);
    }
    draw();
    refreshed();
  } catch { // the banner says that the connection is lost
    for (const rest of document.querySelectorAll("[data-rest]")) rest.textContent = "connection lost";
  }
  const busy = state.tasks.some((task) => !OVER.includes(task.state));
  timer = setTimeout(watch, busy ? FAST : SLOW);
}

function announce(task) {
  notify(`${task.title} is ${task.kind === "paint" ? "painted" : "measured"}.`);
  ring();
  if (document.hidden) document.title = `✓ Done · ${TITLE}`;
}

export function draw() {
  const tasks = state.tasks.filter((task) => !leaving.has(task.id)), busy = tasks.filter((task) => !OVER.includes(task.state)).length;
  const painted = tasks.filter((task) => task.kind === "paint");
  $("count").hidden = !busy;
  $("count").textContent = busy;
  $("jobs-empty").hidden = painted.length > 0;
  arrange($("task-list"), painted);
  arrange($("measured"), tasks.filter((task) => task.kind === "measure"));
  const done = painted.filter((task) => task.state === "done");
  const before = $("measure-job").value;
  const known = [...$("measure-job").options].map((one) => one.value).join();
  if (known !== done.map((task) => task.id).join() || !$("measure-job").options.length) {
    $("measure-job").replaceChildren(...(done.length
      ? done.map((task) => make("option", { value: task.id }, describeTask(task)))
      : [make("option", { value: "" }, "nothing is painted yet")]));
    if (done.some((task) => task.id === before)) $("measure-job").value = before;
  }
  $("measure").disabled = !done.length;
}

const when = (task) => new Date(1000 * task.made).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

// A card is redrawn when its state changes; while a job runs, its parts are updated.
function arrange(place, tasks) {
  const wanted = tasks.map((task) => {
    let kept = shown.get(task.id);
    const drawn = task.state + task.outcome.video + task.outcome.report;
    if (!kept || kept.drawn !== drawn) {
      kept = { drawn, card: card(task) };
      shown.set(task.id, kept);
    }
    if (task.state === "running" || task.state === "waiting") update(kept.card, task);
    return kept.card;
  });
  const same = wanted.length === place.children.length && wanted.every((one, i) => place.children[i] === one);
  if (!same) place.replaceChildren(...wanted);
}

function card(task) {
  const made = make("article", { class: "card task", "data-id": task.id, "data-state": task.state },
    make("header", {}, task.outcome.video ? make("img", { class: "thumb", src: still(task.outcome.video, task.outcome.frames / 60), alt: "" }) : null,
      make("div", { class: "about" }, make("h2", {}, task.title), task.kind === "paint" ? ingredients(task.sent) : null),
      make("span", { class: "meta" }, make("span", { class: `state ${task.state}` }, task.state), make("small", {}, when(task)))));
  if (task.state === "done") made.append(...(task.kind === "paint" ? showResult(task) : showReport(task)));
  else if (task.state === "failed") made.append(make("p", { class: "wrong", role: "alert" }, task.error));
  else if (task.state === "stopped") made.append(make("p", { class: "hint" }, "Stopped; its files were deleted."));
  else made.append(running(task));
  if (OVER.includes(task.state)) {
    const row = made.querySelector(".files") || made.appendChild(make("div", { class: "row files" }));
    if (task.kind === "paint") row.append(make("button", { "data-edit": true, onclick: () => edit(task.sent) }, "Edit again"));
    row.append(make("button", { class: "quiet", "data-remove": true, onclick: () => removeTask(task) }, "Remove"));
  }
  return made;
}

// The styles in their order, and the settings that were changed.
const listStyles = (sent) => (sent.keys || []).map((key) => nameOf(key)).join(" → ");
export const describeTask = (task) => `${task.title}: ${listStyles(task.sent)}, ${when(task)}`;

function ingredients(sent) {
  const standard = Object.fromEntries(state.about.controls.map((control) => [control.name, control.default]));
  const changed = Object.entries(sent.settings || {}).filter(([name, value]) => value !== standard[name])
    .map(([name, value]) => `${label(name).toLowerCase()} ${value === true ? "on" : value === false ? "off" : word(value)}`);
  const part = sent.trim ? [`from ${clock(sent.trim[0])} to ${clock(sent.trim[1])}`] : [];
  return make("p", { class: "hint" }, [listStyles(sent), ...part, ...changed].join(", "));
}

function removeTask(task) {
  leaving.add(task.id);
  draw();
  undoable(`${task.title} is removed.`, () => { leaving.delete(task.id); draw(); }, async () => {
    try { await call("remove", { id: task.id }); } catch (error) { notify(error.message); }
    leaving.delete(task.id);
    await watch();
  });
}

function running(task) {
  const stop = make("button", { "data-cancel": true, onclick: withNotice(async () => {
    stop.disabled = true;
    stop.textContent = "Stopping…";
    await call("cancel", { id: task.id });
    await watch();
  }) }, "Cancel");
  return make("div", { class: "running-view" },
    task.kind === "paint" ? make("span", { class: "bare", "data-frame": true }, "starting") : make("span", { class: "bare" }, "measuring"),
    make("div", {}, make("div", { class: "bar", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, make("i")),
      make("p", { class: "progress-line" }, make("span", { "data-done": true }), make("span", { "data-rest": true })), stop));
}

function update(made, task) {
  const { done = 0, total, remaining, per_second: speed, stage } = task.progress;
  const part = total ? done / total : 0;
  const bar = made.querySelector(".bar");
  bar.firstChild.style.width = `${100 * part}%`;
  bar.setAttribute("aria-valuenow", Math.round(100 * part));
  const waits = task.state === "waiting";
  made.querySelector("[data-done]").textContent = waits
    ? (task.ahead ? `waiting, ${task.ahead} before it` : "waiting")
    : total ? `${done} of ${total} frames${speed ? `, ${speed.toFixed(1)} a second` : ""}` : stage || "";
  made.querySelector("[data-rest]").textContent = waits || !total || remaining == null ? "" : `${clock(remaining)} to go`;
  const frame = made.querySelector("[data-frame]");
  if (frame && task.pictures && frame.dataset.number !== String(task.pictures)) {
    const address = `picture/${state.token}/${task.id}?n=${task.pictures}`;
    if (frame.tagName === "IMG") { frame.src = address; frame.dataset.number = task.pictures; }
    else frame.replaceWith(make("img", { src: address, alt: "The frame being painted", "data-frame": true, "data-number": task.pictures }));
  }
}

export const measureChosen = withNotice(async () => {
  await call("measure", { job: $("measure-job").value });
  remember();
  await watch();
});
