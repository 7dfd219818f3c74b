// A recording in words: each step with its time.
import {duration, kindOf, plain} from "./words.js";

// The steps of all requests and connections from a time on, in order: [{at, text}].
export function narrate(recording, from) {
  const {hello, requests, wires} = recording;
  const address = upstream => hello.upstreams[upstream] ?? "the upstream";
  const steps = [];
  const say = (at, text) => at >= from && steps.push({at, text});
  for (const request of requests) {
    const {key, session, upstream, read, queued, written, matched, answered, given_up, status} = request;
    say(read ?? request.began, `Session ${session} has read a request for ${key}.`);
    if (written === undefined && matched !== undefined)
      say(queued, `${key} has been asked for already: session ${session} shares that message.`);
    else if (!(written - queued <= 1000) && recording.lossOf(request) === undefined)
      say(queued, `The message ${key} waits in the backlog.`);
    const again = recording.lossOf(request) < written ? " again" : "";
    say(written, `The message ${key} is written${again} to ${address(upstream)}.`);
    say(matched, `The reply for ${key} is there and finds the request of session ${session}.`);
    say(given_up, `The client of session ${session} ${request.outcome === "abandoned" ? "has hung up" : "does not take the answer"}.`);
    say(answered, kindOf(request) === "timeout" ? `The time is up: session ${session} answers ${status}.` :
      `Session ${session} answers ${status}${request.outcome && request.outcome !== "reply" ? `, ${plain(request.outcome)}` : ""}.`);
  }
  for (const {at, upstream, what, key, reason} of wires) {
    const words = {
      "late reply": `A reply for ${key} comes for which nobody waits, and is dropped.`,
      "connected": `The connection to ${address(upstream)} stands.`,
      "lost": `The connection to ${address(upstream)} is lost${reason ? `: ${plain(reason)}` : ""}.`,
    };
    say(at, words[what] ?? `${address(upstream)}: ${plain(what)}${key ? `, ${key}` : ""}.`);
  }
  return steps.sort((one, other) => one.at - other.at);
}

// Fills `list` with the steps of `recording`, timed from `from`. Gives a function that marks those that have happened at
// a time.
export function showNarration(list, recording, from) {
  const steps = narrate(recording, from);
  const items = steps.map(({at, text}) => {
    const item = document.createElement("li");
    const time = document.createElement("span");
    time.className = "time";
    time.textContent = duration(Math.max(0, at - from));
    item.append(time, text);
    return item;
  });
  list.replaceChildren(...items);
  let marked = -1;
  return now => {
    const happened = steps.findLastIndex(step => step.at <= now);
    if (happened === marked)
      return;
    marked = happened;
    items.forEach((item, index) => {
      item.classList.toggle("happened", index <= happened);
      item.toggleAttribute("aria-current", index === happened);
    });
    const current = items[happened];
    if (current) // inside the list only: the page itself stays where it is
      list.scrollTop = current.offsetTop - list.clientHeight / 2;
  };
}
