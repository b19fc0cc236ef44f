// Chooses what is painted: the camera, a film or a picture.
import { describeLarge, openCamera, openFile, openPicture } from "../media/content.js";
import { grabStyle } from "../media/frames.js";
import { $, formatSeconds, notify, withNotice } from "./elements.js";
import { getSize, isMoving, moveTo, pause, play, requestPainting } from "./stage.js";
import { announce, state } from "./state.js";

/** @type {import("../painting/painter.js").Painter} */
let painter;
let facing = /** @type {"user" | "environment"} */ ("user");

/** @param {import("../painting/painter.js").Painter} opened */
export function startChoosing(opened) {
  painter = opened;
  $("camera").addEventListener("click", withNotice(() => takeContent(openCamera(facing))));
  $("turn").addEventListener("click", withNotice(() => {
    facing = facing === "user" ? "environment" : "user";
    return takeContent(openCamera(facing));
  }));
  $("content-file").addEventListener("change", withNotice(async () => {
    const [file] = $("content-file").files;
    $("content-file").value = "";
    await takeContent(openFile(file));
  }));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", withNotice(async (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) await takeContent(openFile(file));
  }));
}

/** @param {string} address @param {string} name */
export const takePicture = (address, name) => takeContent(openPicture(address, name));

/** Paint another content from now on. @param {Promise<import("../media/content.js").Content>} opening */
async function takeContent(opening) {
  if (state.content?.kind === "camera") releaseContent(); // a phone opens one camera at a time
  const content = await opening;
  releaseContent();
  state.content = content;
  await painter.setScene(grabStyle(content.element));
  state.moment = 0;
  const { kind, name, width, height, duration } = content;
  $("content-name").textContent = `${name}, ${width} × ${height}${kind === "film" ? `, ${formatSeconds(duration)}` : ""}`;
  $("turn").hidden = kind !== "camera";
  announce("content");
  const large = describeLarge(content, getSize());
  if (large) notify(large);
  if (kind === "camera") await play();
  else moveTo(0);
  requestPainting();
}

function releaseContent() {
  if (isMoving()) pause();
  state.content?.close();
  state.content = null;
}
