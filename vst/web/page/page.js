// The page: builds its parts, fills them from the server, and connects them.
import { $, call, clock, content, withNotice, isReady, make, recall, remember, notify, state, still, upload } from "./api.js";
import { draw, measureChosen, watch } from "./jobs.js";
import { addKeys, buildKeys, dropStyles, redraw, spread } from "./keys.js";
import { buildSettings } from "./settings.js";
import { buildStage, changed, replot, show } from "./stage.js";

const TABS = ["paint", "jobs", "evaluate"];

function openTab(name) {
  for (const one of TABS) {
    const tab = $(`tab-${one}`);
    tab.setAttribute("aria-selected", String(one === name));
    tab.tabIndex = one === name ? 0 : -1;
    $(one).hidden = one !== name;
  }
  remember();
  if (name === "paint") { show(); replot(); }
}

function buildTabs() {
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
    replot();
  });
}

function buildDrop(zone, input, onFiles) {
  const take = withNotice(async (files) => { if (files.length) await onFiles([...files]); });
  input.addEventListener("change", async () => { await take(input.files); input.value = ""; });
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
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
  const before = state.form.content;
  const kept = await send("content", file, $("drop-content"));
  Object.assign(state.form, { content: kept.id, time: kept.duration / 2, mask: null });
  if (before && !inUse(before)) call("forget", { file: before }).catch(() => {});
  showContent();
  redraw();
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
        state.form.content = null;
        showContent();
        changed();
        showReady();
        $("content-file").focus();
      } }, "×"));
  }
  showReady();
}

async function takeStyles(files) {
  for (const file of files) {
    const kept = await send("style", file, $("drop-style"));
    const found = (await call("styles", { file: kept.id, keyframes: Number($("keyframes").value), picker: $("picker").value })).styles;
    for (const style of found) state.styles[style.id] = style;
    addKeys(found.map((style) => style.id));
  }
}

function buildGallery(styles) {
  const tile = (name, about, inside) => make("button", { "data-style": name, title: about,
    onclick: () => addKeys([name]), "aria-label": `Add ${name.replace("@", "")}: ${about}` }, inside, make("span", {}, name.replace("@", "")));
  $("gallery").append(
    ...styles.map(({ name, about }) => tile(`@${name}`, about, make("img", { src: `swatch/${name}`, alt: "", loading: "lazy" }))),
    tile("none", "the content itself, unpainted", ""));
  $("find").addEventListener("input", () => {
    const wanted = $("find").value.toLowerCase();
    for (const one of $("gallery").children) one.hidden = !`${one.dataset.style} ${one.title}`.toLowerCase().includes(wanted);
  });
  $("background").append(make("option", { value: "none" }, "as filmed"),
    ...styles.map(({ name }) => make("option", { value: `@${name}` }, name)));
}

function showReady() {
  const keys = state.form.keys;
  for (const one of $("gallery").children) {
    const used = keys.filter((key) => key.style === one.dataset.style).length;
    if (used) one.dataset.used = used; else delete one.dataset.used;
  }
  $("render").disabled = !isReady();
  $("go-summary").textContent = isReady()
    ? `${content().name}: ${Math.round(content().duration * content().rate)} frames, ${keys.length} ${keys.length === 1 ? "keyframe" : "keyframes"}.`
    : !content() ? (keys.length ? "Choose a video." : "Choose a video and at least one style.") : "Add at least one style.";
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
  const form = { ...state.form, ...kept.form };
  if (!state.files[form.content]) Object.assign(form, { content: null, mask: null });
  const styles = new Set(state.about.builtin.map((style) => `@${style.name}`));
  form.keys = (form.keys || []).filter((key) => key.style === "none" || styles.has(key.style) || state.styles[key.style]);
  const known = new Set(state.about.controls.map((control) => control.name));
  form.settings = Object.fromEntries(Object.entries(form.settings || {}).filter(([name]) => known.has(name)));
  state.form = form;
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
  restore(kept);
  $("version").textContent = `vst ${about.version}`;
  $("content-limit").textContent = `at most ${about.limits.upload} MB and ${clock(about.limits.length)}`;
  $("content-file").accept = about.accept.content;
  $("style-file").accept = about.accept.style;
  $("measure-content").accept = $("measure-painted").accept = about.accept.content;
  $("keyframes").value = about.keyframes.default;
  $("picker").append(...about.keyframes.pickers.map((name) => make("option", {}, name)));
  $("picker").value = about.keyframes.picker;
  buildTabs();
  buildGallery(about.builtin);
  buildSettings(about.controls, (name) => { if (name === "loop") { spread(); redraw(true); } changed(); });
  buildStage();
  buildKeys(() => { showReady(); changed(); });
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
