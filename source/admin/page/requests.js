// The table of the last requests: what the drawing shows, in words and figures.
import {count, duration, endOf, kindOf, outcomeOf} from "./words.js";

const rows = 16;
const mostWaiting = 5;
const steps = ["read", "queued", "written", "matched", "answered"];

function cell(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

function rowOf(request, upstreams) {
  const row = document.createElement("tr");
  row.className = kindOf(request) + (request.asked_here ? " mine" : "");
  const key = cell("th", request.key ?? "–");
  key.scope = "row";
  const since = step => request[step] === undefined ? "–" : duration(request[step] - request.began);
  row.append(key, cell("td", request.session), cell("td", upstreams[request.upstream] ?? "–"),
    ...steps.map(step => cell("td", since(step))), cell("td", outcomeOf(request)));
  return row;
}

// Shows the last requests of `recording`: some of those that wait, and those that ended last.
export function showRequests(recording) {
  const newest = recording.requests.toReversed();
  const waiting = newest.filter(request => endOf(request) === undefined).slice(0, mostWaiting);
  const ended = newest.filter(request => endOf(request) !== undefined).sort((one, other) => endOf(other) - endOf(one));
  const shown = [...waiting, ...ended].slice(0, rows);
  document.getElementById("requests-note").textContent = "Times count from the first byte of the request." +
    (recording.dropped > 0 ? ` ${count(recording.dropped)} events came faster than they could be kept, and are missing.` : "");
  document.getElementById("requests-rows").replaceChildren(...shown.map(request => rowOf(request, recording.hello.upstreams)));
}
