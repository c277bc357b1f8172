// The page: shows the newest document, ticks, says when the connection is lost and when it is back.

import { Charts } from "./charts.js";
import { Live } from "./live.js";
import { children } from "./morph.js";
import { panels } from "./render.js";
import { Rotation } from "./rotate.js";
import { View } from "./view.js";

const IDLE_MS = 4000;
const RELOAD_AGAIN_MS = 30000;

const at = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const seed = JSON.parse(at("seed").textContent);
const view = new View(seed);
const charts = new Charts();
let doc = seed.document;
let lostSince = null;

// The server's clock counts: a wall whose own clock is wrong must not call fresh figures old.
let aheadUs = doc.now_us - Date.now() * 1000;
const nowUs = () => Date.now() * 1000 + aheadUs;

function setText(id, words) {
  if (at(id).textContent !== words) at(id).textContent = words;
}

function show() {
  view.nowUs = nowUs();
  children(at("screen"), panels(view, doc));
  const listed = at("nav").querySelector("[aria-current]") !== null; // a unit's screen is not: its name stands at the top
  document.body.classList.toggle("unlisted", !listed);
  setText("brand", listed ? view.word("brand") : view.text(doc.title));
  setText("place", view.text(doc.place));
  setText("time", view.clock(view.nowUs));
  setText("date", view.date(view.nowUs));
  setText("asof", doc.as_of_us ? view.word("as_of", { time: view.clock(doc.as_of_us) }) : view.word("no_age"));
  charts.draw(view, doc).catch(() => {}); // without charts the totals still stand beside them
}

function link(state) {
  if (state === "lost") lostSince ??= nowUs();
  else lostSince = null;
  document.body.dataset.link = state;
  const place = at("link");
  place.querySelector(".glyph").textContent = state === "live" ? "●" : "■";
  place.querySelector(".text").textContent = state === "live" ? view.word("live") : view.word("lost", { time: view.clock(lostSince) });
}

async function fetched(address) {
  const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(8000) });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer;
}

// A page made by another build is replaced, but only once the server answers, and never over and over.
async function renew() {
  const last = Number(sessionStorage.getItem("renewed") ?? 0);
  if (Date.now() - last < RELOAD_AGAIN_MS) return;
  await fetched(location.href);
  sessionStorage.setItem("renewed", Date.now());
  location.reload();
}

const live = new Live({
  document: (data) => {
    doc = data;
    aheadUs = Math.max(aheadUs, data.now_us - Date.now() * 1000); // a document may have waited, a beat does not
    show();
  },
  beat: (data) => {
    aheadUs = data.now_us - Date.now() * 1000;
    if (data.build !== seed.build) renew().catch(() => {});
  },
  state: link,
});

function follow() {
  live.follow(document.body.dataset.screen); // who may look is told by a cookie, which goes along by itself
}

// Take the next screen's page, which the server has drawn whole, and put its parts in place of ours.
async function advance() {
  const links = [...at("nav").querySelectorAll("a")];
  if (links.length < 2) return;
  const here = links.findIndex((item) => item.hasAttribute("aria-current"));
  const address = links[(here + 1) % links.length].href;
  try {
    const page = new DOMParser().parseFromString(await (await fetched(address)).text(), "text/html");
    const next = JSON.parse(page.getElementById("seed").textContent);
    doc = next.document;
    document.body.dataset.screen = page.body.dataset.screen;
    document.title = page.title;
    for (const id of ["screen", "nav"]) at(id).replaceWith(document.adoptNode(page.getElementById(id)));
    page.querySelectorAll(".switch a").forEach((item, i) => document.querySelectorAll(".switch a")[i].setAttribute("href", item.getAttribute("href")));
    history.replaceState(null, "", address);
    show();
    follow();
  } catch {
    // not reachable: stay; the connection's own message says so
  }
}

let idle;
function awake() {
  document.documentElement.classList.remove("idle");
  clearTimeout(idle);
  idle = setTimeout(() => document.documentElement.classList.add("idle"), IDLE_MS);
}
for (const kind of ["pointermove", "pointerdown", "keydown"]) addEventListener(kind, awake, { passive: true });
awake();

function tick() {
  show();
  setTimeout(tick, 1000 - Math.floor(nowUs() / 1000) % 1000); // with the second, so that the clock never skips one
}

tick();
follow();
if (Number(query.get("rotate")) > 0) new Rotation(Number(query.get("rotate")), advance);
