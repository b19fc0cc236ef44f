// What was measured: a verdict, the library's report in the page's words, its charts by name.
import { call, make, media } from "./api.js";

const MEASURES = {
  warp: "Flicker from frame to frame", "warp-5": "Flicker over 5 frames", "warp-10": "Flicker over 10 frames",
  structure: "Shows what the frames show", "content-structure": "Keeps the video's edges", trail: "Paint left behind", "tile-drift": "Distorted texture",
  sharpness: "Sharpness", "content-ssim": "Likeness to the video", "adjacent-ssim": "Likeness to the frame before",
  "adjacent-ssim-100": "Likeness to the frame before, in parts", variation: "Roughness", style: "Distance from the style",
};

export function showReport(task) {
  const report = make("div", { class: "report" }, make("p", { class: "hint" }, "The report is being fetched…"));
  const verdict = task.outcome.verdict || "";
  call("report", { id: task.id }).then(({ html }) => fill(report, task, html, verdict))
    .catch((error) => report.replaceChildren(make("p", { class: "wrong" }, error.message)));
  return [
    verdict ? make("p", { class: "verdict" }, `${shortenVerdict(verdict, task.title)}.`) : "",
    make("div", { class: "row files" },
      make("a", { class: "button", href: media(task.outcome.report, true), download: true, "data-get": "report" }, "↓ Report")),
    ...task.outcome.warnings.map((text) => make("p", { class: "warned" }, text)), report];
}

function fill(report, task, html, verdict) {
  report.innerHTML = html; // the library's own page, in which every text is escaped
  const first = report.querySelector("h2");
  if (first && first.textContent === verdict) first.remove();
  explainMeasures(report);
  foldSection(report, "What the numbers say");
  dropEmptySections(report);
  for (const name of report.querySelectorAll("th:last-child")) { // of a single video, which is named above
    if (name.textContent === task.title) name.textContent = "value";
  }
  let heading = task.title;
  for (const part of report.querySelectorAll("h2, summary, table")) {
    if (part.tagName !== "TABLE") heading = part.textContent;
    else {
      // a group, not a region: a region is a landmark, and landmarks need different names
      const wide = make("div", { class: "scrolls", tabindex: 0, role: "group", "aria-label": `Table: ${heading}` });
      part.replaceWith(wide);
      wide.append(part);
    }
  }
  const charts = make("div", { class: "charts" });
  for (const curves of report.querySelectorAll(":scope > svg")) {
    const parts = [curves]; // with its heading and everything between
    while (parts[0].tagName !== "H2" && parts[0].previousElementSibling) parts.unshift(parts[0].previousElementSibling);
    curves.setAttribute("role", "img");
    curves.setAttribute("aria-label", `Chart: ${parts[0].textContent}`);
    charts.append(make("div", {}, ...parts));
  }
  report.append(charts);
}

// The card's heading is the file's name, with which the verdict begins.
function shortenVerdict(verdict, name) {
  const rest = verdict.startsWith(`${name} `) ? verdict.slice(name.length + 1) : verdict;
  return rest[0].toUpperCase() + rest.slice(1);
}

// Folds a section of the report that explains more than it shows.
function foldSection(report, title) {
  const first = [...report.querySelectorAll("h2")].find((one) => one.textContent === title);
  if (!first) return;
  const folded = make("details", {}, make("summary", {}, title));
  first.replaceWith(folded);
  while (folded.nextElementSibling && folded.nextElementSibling.tagName !== "H2") folded.append(folded.nextElementSibling);
}

// Measures by what they are about, with their names beside.
function explainMeasures(report) {
  for (const heading of report.querySelectorAll("h2")) {
    const [, name, better] = heading.textContent.match(/^([a-z0-9-]+): (.+)$/) || [];
    if (MEASURES[name]) heading.replaceChildren(`${MEASURES[name]} `, make("small", {}, `${name}, ${better}`));
  }
  for (const cell of report.querySelectorAll("td:first-child")) {
    const [, root, name, better] = cell.textContent.trim().match(/^(√ )?([a-z0-9-]+)(?: \((\w+)\))?$/) || [];
    if (!MEASURES[name]) continue;
    if (root) cell.parentElement.remove(); // it says the same once more; the report to download has it
    else cell.replaceChildren(`${MEASURES[name]} `, make("small", {}, `${name}${better ? `, ${better} is better`.replace("same is better", "the same is best") : ""}`));
  }
}

// A short video has no frames ten apart: nothing is drawn for them.
function dropEmptySections(report) {
  for (const empty of [...report.querySelectorAll(".note")].filter((one) => one.textContent === "no value")) {
    while (empty.previousElementSibling.tagName !== "H2") empty.previousElementSibling.remove();
    empty.previousElementSibling.remove();
    empty.remove();
  }
}
