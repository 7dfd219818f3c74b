// The drawing: the bridge between sessions and upstreams, and what moves through it.
import {journey, placeOfDropped, placeOfMessage, placeOfRequest} from "./journey.js";
import {along, layout, rowsOfSessions, wiresOf} from "./layout.js";
import {Rows, Slots} from "./places.js";
import {messageShape, requestShape, setTimeLeft} from "./shapes.js";
import {svg} from "./svg.js";
import {count, kindOf, outcomeOf, shortCount, stateOf} from "./words.js";

const mostRequests = 28;   // at a time; more could not be told apart
const crowdedFrom = 18;    // from then on they are small, and without words
const longJourney = 8;     // legs

// Writes the first of some texts that fits into `width`, or what fits of the last. Measures only what is new.
function write(element, width, ...texts) {
  const wanted = `${width} ${texts[0]}`;
  if (element.wanted === wanted)
    return;
  element.wanted = wanted;
  const fits = text => {
    element.textContent = text;
    return element.getComputedTextLength() <= width;
  };
  if (texts.some(fits))
    return;
  for (let text = texts.at(-1); text.length > 1 && !fits(`${text}…`);)
    text = text.slice(0, -1);
}

export class Drawing {
  #root = svg("svg", {role: "img", "aria-label": "Drawing of the requests on their way through the bridge. The table of the last requests says the same in words."});
  #room = svg("g");
  #moving = svg("g");
  #travellers = new Map(); // what moves, by its request or wire event
  #recording;
  #hello;
  #time = 0;

  constructor(container) {
    this.#root.append(this.#room, this.#moving);
    container.append(this.#root);
    new ResizeObserver(([{contentRect}]) => {
      if (contentRect.width > 0)
        this.#resize(Math.floor(contentRect.width));
    }).observe(container);
  }

  // Shows `recording` as it was at `time`, each step drawn for at least `leg`. Gives how many requests it shows.
  show(recording, time, leg) {
    if (this.#width === undefined)
      return 0;
    const isNew = recording !== this.#recording || recording.hello !== this.#hello;
    if (isNew)
      this.#build(recording);
    const jumped = isNew || time < this.#time || time - this.#time > longJourney * leg;
    if (jumped)
      this.#clear();
    this.#time = time;
    this.#showFigures(time);
    this.#showWires(time);

    const seen = new Set();
    for (const request of recording.requests) {
      if (request.began > time || (request.answered ?? Infinity) + 3 * longJourney * leg < time)
        continue;
      const way = journey(request, leg);
      if (way.lasts > time && this.#hasPlaceFor(request, way, jumped)) {
        seen.add(request);
        this.#showRequest(request, way);
      }
    }
    for (const wire of recording.wires) {
      const place = wire.what.endsWith("reply") && placeOfDropped(wire, leg, time);
      if (place) {
        seen.add(wire);
        this.#showDropped(wire, place);
      }
    }
    for (const [subject, traveller] of this.#travellers)
      if (!seen.has(subject))
        this.#remove(subject, traveller);
    this.#root.classList.toggle("crowded", this.#travellers.size > crowdedFrom);
    return this.#travellers.size;
  }

  #width;
  #layout;
  #wires = [];
  #sessions;
  #channels;
  #slots = {};

  #resize(width) {
    if (width === this.#width)
      return;
    this.#width = width;
    if (this.#recording)
      this.#build(this.#recording);
  }

  // --- what stands still

  #build(recording) {
    this.#recording = recording;
    this.#hello = recording.hello;
    this.#wires = wiresOf(recording.hello);
    const upstreams = new Set(this.#wires.map(wire => wire.upstream)).size || 1;
    const l = this.#layout = layout(this.#width, upstreams, this.#wires.length / upstreams || 1);
    this.#root.setAttribute("viewBox", `0 0 ${l.width} ${l.height}`);
    this.#root.setAttribute("width", l.width);
    this.#root.setAttribute("height", l.height);
    this.#root.classList.toggle("narrow", l.isNarrow);
    this.#clear();

    const rows = l.columns ?? rowsOfSessions;
    const title = (name, words) => l.titles[name] ? [svg("text", {class: `title of-${name}`, x: l.titles[name][0], y: l.titles[name][1]}, words)] : [];
    const box = ({x, y, width, height}, name) => svg("rect", {class: name, x, y, width, height, rx: 6});
    this.#room.replaceChildren(
      box(l.bridge, "bridge"), box(l.gate, "gate"), box(l.dropped, "tray"),
      ...title("sessions", "Sessions"), ...title("channels", "Channels"), ...title("gate", "Backlog"),
      ...title("dropped", "Dropped"), ...title("wires", "Wires"), ...title("upstreams", "Upstreams"),
      ...Array.from({length: rows}, (_, row) => this.#rowOf("session", l.session(row))),
      ...Array.from({length: rows}, (_, row) => this.#rowOf("channel", l.channel(row))),
      ...this.#wires.map((wire, index) => this.#wireOf(wire, index)),
      ...Array.from({length: upstreams}, (_, index) => this.#upstreamOf(index)));
  }

  #rowOf(name, {x, y, width, height}) {
    const isChannelAbove = this.#layout.isNarrow && name === "channel";
    return svg("g", {class: `row ${name} empty`},
      svg("rect", {x, y, width, height, rx: name === "session" ? height / 2 : 5}),
      svg("text", {x: x + 10, y: isChannelAbove ? y + 18 : y + height / 2 + 4}));
  }

  #wireOf({loop}, index) {
    const l = this.#layout;
    const lines = [-1, 1].map(lane => {
      const [[x1, y1], [x2, y2]] = l.wire(index, lane);
      return svg("line", {x1, y1, x2, y2});
    });
    const [out, back] = [l.wire(index, -1), l.wire(index, 1)];
    const [x, y] = [0, 1].map(axis => (out[0][axis] + out[1][axis] + back[0][axis] + back[1][axis]) / 4);
    const isTight = l.isNarrow && this.#wires.length > 3;
    const name = loop === undefined || this.#hello.loops === 1 ? "" : isTight ? `${loop}` : `loop ${loop}`;
    return svg("g", {class: "wire"}, ...lines,
      svg("path", {class: "arrow", d: "M-5-4 3 0-5 4", transform: l.isNarrow ? `translate(${out[1]}) translate(0 -6) rotate(90)` : `translate(${out[1]}) translate(-6 0)`}),
      svg("path", {class: "arrow", d: "M-5-4 3 0-5 4", transform: l.isNarrow ? `translate(${back[0]}) translate(0 6) rotate(-90)` : `translate(${back[0]}) translate(6 0) rotate(180)`}),
      svg("path", {class: "break", d: "M-7-7 7 7M7-7-7 7", transform: `translate(${x} ${y})`}),
      svg("text", {class: "loop", x: l.isNarrow ? x : out[0][0] + 10, y: l.isNarrow ? out[0][1] + 14 : out[0][1] - 13}, name));
  }

  #upstreamOf(index) {
    const {x, y, width, height} = this.#layout.upstream(index);
    return svg("g", {class: "upstream"},
      svg("rect", {x, y, width, height, rx: 6}),
      svg("text", {class: "address", x: x + 10, y: y + 20}),
      svg("text", {class: "state", x: x + 10, y: y + 38}));
  }

  #write(selector, words) {
    const element = this.#room.querySelector(selector);
    if (element && element.textContent !== words)
      element.textContent = words;
  }

  #showFigures(time) {
    const state = this.#recording.stateAt(time);
    if (!state)
      return;
    this.#write(".of-sessions", `Sessions ${shortCount(state.sessions)}`);
    this.#write(".of-channels", `Channels, ${shortCount(state.waiting)} ${state.waiting === 1 ? "waits" : "wait"}`);
    this.#write(".of-gate", `Backlog ${shortCount(state.backlog)}`);
    this.#write(".of-dropped", `Dropped ${shortCount(state.replies.late)}`);
  }

  #showWires(time) {
    const state = this.#recording.stateAt(time);
    const shapes = this.#room.querySelectorAll(".wire");
    this.#wires.forEach(({upstream, loop}, index) => {
      const connected = this.#recording.isConnected(loop, upstream, time);
      shapes[index].classList.toggle("lost", !connected);
    });
    this.#room.querySelectorAll(".upstream").forEach((shape, index) => {
      const of = state?.upstreams?.[index];
      const {word, isGood} = of ? stateOf(of) : {word: "", isGood: true};
      shape.classList.toggle("lost", !isGood);
      const {width} = this.#layout.upstream(index), sign = isGood ? "●" : "✕", inFlight = `${count(of?.in_flight)} in flight`;
      write(shape.querySelector(".address"), width - 16, this.#hello.upstreams[index] ?? "");
      write(shape.querySelector(".state"), width - 16, `${sign} ${word}, ${inFlight}`, `${sign} ${inFlight}`);
    });
  }

  // --- what moves

  #clear() {
    const rows = this.#layout.columns ?? rowsOfSessions;
    this.#sessions = new Rows(rows);
    this.#channels = new Rows(rows);
    this.#slots = {};
    this.#travellers.clear();
    this.#moving.replaceChildren();
    this.#nameRows("session", this.#sessions);
    this.#nameRows("channel", this.#channels);
  }

  // Whoever is on the way stays in the drawing. Of those who begin, a sample is taken when there are too many.
  #hasPlaceFor(request, way, jumped) {
    if (this.#travellers.has(request) || request.asked_here)
      return true;
    const begins = jumped || this.#time < way.waits || way.arrives - way.starts > longJourney * (way.waits - way.starts);
    return begins && this.#travellers.size < mostRequests;
  }

  #travellerOf(subject, make) {
    if (!this.#travellers.has(subject)) {
      const traveller = make();
      this.#travellers.set(subject, traveller);
      this.#moving.append(...[traveller.message, traveller.request].filter(Boolean));
    }
    return this.#travellers.get(subject);
  }

  #showRequest(request, way) {
    const traveller = this.#travellerOf(request, () => {
      const session = this.#sessions.rowOf(request.session);
      const made = {
        session,
        // A request that is refused never comes to a channel.
        channel: way.wasAsked ? this.#channels.rowOf(request.key ?? "?") : session,
        wire: this.#wireFor(request),
        request: requestShape(`${request.key ?? "request"} of session ${request.session}`),
        message: way.message && messageShape(request.key ?? "?"),
      };
      this.#nameRows("session", this.#sessions);
      this.#nameRows("channel", this.#channels);
      return made;
    });
    if (way.message && !traveller.message) { // it was not known yet that there is one
      traveller.message = messageShape(request.key ?? "?");
      this.#moving.prepend(traveller.message);
    }
    traveller.wire = this.#wireFor(request);

    const at = placeOfRequest(way, this.#time);
    this.#place(traveller.request, traveller, at);
    if (at) {
      const kind = at.isAnswer ? kindOf(request) : "waits";
      traveller.request.setAttribute("class", `request ${kind}${request.asked_here ? " mine" : ""}`);
      const timeout = this.#hello.reply_timeout || Infinity;
      const left = 1 - (Math.min(this.#time, request.answered ?? Infinity) - (request.read ?? request.began)) / timeout;
      setTimeLeft(traveller.request, at.isAnswer ? 0 : left);
      traveller.request.classList.toggle("urgent", !at.isAnswer && left < 0.25);
      if (at.isAnswer && !at.fades)
        traveller.request.querySelector("title").textContent = `${request.key ?? "request"}: ${outcomeOf(request)}`;
    }
    const there = placeOfMessage(way, this.#time);
    if (traveller.message)
      this.#place(traveller.message, traveller, there, way.message);
  }

  #showDropped(wire, place) {
    const traveller = this.#travellerOf(wire, () => ({wire: this.#wireFor(wire), message: messageShape(wire.key ?? "?")}));
    this.#place(traveller.message, traveller, place);
    traveller.message.classList.add("dropped");
  }

  #wireFor({upstream, loop}) {
    const exact = this.#wires.findIndex(wire => wire.upstream === upstream && wire.loop === loop);
    const near = exact === -1 ? this.#wires.findIndex(wire => wire.upstream === upstream) : exact;
    if (near !== -1)
      return near;
    const ofLoop = this.#wires.findIndex(wire => wire.loop === loop);
    return Math.max(0, ofLoop);
  }

  #place(shape, traveller, at, message) {
    shape.toggleAttribute("hidden", !at);
    if (!at) {
      this.#giveBack(shape);
      return;
    }
    shape.classList.toggle("reply", at.isReply === true);
    const [x, y] = along(this.#pathOf(shape, traveller, at, message), at.part);
    shape.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    shape.setAttribute("opacity", (1 - (at.fades ?? 0)).toFixed(2));
  }

  // The points between two places. A wire is entered and left at its ends, on the lane of the direction.
  #pathOf(shape, traveller, {from, to, isReply}, message) {
    const l = this.#layout, wire = Math.min(traveller.wire, this.#wires.length - 1);
    const target = this.#target(shape, traveller, to, message);
    if (from === to)
      return [target, target];
    if (from === "session" || from === "door")
      return [from === "session" ? l.atSession(traveller.session) : l.atDoor(traveller.session), target];
    const start = shape.stood?.[from];
    if (from === "upstream")
      return [start ?? l.atUpstream(this.#wires[wire].upstream, 0), ...l.wire(wire, 1).toReversed(), target];
    if (from === "gate" && to === "upstream")
      return [start ?? l.throughGate(wire), ...l.wire(wire, -1), target];
    if (from === "gate")
      return [l.throughGate(wire), target];
    return [shape === traveller.request ? start ?? l.atChannel(traveller.channel, 0) : l.atExit(traveller.channel), target];
  }

  // Where `shape` goes or stands. In a queue it takes a place, and remembers it for when it goes on.
  #target(shape, traveller, place, message) {
    const l = this.#layout, wire = Math.min(traveller.wire, this.#wires.length - 1);
    const waitsAtGate = message && message.onWire - message.atGate > (message.atGate - message.leaves) / 2;
    const stand = (queue, pointOf, most = Infinity) => {
      const point = pointOf(Math.min(this.#slotOf(shape, queue), most - 1));
      shape.stood = {...shape.stood, [place]: point};
      return point;
    };
    if (place === "channel" && shape === traveller.request)
      return stand(`channel ${traveller.channel}`, slot => l.atChannel(traveller.channel, slot), l.slotsOfChannel);
    if (place === "gate" && waitsAtGate)
      return stand("gate", l.atGate, l.slotsOfGate);
    if (place === "upstream") {
      const {upstream} = this.#wires[wire];
      return stand(`upstream ${upstream}`, slot => l.atUpstream(upstream, slot));
    }
    this.#giveBack(shape);
    if (place === "session")
      return l.atSession(traveller.session);
    if (place === "door")
      return l.atDoor(traveller.session);
    if (place === "dropped")
      return l.atDropped;
    return place === "gate" ? l.throughGate(wire) : l.atChannel(traveller.channel, 0);
  }

  // A shape keeps one place at a time, where it stands or where it is going to.
  #slotOf(shape, place) {
    if (shape.place !== place)
      this.#giveBack(shape);
    shape.place = place;
    this.#slots[place] ??= new Slots();
    return this.#slots[place].take(shape);
  }

  #giveBack(shape) {
    this.#slots[shape.place]?.giveBack(shape);
    shape.place = undefined;
  }

  #remove(subject, traveller) {
    for (const shape of [traveller.request, traveller.message].filter(Boolean)) {
      this.#giveBack(shape);
      shape.remove();
    }
    this.#travellers.delete(subject);
  }

  #nameRows(kind, rows) {
    this.#room.querySelectorAll(`.row.${kind}`).forEach((shape, row) => {
      const name = rows.names()[row];
      shape.classList.toggle("empty", name === undefined);
      const key = String(name ?? "");
      const words = kind === "channel" ? (key.length > 6 ? `…${key.slice(-4)}` : key) :
        typeof name === "string" ? name : this.#layout.isNarrow ? `# ${key}` : `session ${key}`;
      shape.querySelector("text").textContent = name === undefined ? "" : words;
    });
  }
}
