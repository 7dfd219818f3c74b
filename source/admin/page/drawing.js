// The drawing: the bridge between sessions and upstreams, and what moves through it.
import {journey, placeOfDropped, placeOfMessage, placeOfRequest} from "./journey.js";
import {along, rowsOfSessions} from "./layout.js";
import {Rows} from "./places.js";
import {Room} from "./room.js";
import {Routes} from "./routes.js";
import {messageShape, requestShape, setTimeLeft} from "./shapes.js";
import {svg} from "./svg.js";
import {endOf, kindOf, outcomeOf} from "./words.js";

const mostRequests = 28; // at a time; more could not be told apart
const mostDropped = 12;  // likewise, of the replies that nobody waits for
const crowdedFrom = 18;  // from then on they are small, and without words
const longJourney = 8;   // legs
const urgent = 0.25;     // of the time is left

export class Drawing {
  #root = svg("svg", {role: "img", "aria-label": "Drawing of the requests on their way through the bridge. The table of the last requests says the same in words."});
  #moving = svg("g");
  #width;
  #hello; // of the bridge that is drawn
  #room;
  #routes;
  #sessions;
  #channels;
  #travellers = new Map(); // what moves, by its request or wire event
  #time = 0;
  #isLive;

  constructor(container) {
    container.append(this.#root);
    new ResizeObserver(([{contentRect}]) => {
      this.#width = Math.floor(contentRect.width);
      this.#hello = undefined; // to be drawn anew
    }).observe(container);
  }

  // Shows `recording` as it was at `time`, each step drawn for at least `leg`.
  show(recording, time, leg, isLive) {
    if (!this.#width || recording.hello.upstreams.length === 0)
      return;
    const isNew = recording.hello !== this.#hello;
    if (isNew)
      this.#build(recording.hello);
    const hasJumped = isNew || time < this.#time || time - this.#time > longJourney * leg;
    if (hasJumped)
      this.#clear();
    this.#time = time;
    this.#isLive = isLive;
    this.#room.show(recording, time, isLive);

    const seen = new Set();
    for (const request of recording.requests) {
      if (request.began > time || (endOf(request) ?? Infinity) + 3 * longJourney * leg < time)
        continue;
      const way = journey(request, leg, recording.lossOf(request));
      const traveller = way.lasts > time && (this.#travellers.get(request) ?? this.#addRequest(request, way, hasJumped));
      if (traveller) {
        seen.add(request);
        this.#showRequest(request, way, traveller);
      }
    }
    // Those that are under way go on; another one begins where there is room for it.
    const isDropped = subject => subject.what === "late reply";
    let dropped = [...this.#travellers.keys()].filter(isDropped).length;
    for (const wire of recording.wires.filter(isDropped)) {
      const place = placeOfDropped(wire, leg, time);
      const isUnderWay = this.#travellers.has(wire);
      const begins = !isUnderWay && time < wire.at + leg && dropped < mostDropped;
      if (place && (isUnderWay || begins)) {
        dropped += begins ? 1 : 0;
        seen.add(wire);
        this.#showDropped(wire, place);
      }
    }
    for (const subject of this.#travellers.keys())
      if (!seen.has(subject))
        this.#remove(subject);
    this.#root.classList.toggle("crowded", this.#travellers.size > crowdedFrom);
  }

  #build(hello) {
    this.#hello = hello;
    this.#room = new Room(hello, this.#width);
    const {width, height, isNarrow} = this.#room.layout;
    for (const [name, value] of Object.entries({viewBox: `0 0 ${width} ${height}`, width, height}))
      this.#root.setAttribute(name, value);
    this.#root.classList.toggle("narrow", isNarrow);
    this.#root.replaceChildren(this.#room.element, this.#moving);
  }

  #clear() {
    this.#routes = new Routes(this.#room);
    this.#sessions = new Rows(rowsOfSessions);
    this.#channels = new Rows(rowsOfSessions);
    this.#travellers.clear();
    this.#moving.replaceChildren();
    this.#nameRows();
  }

  #nameRows() {
    this.#room.nameRows("session", this.#sessions.names());
    this.#room.nameRows("channel", this.#channels.names());
  }

  #showRequest(request, way, traveller) {
    const at = placeOfRequest(way, this.#time);
    this.#move(traveller.request, traveller, at);
    if (at)
      this.#dress(traveller.request, request, at);
    if (traveller.message)
      this.#move(traveller.message, traveller, placeOfMessage(way, this.#time), way.message.waitsAtGate);
  }

  // Of those who begin, a sample is taken: as many as can be told apart, and as there are rows for. Gives the one that was
  // added, or undefined.
  #addRequest(request, way, hasJumped) {
    const {key = "?", session, asked_here} = request;
    const begins = hasJumped || this.#time < way.waits || way.arrives - way.starts > longJourney * (way.waits - way.starts);
    const requests = [...this.#travellers.values()].filter(traveller => traveller.request);
    if (!asked_here && (!begins || requests.length >= mostRequests))
      return undefined;
    // Live, a row is kept for one that is sent from here. One that is refused never comes to a channel.
    const keepsLast = this.#isLive && !asked_here;
    const rows = {session: this.#sessions.take(session, keepsLast)};
    rows.channel = way.wasAsked && rows.session !== undefined ? this.#channels.take(key, keepsLast) : undefined;
    if (rows.session === undefined || way.wasAsked && rows.channel === undefined) {
      this.#giveBack(rows);
      return undefined;
    }
    const traveller = {
      ...rows,
      wire: this.#room.wireFor(request),
      request: requestShape(`${key} of session ${session}`),
      message: way.message && messageShape(key),
    };
    this.#add(request, traveller);
    this.#nameRows();
    return traveller;
  }

  #giveBack({session, channel}) {
    if (session !== undefined)
      this.#sessions.giveBack(session);
    if (channel !== undefined)
      this.#channels.giveBack(channel);
  }

  #showDropped(wire, place) {
    let traveller = this.#travellers.get(wire);
    if (!traveller) {
      traveller = {wire: this.#room.wireFor(wire), message: messageShape(wire.key)};
      traveller.message.classList.add("dropped");
      this.#add(wire, traveller);
    }
    this.#move(traveller.message, traveller, place);
  }

  // What a request looks like: by the time that it has left, and then by what became of it.
  #dress(shape, request, at) {
    const {key = "?", began, read = began, asked_here} = request;
    const left = 1 - (Math.min(this.#time, endOf(request) ?? Infinity) - read) / this.#hello.reply_timeout;
    const kind = at.isAnswer ? kindOf(request) : left < urgent ? "waits urgent" : "waits";
    shape.setAttribute("class", `request ${kind}${asked_here ? " mine" : ""}`);
    setTimeLeft(shape, left);
    if (at.isAnswer)
      shape.querySelector("title").textContent = `${key}: ${outcomeOf(request)}`;
  }

  #move(shape, traveller, at, waitsAtGate) {
    shape.toggleAttribute("hidden", !at);
    if (!at) {
      this.#routes.leave(shape);
      return;
    }
    shape.classList.toggle("reply", at.isReply === true);
    const [x, y] = along(this.#routes.points(shape, traveller, at, waitsAtGate), at.part);
    shape.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    shape.setAttribute("opacity", (1 - (at.fades ?? 0)).toFixed(2));
  }

  #add(subject, traveller) {
    this.#travellers.set(subject, traveller);
    this.#moving.append(...[traveller.message, traveller.request].filter(Boolean));
  }

  #remove(subject) {
    const traveller = this.#travellers.get(subject);
    const {request, message} = traveller;
    this.#giveBack(traveller);
    for (const shape of [request, message].filter(Boolean)) {
      this.#routes.leave(shape);
      shape.remove();
    }
    this.#travellers.delete(subject);
  }
}
