// Connects the parts of the page.
import {Drawing} from "./drawing.js";
import {percentile, ratesBetween} from "./figures.js";
import {Follower} from "./follow.js";
import {journey} from "./journey.js";
import {showNarration} from "./narration.js";
import {Playback} from "./playback.js";
import {Plots} from "./plots.js";
import {Recording} from "./recording.js";
import {showRequests} from "./requests.js";
import {load, scenes} from "./scenes.js";
import {explain} from "./shapes.js";
import {watch} from "./stream.js";
import {showState} from "./state.js";
import {duration, endOf} from "./words.js";

const shortestStep = 260;       // ms on the screen, live
const shortestStepPlayed = 420; // ms, in slow motion and scenes
const lengthOfPlay = 14;        // s on the screen that a scene or a request takes
const lengthOfStretch = 20;     // s on the screen of slow motion
const mostNarrated = 12;        // requests


const element = id => document.getElementById(id);
const stillness = matchMedia("(prefers-reduced-motion: reduce)");

const live = new Recording();
const playback = new Playback(live);
const drawing = new Drawing(element("drawing"));
const plots = new Plots();
const follower = new Follower(live, () => playback.bridgeTime(performance.now()), request => {
  const part = live.between(request.began, request.answered);
  part.requests = [request]; // the recording may have forgotten it
  part.wires = part.wires.filter(({what, loop, upstream, at}) => what !== "late reply" && loop === request.loop &&
    upstream === request.upstream && at > request.began && at < request.answered);
  play(part, `The request for ${request.key}, which took ${duration(request.answered - request.began)}.`);
});
let mark = () => {};

// --- what is played

const liveCaption = () => stillness.matches ? "The last requests are in the table below. Scenes are told in words." :
  "A sample of what happens now. Each step is drawn for a quarter of a second at least, so that it can be seen.";

const stepOf = slowness => (playback.isLive ? shortestStep : shortestStepPlayed) * 1000 / slowness;

// Plays a recording so that it takes as long as one likes to look at it, or `slowness` times as long as it took.
function play(recording, caption, slowness, span = recording.span()) {
  const chosen = slowness ?? lengthOfPlay * 1e6 / Math.max(span.to - span.from, 1);
  const step = shortestStepPlayed * 1000 / chosen;
  const ends = recording.requests.map(request => journey(request, step, recording.lossOf(request)).lasts).filter(Number.isFinite);
  const dropped = recording.wires.filter(wire => wire.what === "late reply").map(wire => wire.at + 3 * step);
  const isShort = recording.requests.length <= mostNarrated;
  const to = slowness ? span.to : Math.max(span.to, ...ends, ...dropped);
  playback.play(recording, {from: span.from - step / 2, to}, chosen);
  element("caption").textContent = caption;
  element("narration").hidden = !isShort;
  mark = isShort ? showNarration(element("narration"), recording, span.from) : () => {};
  showControls();
  showRequests(recording);
}

// What was noted last, as long as it takes to fill the screen for a while.
function playSlowly(slowness) {
  const last = live.requests.findLast(request => endOf(request) !== undefined);
  if (!last) {
    element("caption").textContent = "No request has been noted yet.";
    return;
  }
  const length = lengthOfStretch * 1e6 / slowness;
  const span = {from: endOf(last) - length, to: endOf(last)};
  play(live.between(span.from, span.to), `The ${duration(length)} before the last request ended, ${slowness} times as slowly as they were.`, slowness, span);
  select(String(slowness));
}

async function playScene({name, title, text}) {
  const events = await load(name);
  if (!events) {
    element("caption").textContent = `The scene “${title}” cannot be loaded.`;
    return;
  }
  play(Recording.of(events), `${title}: ${text}`);
  select(name);
}

function backToLive() {
  playback.follow();
  element("caption").textContent = liveCaption();
  element("narration").hidden = true;
  mark = () => {};
  showControls();
  select("live");
}

// --- controls

function select(chosen) {
  for (const button of document.querySelectorAll("[data-speed], [data-scene]"))
    button.setAttribute("aria-pressed", String((button.dataset.speed ?? button.dataset.scene) === chosen));
}

function showControls() {
  element("position-label").hidden = element("again").hidden = element("back").hidden = playback.isLive;
  element("pause").textContent = playback.isPaused ? "Go on" : "Pause";
  if (!playback.isLive)
    select("");
}

for (const scene of scenes) {
  const button = document.createElement("button");
  Object.assign(button, {type: "button", textContent: scene.title});
  button.dataset.scene = scene.name;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => playScene(scene));
  element("scenes").append(button);
}
for (const button of document.querySelectorAll("[data-speed]"))
  button.addEventListener("click", () => button.dataset.speed === "live" ? backToLive() : playSlowly(Number(button.dataset.speed)));
element("pause").addEventListener("click", () => {
  if (playback.hasEnded)
    playback.again();
  else
    playback.isPaused = !playback.isPaused;
  showControls();
});
element("again").addEventListener("click", () => {
  playback.again();
  showControls();
});
element("back").addEventListener("click", backToLive);
element("position").addEventListener("input", event => {
  playback.seek(event.target.value / event.target.max);
  showControls();
});

// --- what comes

function take(event, data) {
  live.take(event, data);
  if (event === "hello" || event === "state")
    playback.synchronise(data.now, performance.now(), event === "hello");
  if (event === "hello") {
    element("version").textContent = `${data.version}, protocol ${data.protocol}`;
    element("ask").hidden = !data.can_ask;
  } else if (event === "state") {
    const before = live.states.findLast(state => data.now - state.now >= 2e6) ?? live.states[0];
    showState(live.hello, data, ratesBetween(before, data), part => percentile(before, data, part));
    element("connection").textContent = data.draining ? "stopping" : "live";
    plots.add(data, Date.now() / 1000);
  } else {
    follower.look();
  }
}

watch("/live/events", take, state => {
  element("connection").dataset.state = state;
  element("connection").textContent = state === "live" ? "live" :
    "no stream: the bridge is away, or too many pages are open; trying again";
});

// --- what moves

explain(element("legend"));
element("caption").textContent = liveCaption();

let lastFrame = performance.now();
let lastTable = 0;
function frame(now) {
  playback.advance(performance.now(), now - lastFrame);
  lastFrame = now;
  if (!stillness.matches)
    drawing.show(playback.recording, playback.position, stepOf(playback.slowness), playback.isLive);
  mark(stillness.matches ? playback.to : playback.position);
  showClock();
  if (playback.isLive && !playback.isPaused && now - lastTable > 500) {
    lastTable = now;
    showRequests(live);
  }
  requestAnimationFrame(frame);
}
requestAnimationFrame(frame);

function showClock() {
  const {isLive, isPaused, hasEnded, slowness, from, to, position} = playback;
  const speed = slowness > 1 ? `1/${slowness < 10 ? slowness.toFixed(1) : Math.round(slowness)}` : "full";
  element("stage").dataset.state = hasEnded ? "ended" : isPaused ? "paused" : isLive ? "live" : "playing";
  element("clock").textContent = isLive ? (isPaused ? "paused" : "") :
    `${duration(Math.max(0, position - from))} of ${duration(to - from)}, ${speed} speed${hasEnded ? ", the end" : ""}`;
  if (!isLive && document.activeElement !== element("position") || !isPaused)
    element("position").value = 1000 * (position - from) / Math.max(1, to - from);
}
