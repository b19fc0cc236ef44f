// The keyframe that is selected: its style, its time, and what can be done with it.
import { $, make, state } from "./api.js";
import { drop, nameOf, pictureOf, restyle, retime, selectedKey, span, styleOf, swap, toPart, toSeconds } from "./keys.js";

export function buildInspector() {
  const withKey = (act) => () => { const key = selectedKey(); if (key) act(key); };
  $("key-time").addEventListener("change", withKey((key) => retime(key, toPart(Number($("key-time").value)))));
  $("key-style").addEventListener("change", withKey((key) => restyle(key, $("key-style").value)));
  $("key-earlier").addEventListener("click", withKey((key) => swap(key, -1)));
  $("key-later").addEventListener("click", withKey((key) => swap(key, 1)));
  $("key-drop").addEventListener("click", withKey((key) => { if (!drop(key)) $("style-file").focus(); }));
}

export function drawInspector() {
  const key = selectedKey(), keys = state.form.keys, index = keys.indexOf(key);
  $("inspector").hidden = !key;
  if (!key) return;
  const { start, last, frame } = span(), address = pictureOf(key);
  $("key-picture").hidden = !address;
  if (address) $("key-picture").src = address;
  $("key-name").textContent = nameOf(key);
  $("key-of").textContent = describe(key);
  Object.assign($("key-time"), { min: start.toFixed(2), max: last.toFixed(2), step: Math.max(0.01, Number(frame.toFixed(2))) });
  if (document.activeElement !== $("key-time")) $("key-time").value = toSeconds(key.at).toFixed(2);
  fillStyles(key);
  $("key-earlier").disabled = index === 0;
  $("key-later").disabled = index === keys.length - 1;
}

// Which frame of which video a keyframe is.
function describe(key) {
  const style = styleOf(key);
  if (!style) return key.style === "none" ? "the video itself, unpainted" : "from the gallery";
  const file = Object.values(state.files).find((one) => style.of.includes(one.id));
  return file ? `${style.time ? `${style.time.toFixed(2)} s of ` : ""}${file.name}` : "";
}

function fillStyles(key) {
  const own = Object.values(state.styles), known = [...own.map((one) => one.id), key.style].join();
  if ($("key-style").dataset.known !== known) {
    $("key-style").dataset.known = known;
    const option = (value, text) => make("option", { value }, text);
    $("key-style").replaceChildren(
      ...(own.length ? [make("optgroup", { label: "Your files" }, ...own.map((one) => option(one.id, one.name)))] : []),
      make("optgroup", { label: "Gallery" }, ...state.about.builtin.map(({ name }) => option(`@${name}`, name))),
      option("none", "as filmed"));
  }
  $("key-style").value = key.style;
}
