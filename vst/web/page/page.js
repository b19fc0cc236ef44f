// The page: builds its parts, fills them from the server, and connects them.
import { $, call, clock, content, withNotice, isReady, make, recall, remember, notify, say, state, still, upload } from "./api.js";
import { buildClip, playClip } from "./clip.js";
import { buildHistory, record } from "./history.js";
import { buildJobs, draw, measureChosen, watch } from "./jobs.js";
import { addKeys, buildKeys, dropStyles, redraw, spread } from "./keys.js";
import { buildProject, openProject } from "./project.js";
import { buildSettings, PICKERS } from "./settings.js";
import { buildStage, changed, momentChanged, show } from "./stage.js";
import { buildTimeline, drawTimeline, plotSoon } from "./timeline.js";
import { buildTray, removeFile, showTray } from "./tray.js";

const TABS = ["paint", "jobs", "evaluate"];

function openTab(name) {
  for (const one of TABS) {
    const tab = $(`tab-${one}`);
    tab.setAttribute("aria-selected", String(one === name));
    tab.tabIndex = one === name ? 0 : -1;
    $(one).hidden = one !== name;
  }
  remember();
  if (name === "paint") { show(); drawTimeline(); plotSoon(); }
}

function buildTabs() {
  $("to-paint").addEventListener("click", () => { openTab("paint"); $("tab-paint").focus(); });
  for (const name of TABS) {
    $(`tab-${name}`).addEventListener("click", () => openTab(name));
    $(`tab-${name}`).addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = TABS[(TABS.indexOf(name) + step + TABS.length) % TABS.length];
      openTab(next);
      $(`tab-${next}`).focus();
    });
  }
}

function buildTheme() {
  const wish = localStorage.getItem("vst-theme");
  const dark = wish ? wish === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const set = (now) => {
    document.documentElement.dataset.theme = now;
    $("theme").textContent = now === "dark" ? "☀" : "☾";
  };
  set(dark ? "dark" : "light");
  $("theme").addEventListener("click", () => {
    const now = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("vst-theme", now);
    set(now);
  });
}

function buildDrop(zone, input, onFiles) {
  const take = withNotice(async (files) => { if (files.length) await onFiles([...files]); });
  input.addEventListener("change", async () => { await take(input.files); input.value = ""; });
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault(); // the page's own drop leaves it alone
    zone.classList.remove("over");
    take(event.dataTransfer.files);
  });
}

async function send(role, file, zone) {
  const bar = make("progress", { max: 1, value: 0, "aria-label": `Sending ${file.name}` });
  zone.append(bar);
  try { return await upload(role, file, (part) => { bar.value = part; if (part === 1) bar.removeAttribute("value"); }); }
  finally { bar.remove(); }
}

async function takeContent([file]) {
  say("content-said", "");
  try {
    useContent(await send("content", file, $("drop-content")));
  } catch (error) { say("content-said", error.message); }
}

function useContent(kept) {
  const before = content();
  state.files[kept.id] = kept;
  Object.assign(state.form, { content: kept.id, time: kept.duration / 2, mask: null, drawn: [], trim: null });
  showContent();
  redraw();
  if (before && before.id !== kept.id && !inUse(before.id)) {
    call("forget", { file: before.id }).then(() => { delete state.files[before.id]; showTray(); }).catch(() => {});
  }
}
const inUse = (id) => state.tasks.some((task) => task.outcome.content === id || !["done", "failed", "stopped"].includes(task.state));

function showContent() {
  const video = content();
  $("drop-content").hidden = Boolean(video);
  $("content-chosen").hidden = !video;
  $("content-chosen").replaceChildren();
  if (video) {
    $("content-chosen").append(
      make("img", { src: still(video.id, video.duration / 2), alt: "" }),
      make("div", {}, make("b", {}, video.name),
        make("span", {}, `${video.width} × ${video.height}, ${clock(video.duration)}, ${Number(video.rate.toFixed(2))} fps`)),
      make("button", { class: "quiet", "aria-label": "Choose another video", onclick: () => {
        removeFile(video);
        $("content-file").focus();
      } }, "×"));
  }
  showTray();
  showReady();
}

// A file has left the page; or, after an undo, everything is as before.
function fileGone(file, before) {
  if (before) return restoreForm(before);
  if (state.form.content === file.id) Object.assign(state.form, { content: null, mask: null, drawn: [], trim: null });
  const from = new Set(Object.values(state.styles).filter((style) => style.of.includes(file.id)).map((style) => style.id));
  showContent();
  dropStyles((style) => from.has(style));
}

async function takeStyles(files) {
  const wrong = [];
  for (const file of files) {
    say("style-said", [...wrong, `${file.name}: being sent…`], "hint");
    try {
      const kept = await send("style", file, $("drop-style"));
      say("style-said", [...wrong, `${file.name}: looking for its keyframes…`], "hint");
      const full = await takeKeyframes(kept);
      if (full) wrong.push(`${file.name}: ${full}`);
    } catch (error) { wrong.push(error.message.includes(file.name) ? error.message : `${file.name}: ${error.message}`); }
  }
  say("style-said", wrong);
  showTray();
}

let latestStyle = null; // the style video that was added last
async function takeKeyframes(file) {
  const found = await findKeyframes(file);
  latestStyle = found.length > 1 ? file : latestStyle;
  return addKeys(found);
}

async function findKeyframes(file) {
  const found = (await call("styles", { file: file.id, keyframes: Number($("keyframes").value), picker: $("picker").value })).styles;
  for (const style of found) state.styles[style.id] = style;
  return found.map((style) => style.id);
}

// The number or the way was changed: the keyframes of the video that was added last are taken anew.
async function retakeKeyframes() {
  const file = latestStyle;
  if (!file || !state.files[file.id]) return;
  say("style-said", `${file.name}: looking for its keyframes…`, "hint");
  try {
    const found = await findKeyframes(file), before = state.form.keys;
    state.form.keys = before.filter((key) => !(state.styles[key.style] || { of: "" }).of.includes(file.id));
    const full = addKeys(found);
    if (full) { state.form.keys = before; redraw(); }
    say("style-said", full || "");
  } catch (error) { say("style-said", error.message); }
}

function buildGallery(styles) {
  const tile = (name, about, inside) => make("button", { "data-style": name, title: about, tabindex: -1,
    onclick: () => say("style-said", addKeys([name]) || ""), "aria-label": `Add ${name.replace("@", "")}: ${about}` }, inside, make("span", {}, name === "none" ? "as filmed" : name.replace("@", "")));
  $("gallery").append(
    ...styles.map(({ name, about }) => tile(`@${name}`, about, make("img", { src: `swatch/${name}`, alt: "", loading: "lazy" }))),
    tile("none", "the video itself, unpainted", make("img", { src: "swatch/none", alt: "", loading: "lazy" })));
  buildRoving($("gallery"));
  $("find").addEventListener("input", () => {
    const wanted = $("find").value.toLowerCase();
    for (const one of $("gallery").children) one.hidden = !`${one.dataset.style} ${one.title}`.toLowerCase().includes(wanted);
    enter($("gallery"), [...$("gallery").children].find((one) => !one.hidden));
  });
  $("background").append(make("option", { value: "none" }, "as filmed"),
    ...styles.map(({ name }) => make("option", { value: `@${name}` }, name)));
}

// A grid of buttons is one stop of the Tab key; arrow keys move within it.
function buildRoving(grid) {
  enter(grid, grid.firstElementChild);
  grid.addEventListener("focusin", (event) => { if (event.target.parentElement === grid) enter(grid, event.target); });
  grid.addEventListener("keydown", (event) => {
    const tiles = [...grid.children].filter((one) => !one.hidden);
    const columns = Math.max(1, tiles.filter((one) => one.offsetTop === tiles[0].offsetTop).length);
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -tiles.length, End: tiles.length };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    tiles[Math.min(tiles.length - 1, Math.max(0, tiles.indexOf(document.activeElement) + step))].focus();
  });
}
function enter(grid, chosen) {
  for (const one of grid.children) one.tabIndex = one === chosen ? 0 : -1;
}

function buildRecipes(recipes) {
  $("recipes").append(...recipes.map(({ name, styles }) => make("button", { "data-recipe": name, onclick: withNotice(async () => {
    if (!content()) {
      $("busy").hidden = false;
      try { useContent(await call("sample")); } finally { $("busy").hidden = true; }
    }
    state.form.keys = [];
    addKeys(styles);
    await playClip();
  }) }, make("span", { class: "pictures" }, ...styles.map((style) => make("img", { src: `swatch/${style.replace("@", "")}`, alt: "" }))), name)));
}

function showReady() {
  const keys = state.form.keys;
  for (const one of $("gallery").children) {
    const used = keys.filter((key) => key.style === one.dataset.style).length;
    if (used) one.dataset.used = used; else delete one.dataset.used;
  }
  $("render").disabled = $("play-clip").disabled = !isReady();
  $("go-summary").textContent = isReady()
    ? `${content().name}, ${countFrames()} frames, ${keys.length} ${keys.length === 1 ? "keyframe" : "keyframes"}.`
    : !content() ? (keys.length ? "Choose a video." : "Choose a video and at least one style.") : "Add at least one style.";
}

function countFrames() {
  const [from, to] = state.form.trim || [0, content().duration];
  return Math.round((to - from) * content().rate);
}

const render = withNotice(async () => {
  $("render").disabled = true;
  try { await call("paint", state.form); } finally { showReady(); }
  openTab("jobs");
  await watch();
});

const measureFiles = withNotice(async () => {
  const [film, painted] = [$("measure-content").files[0], $("measure-painted").files[0]];
  if (!film || !painted) return notify("choose both files");
  $("measure-files").disabled = true;
  try {
    const kept = [await send("content", film, $("measure-files").parentElement), await send("painted", painted, $("measure-files").parentElement)];
    await call("measure", { content: kept[0].id, painted: kept[1].id });
    await watch();
  } finally { $("measure-files").disabled = false; }
});

// Restores the page after a reload, as far as the server still has the files.
function restore(kept) {
  const form = { ...state.form, ...kept };
  if (!state.files[form.content]) Object.assign(form, { content: null, mask: null, drawn: [], trim: null });
  form.drawn = (form.drawn || []).filter((one) => state.files[one.file]);
  const styles = new Set(state.about.builtin.map((style) => `@${style.name}`));
  form.keys = (form.keys || []).filter((key) => key.style === "none" || styles.has(key.style) || state.styles[key.style]);
  const known = new Set(state.about.controls.map((control) => control.name));
  form.settings = Object.fromEntries(Object.entries(form.settings || {}).filter(([name]) => known.has(name)));
  state.form = form;
}

// Shows a form that was stored: after an undo, or of a job that is edited again.
function restoreForm(kept) {
  restore(structuredClone(kept));
  showSettings();
  $("background").value = state.form.background || "none";
  showContent();
  redraw();
}

function showSettings() {
  buildSettings(state.about.controls, (name) => { if (name === "loop") { spread(); redraw(true); } formChanged(true); });
}
function formChanged(continued) { changed(); record(continued); }

function buildPageDrop() {
  let depth = 0;
  const show = (now) => { depth = now; $("drop-page").hidden = !now; };
  const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  addEventListener("dragenter", (event) => { if (hasFiles(event)) show(depth + 1); });
  addEventListener("dragleave", (event) => show(event.relatedTarget ? Math.max(0, depth - 1) : 0));
  addEventListener("pointermove", () => { if (depth) show(0); }); // not sent while something is dragged
  addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("drop", withNotice(async (event) => {
    if (!hasFiles(event)) return;
    const handled = event.defaultPrevented;
    event.preventDefault();
    show(0);
    if (handled) return;
    openTab("paint");
    const files = [...event.dataTransfer.files], project = files.find((file) => file.name.toLowerCase().endsWith(".zip"));
    if (project) return openProject(project);
    const isVideo = (file) => file.type.startsWith("video/") || state.about.accept.content.split(",").some((end) => file.name.toLowerCase().endsWith(end));
    const first = content() ? -1 : files.findIndex(isVideo);
    if (first >= 0) await takeContent(files.splice(first, 1));
    if (files.length) await takeStyles(files);
  }));
}

async function start() {
  buildTheme();
  const kept = recall();
  state.token = kept.token || "";
  const about = await call("start");
  state.about = about;
  state.token = about.token;
  for (const file of about.files) state.files[file.id] = file;
  for (const style of about.styles) state.styles[style.id] = style;
  state.tasks = about.tasks;
  restore(kept.form || {});
  const said = sessionStorage.getItem("vst-said");
  if (said) { notify(said); sessionStorage.removeItem("vst-said"); }
  $("version").textContent = `vst ${about.version}`;
  $("content-limit").textContent = `at most ${about.limits.upload} MB and ${about.limits.length < 120 ? clock(about.limits.length) : `${Math.floor(about.limits.length / 60)} minutes`}`;
  $("content-file").accept = about.accept.content;
  $("style-file").accept = about.accept.style;
  $("measure-content").accept = $("measure-painted").accept = about.accept.content;
  $("keyframes").value = about.keyframes.default;
  $("picker").append(...about.keyframes.pickers.map((name) => make("option", { value: name }, PICKERS[name] || name)));
  $("picker").value = about.keyframes.picker;
  buildTabs();
  buildGallery(about.builtin);
  state.bytes = about.bytes;
  buildTray(fileGone);
  buildRecipes(about.recipes);
  showSettings();
  buildStage();
  buildClip();
  buildTimeline(momentChanged);
  buildKeys({ onDraw: drawTimeline, onChange: () => { showReady(); formChanged(); } });
  buildHistory(restoreForm);
  buildJobs({ edit: (sent) => { restoreForm(sent); openTab("paint"); scrollTo(0, 0); }, refreshed: showTray });
  buildProject((form) => { restoreForm(form); record(); });
  buildPageDrop();
  $("keyframes").addEventListener("change", retakeKeyframes);
  $("picker").addEventListener("change", retakeKeyframes);
  buildDrop($("drop-content"), $("content-file"), takeContent);
  buildDrop($("drop-style"), $("style-file"), takeStyles);
  $("render").addEventListener("click", render);
  $("measure").addEventListener("click", measureChosen);
  $("measure-files").addEventListener("click", measureFiles);
  $("background").value = state.form.background;
  $("mask").addEventListener("toggle", show);
  showContent();
  redraw();
  openTab((kept.tab || "tab-paint").replace("tab-", ""));
  draw();
  await watch();
  document.body.dataset.ready = "1";
}

withNotice(start)();
