"""The page of a rating: two videos, two questions, one hand or a keyboard."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Which is better?</title>
<style>
:root{color-scheme:light dark;--ink:#1c1e22;--ground:#fafaf8;--soft:#5c6068;--line:#d8dade;
--act:#1f63b0;--on:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e4e6ea;--ground:#16181c;--soft:#9a9ea6;
--line:#34383f;--act:#4f93e0;--on:#0c0d10}}
*{box-sizing:border-box}
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;padding:.6rem;max-width:1200px;
color:var(--ink);background:var(--ground);display:flex;flex-direction:column;min-height:100dvh}
h1{font-size:1.25rem;margin:.2rem 0 .6rem;text-align:center}
#pair{display:grid;grid-template-columns:1fr 1fr;gap:.6rem}
figure{margin:0;border:3px solid transparent;border-radius:.5rem;cursor:pointer}
figure.taken{border-color:var(--act)}
video{display:block;width:100%;max-height:62dvh;background:#000;border-radius:.3rem}
#answers{display:grid;grid-template-columns:1fr 1fr 1fr;gap:.6rem;margin-top:.8rem}
button{font:inherit;font-weight:600;min-height:3.2rem;border:1px solid var(--line);
border-radius:.5rem;background:transparent;color:inherit;cursor:pointer;touch-action:manipulation}
button.side{background:var(--act);border-color:var(--act);color:var(--on)}
button:disabled{opacity:.5}
:focus-visible{outline:3px solid var(--act);outline-offset:2px}
p{color:var(--soft);margin:.6rem 0;text-align:center;font-size:.9rem}
p.bad{color:#c03030}
table{border-collapse:collapse;width:100%;font-size:.9rem}
td,th{padding:.3rem .5rem;border-bottom:1px solid var(--line);text-align:right}
td:first-child,th:first-child{text-align:left}
caption{text-align:left;font-weight:600;padding:.6rem 0 .2rem}
.wide{overflow-x:auto}summary{cursor:pointer;padding:.5rem 0}
kbd{border:1px solid var(--line);border-radius:.25rem;padding:0 .3em}
@media(orientation:portrait) and (max-width:700px){#pair{grid-template-columns:1fr}
video{max-height:33dvh}kbd,.keys{display:none}
#answers{position:sticky;bottom:.4rem;background:var(--ground)}}
</style>
<h1 id="question" aria-live="polite">Loading …</h1>
<div id="pair">
<figure id="left"><video muted playsinline loop aria-label="left"></video></figure>
<figure id="right"><video muted playsinline loop aria-label="right"></video></figure>
</div>
<div id="answers">
<button class="side" data-choice="left"><span class="name">Left</span> <kbd>←</kbd></button>
<button data-choice="same">No difference <kbd>↓</kbd></button>
<button class="side" data-choice="right"><span class="name">Right</span> <kbd>→</kbd></button>
</div>
<p id="state" role="status"></p>
<details id="ranking"><summary>Ranking so far</summary>
<div class="wide" id="tables"></div></details>
<script>
"use strict";
const find = name => document.getElementById(name);
const sides = ["left", "right"];
const films = sides.map(side => find(side).querySelector("video"));
const buttons = [...document.querySelectorAll("button")];
let pair = null, answers = {}, busy = true;

async function ask(where, what) {
  const reply = await fetch(where, what);
  const said = await reply.json();
  if (!reply.ok) throw Object.assign(new Error(said.error), {status: reply.status});
  return said;
}
function tell(text, bad) {
  find("state").textContent = text;
  find("state").classList.toggle("bad", Boolean(bad));
}
function hold(yes) {
  busy = yes;
  buttons.forEach(button => { button.disabled = yes; });
}
function open() { return pair.questions.find(one => !(one.name in answers)); }
function show() {
  find("question").textContent = open().text;
  const number = Object.keys(answers).length + 1;
  tell(`Question ${number} of ${pair.questions.length} on this pair · ${pair.votes} answers kept`);
}
function names() {
  const tall = matchMedia("(orientation:portrait) and (max-width:700px)").matches;
  document.querySelectorAll(".name").forEach((one, at) => {
    one.textContent = (tall ? ["Upper", "Lower"] : ["Left", "Right"])[at];
  });
}
async function next() {
  hold(true);
  try {
    pair = await ask("/pair");
    answers = {};
    films.forEach((film, at) => { film.src = `/video/${pair.token}/${sides[at]}`; });
    await Promise.all(films.map(film => new Promise((done, fail) => {
      film.oncanplaythrough = done;
      film.onerror = () => fail(new Error("a video cannot be played by this browser"));
    })));
    films.forEach(film => { film.oncanplaythrough = null; film.currentTime = 0; });
    await Promise.all(films.map(film => film.play().catch(() => {})));
    show();
    hold(false);
  } catch (error) {
    tell(error.message, true);
  }
}
async function choose(choice) {
  if (busy) return;
  answers[open().name] = choice;
  sides.forEach(side => find(side).classList.toggle("taken", side === choice));
  setTimeout(() => sides.forEach(side => find(side).classList.remove("taken")), 250);
  if (open()) { show(); return; }
  hold(true);
  try {
    await ask("/vote", {method: "POST", headers: {"Content-Type": "application/json"},
      body: JSON.stringify({token: pair.token, answers})});
  } catch (error) {
    if (error.status !== 410) { tell(`Not kept: ${error.message}`, true); answers = {};
      hold(false); return; }
  }
  if (find("ranking").open) await rank();
  await next();
}
function row(kind, texts) {
  const line = document.createElement("tr");
  texts.forEach(text => {
    const cell = document.createElement(kind);
    cell.textContent = text;
    line.append(cell);
  });
  return line;
}
async function rank() {
  const said = await ask("/ranking");
  const tables = Object.entries(said.ranking).map(([name, places]) => {
    const table = document.createElement("table");
    table.append(document.createElement("caption"));
    table.caption.textContent = said.questions[name];
    table.append(row("th", ["video", "votes", "place", "preferred", "best of all"]));
    places.forEach(one => table.append(row("td", [one.name, one.votes,
      one.from_place === one.to_place ? one.from_place : `${one.from_place} to ${one.to_place}`,
      `${Math.round(one.share * 100)} %`, `${Math.round(one.best * 100)} %`])));
    return table;
  });
  find("tables").replaceChildren(...tables);
}
buttons.forEach(button => { button.onclick = () => choose(button.dataset.choice); });
sides.forEach(side => { find(side).onclick = () => choose(side); });
find("ranking").ontoggle = () => {
  if (find("ranking").open) rank().catch(error => tell(error.message, true));
};
addEventListener("keydown", event => {
  const keys = {ArrowLeft: "left", ArrowRight: "right", ArrowDown: "same", 1: "left", 2: "right",
    0: "same"};
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!(event.key in keys)) return;
  event.preventDefault();
  choose(keys[event.key]);
});
addEventListener("resize", names);
// Of one length, both begin again together: a head start would be seen.
films[0].onseeked = () => {
  const now = films[0].currentTime;
  if (Math.abs(films[1].currentTime - now) > 0.08) films[1].currentTime = now;
};
names();
next();
</script>
</html>
"""
