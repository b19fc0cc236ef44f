// A finished painting: played beside the original or another result, or wiped over it, and taken away.
import { call, clock, make, media, notify, state, withNotice } from "./api.js";
import { describeTask } from "./jobs.js";

export function showResult(task) {
  const { outcome } = task;
  const before = video(outcome.before, "as filmed", true), after = video(outcome.video, "painted", false);
  const caption = make("figcaption", {}, "as filmed");
  const players = make("div", { class: "players", "data-mode": "side" },
    make("figure", {}, before, caption), make("figure", { class: "after" }, after, make("figcaption", {}, "painted")));
  const summary = `${outcome.frames} frames in ${clock(outcome.seconds)}, ${outcome.speed} a second.`;
  return [players, playTogether(before, after), compare(task, players, before, caption),
    make("p", { class: "warned" }, summary, ...outcome.warnings.map((text) => ` ${text}.`)), takeAway(task)];
}

function video(id, text, quiet) {
  const made = make("video", { src: media(id), playsinline: true, preload: "metadata", "aria-label": text });
  made.muted = quiet;
  return made;
}

// What it is compared with, and whether side by side or by a wipe.
function compare(task, players, before, caption) {
  const name = `mode-${task.id}`;
  const other = make("select", { "data-other": true, onchange: () => {
    const chosen = state.tasks.find((one) => one.id === other.value);
    caption.textContent = chosen ? describeTask(chosen) : "as filmed";
    before.setAttribute("aria-label", caption.textContent);
    before.src = media(chosen ? chosen.outcome.video : task.outcome.before);
  } });
  const fill = () => {
    const done = state.tasks.filter((one) => one.kind === "paint" && one.state === "done" && one.id !== task.id);
    const chosen = done.some((one) => one.id === other.value) ? other.value : "";
    other.replaceChildren(make("option", { value: "" }, "as filmed"), ...done.map((one) => make("option", { value: one.id }, describeTask(one))));
    other.value = chosen;
  };
  fill();
  other.addEventListener("focus", fill);
  const wipe = make("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": "Wipe between the two videos", hidden: true, "data-wipe": true });
  const setWipe = () => players.style.setProperty("--wipe", `${wipe.value}%`);
  wipe.addEventListener("input", setWipe);
  const follow = (event) => {
    const box = players.getBoundingClientRect();
    wipe.value = 100 * (event.clientX - box.left) / box.width;
    setWipe();
  };
  players.addEventListener("pointerdown", (event) => {
    if (players.dataset.mode !== "wipe" || event.button > 0) return;
    players.setPointerCapture(event.pointerId);
    follow(event);
    players.onpointermove = follow;
    players.onpointerup = players.onpointercancel = () => { players.onpointermove = null; };
  });
  const mode = (value, text) => make("label", {}, make("input", { type: "radio", name, value, checked: value === "side",
    onchange: () => { players.dataset.mode = value; wipe.hidden = value !== "wipe"; } }), make("span", {}, text));
  setWipe();
  return make("div", { class: "compare" }, make("label", { class: "field inline" }, "Compare with ", other),
    make("div", { class: "segments", role: "radiogroup", "aria-label": "How they are compared" }, mode("side", "Side by side"), mode("wipe", "Wipe")), wipe);
}

function takeAway(task) {
  const { outcome } = task;
  const links = [["Video", outcome.video, "video"], ["Score file", outcome.score, "score"]].map(([text, id, name]) =>
    make("a", { class: name === "video" ? "button main small" : "button", href: media(id, true), download: true, "data-get": name }, `↓ ${text}`));
  const gif = make("button", { "data-gif": true, title: "The first 12 seconds, 480 pixels wide", onclick: withNotice(async () => {
    gif.disabled = true;
    gif.textContent = "Making the GIF…";
    try {
      const made = await call("gif", { id: task.id });
      gif.replaceWith(make("a", { class: "button", href: media(made.id, true), download: true, "data-get": "gif" }, "↓ GIF"));
      row.querySelector("[data-get=gif]").click();
    } finally { gif.disabled = false; gif.textContent = "↓ GIF"; }
  }) }, "↓ GIF");
  const report = make("button", { "data-measure": true, onclick: withNotice(async () => {
    await call("measure", { job: task.id });
    document.getElementById("tab-evaluate").click();
    notify("It is being measured.");
  }) }, "Measure it");
  const row = make("div", { class: "row files" }, ...links, outcome.gif
    ? make("a", { class: "button", href: media(outcome.gif, true), download: true, "data-get": "gif" }, "↓ GIF") : gif, report);
  return row;
}

// One button and one slider for two players, which stay together at any speed of the painting.
function playTogether(before, after) {
  const button = make("button", { "aria-label": "Play both" }, "▶");
  const slider = make("input", { type: "range", min: 0, max: 1000, value: 0, "aria-label": "Place in both videos" });
  const value = make("output", {}, "0.0 s");
  const ratio = () => (before.duration || 1) / (after.duration || 1);
  const align = () => {
    const wanted = after.currentTime * ratio();
    if (Math.abs(before.currentTime - wanted) > 0.08) before.currentTime = wanted;
  };
  button.addEventListener("click", async () => {
    if (!after.paused) { after.pause(); return; }
    if (after.ended) after.currentTime = 0;
    align();
    before.playbackRate = Math.min(16, Math.max(0.0625, ratio()));
    await Promise.allSettled([after.play(), before.play()]);
  });
  after.addEventListener("play", () => { button.textContent = "❚❚"; button.setAttribute("aria-label", "Pause both"); });
  after.addEventListener("pause", () => { before.pause(); align(); button.textContent = "▶"; button.setAttribute("aria-label", "Play both"); });
  after.addEventListener("timeupdate", () => {
    if (!after.paused) align();
    slider.value = 1000 * after.currentTime / (after.duration || 1);
    value.textContent = `${after.currentTime.toFixed(1)} s`;
  });
  const seek = () => {
    if (!after.duration) return; // runs again when the duration is known
    after.currentTime = slider.value / 1000 * after.duration;
    before.currentTime = after.currentTime * ratio();
  };
  slider.addEventListener("input", seek);
  for (const film of [before, after]) film.addEventListener("loadedmetadata", seek);
  return make("div", { class: "play" }, button, slider, value);
}
