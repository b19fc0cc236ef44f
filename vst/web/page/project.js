// A project: everything on the Paint tab as one file, to go on later or elsewhere.
import { $, call, isReady, make, media, say, state, upload } from "./api.js";

let opened = () => {};

export function buildProject(onOpened) {
  opened = onOpened;
  $("save-project").addEventListener("click", saveProject);
  $("project-file").addEventListener("change", async () => {
    const [file] = $("project-file").files;
    if (file) await openProject(file);
    $("project-file").value = "";
  });
}

async function saveProject() {
  if (!isReady()) return say("project-said", "Choose a video and a style first.");
  say("project-said", "Saving…", "hint");
  try {
    const made = await call("pack", state.form);
    for (const one of Object.values(state.files)) if (one.role === "project") delete state.files[one.id];
    state.files[made.id] = made;
    const link = make("a", { href: media(made.id, true), download: true, "data-get": "project" }, "Download it again");
    $("project-said").replaceChildren(make("p", { class: "hint" }, `${made.name} is saved. `, link));
    link.click();
  } catch (error) { say("project-said", error.message); }
}

export async function openProject(file) {
  say("project-said", `${file.name}: being opened…`, "hint");
  try {
    const kept = await upload("project", file, () => {});
    delete state.files[kept.id]; // the server deletes it when it is opened
    const found = await call("unpack", { file: kept.id });
    for (const one of found.files) state.files[one.id] = one;
    for (const style of found.styles) state.styles[style.id] = style;
    opened(found.form);
    say("project-said", `${file.name} is opened.`, "hint");
  } catch (error) { say("project-said", error.message); }
}
