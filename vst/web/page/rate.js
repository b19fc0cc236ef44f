// The page of a rating: two videos, two questions, one hand or a keyboard.

const find = name => document.getElementById(name);
const sides = ["left", "right"];
const videos = sides.map(side => find(side).querySelector("video"));
const buttons = [...document.querySelectorAll("button")];
let pair = null, answers = {}, busy = true;

async function call(name, sent = {}) {
  const reply = await fetch(`call/${name}`, { method: "POST",
    headers: { "content-type": "application/json" }, body: JSON.stringify(sent) });
  const said = await reply.json();
  if (!reply.ok) throw Object.assign(new Error(said.error), { status: reply.status });
  return said;
}
function say(text, bad) {
  find("state").textContent = text;
  find("state").classList.toggle("bad", Boolean(bad));
}
function setBusy(yes) {
  busy = yes;
  buttons.forEach(button => { button.disabled = yes; });
}
function findQuestion() { return pair.questions.find(one => !(one.name in answers)); }
function showQuestion() {
  find("question").textContent = findQuestion().text;
  const number = Object.keys(answers).length + 1;
  say(`Question ${number} of ${pair.questions.length} on this pair · ${pair.votes} answers kept`);
}
function nameSides() {
  const tall = matchMedia("(orientation:portrait) and (max-width:700px)").matches;
  document.querySelectorAll(".name").forEach((one, at) => {
    one.textContent = (tall ? ["Upper", "Lower"] : ["Left", "Right"])[at];
  });
}
async function showNextPair() {
  setBusy(true);
  try {
    pair = await call("pair");
    answers = {};
    videos.forEach((video, at) => { video.src = `media/${pair.token}/${sides[at]}`; });
    await Promise.all(videos.map(video => new Promise((done, fail) => {
      video.oncanplaythrough = done;
      video.onerror = () => fail(new Error("a video cannot be played by this browser"));
    })));
    videos.forEach(video => { video.oncanplaythrough = null; video.currentTime = 0; });
    await Promise.all(videos.map(video => video.play().catch(() => {})));
    showQuestion();
    setBusy(false);
  } catch (error) {
    say(error.message, true);
  }
}
async function choose(choice) {
  if (busy) return;
  answers[findQuestion().name] = choice;
  sides.forEach(side => find(side).classList.toggle("taken", side === choice));
  setTimeout(() => sides.forEach(side => find(side).classList.remove("taken")), 250);
  if (findQuestion()) { showQuestion(); return; }
  setBusy(true);
  try {
    await call("vote", { token: pair.token, answers });
  } catch (error) {
    if (error.status !== 410) { say(`Not kept: ${error.message}`, true); answers = {};
      setBusy(false); return; }
  }
  if (find("ranking").open) await showRanking();
  await showNextPair();
}
function makeRow(kind, texts) {
  const line = document.createElement("tr");
  texts.forEach(text => {
    const cell = document.createElement(kind);
    cell.textContent = text;
    line.append(cell);
  });
  return line;
}
async function showRanking() {
  const said = await call("ranking");
  const tables = Object.entries(said.ranking).map(([name, places]) => {
    const table = document.createElement("table");
    table.append(document.createElement("caption"));
    table.caption.textContent = said.questions[name];
    table.append(makeRow("th", ["video", "votes", "place", "preferred", "best of all"]));
    places.forEach(one => table.append(makeRow("td", [one.name, one.votes,
      one.from_place === one.to_place ? one.from_place : `${one.from_place} to ${one.to_place}`,
      `${Math.round(one.share * 100)} %`, `${Math.round(one.best * 100)} %`])));
    return table;
  });
  find("tables").replaceChildren(...tables);
}
buttons.forEach(button => { button.onclick = () => choose(button.dataset.choice); });
sides.forEach(side => { find(side).onclick = () => choose(side); });
find("ranking").ontoggle = () => {
  if (find("ranking").open) showRanking().catch(error => say(error.message, true));
};
addEventListener("keydown", event => {
  const keys = {ArrowLeft: "left", ArrowRight: "right", ArrowDown: "same", 1: "left", 2: "right",
    0: "same"};
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!(event.key in keys)) return;
  event.preventDefault();
  choose(keys[event.key]);
});
addEventListener("resize", nameSides);
// Of one length, both begin again together: a head start would be seen.
videos[0].onseeked = () => {
  const now = videos[0].currentTime;
  if (Math.abs(videos[1].currentTime - now) > 0.08) videos[1].currentTime = now;
};
nameSides();
showNextPair();
