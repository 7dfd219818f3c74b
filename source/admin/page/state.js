// The figures of this moment, the upstreams and the outcomes.
import {count, duration, plain, rate, stateOf} from "./words.js";

const element = id => document.getElementById(id);

function cell(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

// `rates` are those of the last seconds, and `percentile(part)` gives the duration of a part of their requests.
export function showState(hello, state, rates, percentile) {
  element("figure-rate").textContent = rate(rates && rates.ok + rates.failed);
  element("figure-failed").textContent = rate(rates?.failed);
  element("figure-failed").classList.toggle("bad", rates?.failed > 0);
  element("figure-median").textContent = duration(percentile(0.5));
  element("figure-slow").textContent = duration(percentile(0.99));
  element("figure-waiting").textContent = count(state.waiting);
  element("figure-backlog").textContent = count(state.backlog);
  element("figure-sessions").textContent = count(state.sessions);
  showUpstreams(hello.upstreams, state.upstreams);
  showOutcomes(state);
}

function showUpstreams(addresses, upstreams) {
  element("upstreams-list").replaceChildren(...upstreams.map((upstream, index) => {
    const {connections, connected, in_flight} = upstream;
    const {word, isGood} = stateOf(upstream);
    const entry = document.createElement("li");
    entry.append(cell("strong", addresses[index]), cell("span", word, isGood ? "good" : "bad"),
      cell("span", `${count(connected)} of ${count(connections)} connections, ${count(in_flight)} in flight`));
    return entry;
  }));
}

function showOutcomes({outcomes, replies}) {
  const entries = [...Object.entries(outcomes), ["dropped replies", replies.late], ["unreadable replies", replies.unreadable]];
  element("outcomes").replaceChildren(...entries.filter(([name, total]) => total > 0 || name === "reply").map(([name, total]) => {
    const entry = document.createElement("div");
    entry.append(cell("dt", plain(name)), cell("dd", count(total)));
    return entry;
  }));
}
