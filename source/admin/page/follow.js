// The box that sends one request through the bridge and follows it.
import {duration, kindOf, outcomeOf} from "./words.js";

const element = id => document.getElementById(id);
const patience = 5000; // ms for the record of a request that has been answered

// The steps that a request has gone through: [{name, after, took}], in µs since its first byte and since the step before.
export function stepsOf(request) {
  const names = {read: "Read", queued: "Queued", written: "Written", matched: "Reply matched", answered: "Answered"};
  let last = request.began;
  return Object.entries(names).filter(([step]) => request[step] !== undefined).map(([step, name]) => {
    const took = request[step] - last;
    last = request[step];
    return {step, name, after: request[step] - request.began, took};
  });
}

// Asks the bridge when the form is sent. `now()` is the time on the bridge's clock. `watchSlowly(request)` is called for a
// request that shall be seen again.
export class Follower {
  #now;
  #recording; // in which the request will be
  #code;
  #turn = 0;  // which question this is: the answer to an earlier one is of no interest any more
  #id;        // of the request whose record is awaited
  #request;
  #tooLong;

  constructor(recording, now, watchSlowly) {
    this.#recording = recording;
    this.#now = now;
    element("ask-form").addEventListener("submit", event => {
      event.preventDefault();
      this.#ask(element("code").value);
    });
    element("replay").addEventListener("click", () => watchSlowly(this.#request));
  }

  // Shows the request that is followed, once its record is complete. To be called when more has been recorded.
  look() {
    const request = this.#id !== undefined && !this.#request &&
      this.#recording.requests.findLast(({id, answered}) => id === this.#id && answered !== undefined);
    if (!request)
      return;
    clearTimeout(this.#tooLong);
    this.#request = request;
    const steps = stepsOf(request);
    element("followed-steps").replaceChildren(...steps.map(rowOf));
    element("followed-bar").replaceChildren(...steps.map(step => partOf(step, request.answered - request.began)));
    element("followed-steps").closest("table").hidden = false;
    element("followed-bar").hidden = false;
    element("replay").hidden = false;
    this.#say(`${this.#code}: ${outcomeOf(request)} after ${duration(request.answered - request.began)}.`, kindOf(request));
  }

  async #ask(code) {
    const turn = ++this.#turn;
    this.#id = this.#request = undefined;
    this.#code = code;
    clearTimeout(this.#tooLong);
    element("followed").hidden = false;
    element("followed-steps").closest("table").hidden = true;
    element("followed-bar").hidden = true;
    element("replay").hidden = true;
    element("followed-body").textContent = "";
    this.#say(`${code} is on its way.`, "waiting");
    const expected = this.#recording.expect(code, this.#now());
    const response = await fetch("/live/ask", {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify({code}),
    }).catch(() => undefined);
    const answer = response?.ok && await response.json();
    this.#recording.forget(expected);
    if (turn !== this.#turn)
      return;
    if (!answer) {
      this.#say(response ? `The bridge does not take the question: ${response.status}.` : "The bridge cannot be reached.", "failed");
      return;
    }
    const {id, status, body} = answer;
    this.#id = id;
    element("followed-body").textContent = body.trim();
    this.#say(`${code}: ${status}.`, status === 200 ? "answered" : status === 504 ? "timeout" : "failed");
    this.#tooLong = setTimeout(() => this.#say(`${code}: ${status}. Its times have not come with the stream.`, "failed"), patience);
    this.look();
  }

  #say(text, kind) {
    element("followed-answer").textContent = text;
    element("followed-answer").className = kind;
  }
}

function rowOf({step, name, after, took}) {
  const row = document.createElement("tr");
  row.className = step;
  const heading = document.createElement("th");
  heading.scope = "row";
  heading.textContent = name;
  row.append(heading, ...[after, took].map(time => {
    const cell = document.createElement("td");
    cell.textContent = duration(time);
    return cell;
  }));
  return row;
}

// Its length says how much of the whole a step took; even the shortest is seen.
function partOf({step, took}, whole) {
  const part = document.createElement("span");
  part.className = step;
  part.style.flexGrow = Math.max(took / whole, 0.01);
  return part;
}
