// What stands still in the drawing: the bridge with its rows, the wires, the upstreams; and the figures in it.
import {layout, rowsOfSessions, wiresOf} from "./layout.js";
import {svg} from "./svg.js";
import {count, shortCount, stateOf} from "./words.js";

const titles = {sessions: "Sessions", channels: "Channels", gate: "Backlog", dropped: "Dropped", wires: "Wires", upstreams: "Upstreams"};
const arrow = "M-5-4 3 0-5 4", cross = "M-7-7 7 7M7-7-7 7";

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

export class Room {
  element = svg("g");
  #hello;

  // For a bridge of which `hello` tells, in a drawing as wide as `width`.
  constructor(hello, width) {
    this.#hello = hello;
    this.wires = wiresOf(hello);
    const upstreams = new Set(this.wires.map(wire => wire.upstream)).size;
    const l = this.layout = layout(width, upstreams, this.wires.length / upstreams);

    const box = (name, {x, y, width, height}) => svg("rect", {class: name, x, y, width, height, rx: 6});
    const times = (number, make) => Array.from({length: number}, (_, index) => make(index));
    this.element.append(
      box("bridge", l.bridge), box("gate", l.gate), box("tray", l.dropped),
      ...Object.entries(l.titles).map(([name, [x, y]]) => svg("text", {class: `title of-${name}`, x, y}, titles[name])),
      ...times(rowsOfSessions, row => this.#rowOf("session", l.session(row))),
      ...times(rowsOfSessions, row => this.#rowOf("channel", l.channel(row))),
      ...this.wires.map((wire, index) => this.#wireOf(wire, index)),
      ...times(upstreams, index => this.#upstreamOf(l.upstream(index))));
  }

  // The number of the wire that a request or an event belongs to: of its loop and upstream, or as near as is known.
  wireFor({upstream, loop}) {
    const candidates = [wire => wire.upstream === upstream && wire.loop === loop, wire => wire.upstream === upstream,
      wire => wire.loop === loop, () => true];
    return candidates.map(fits => this.wires.findIndex(fits)).find(index => index !== -1);
  }

  // Writes the names of sessions or channels on their rows; a row without a name is empty.
  nameRows(kind, names) {
    this.element.querySelectorAll(`.row.${kind}`).forEach((shape, row) => {
      const name = names[row];
      shape.classList.toggle("empty", name === undefined);
      write(shape.querySelector("text"), this.layout[kind](row).width - (this.layout.isNarrow ? 8 : 16), ...this.#labelsOf(kind, name));
    });
  }

  // The state of the connections at `time`. The figures are those of a quarter of a second, so only live they are shown, too:
  // what is played more slowly would contradict them.
  show(recording, time, isLive) {
    const state = recording.stateAt(time);
    if (!state)
      return;
    const figure = (name, number, words) => write(this.element.querySelector(`.of-${name}`), Infinity,
      isLive ? words(shortCount(number)) : titles[name]);
    figure("sessions", state.sessions, number => `Sessions ${number}`);
    figure("channels", state.waiting, number => `Channels, ${number} ${state.waiting === 1 ? "waits" : "wait"}`);
    figure("gate", state.backlog, number => `Backlog ${number}`);
    figure("dropped", state.replies.late, number => `Dropped ${number}`);

    const connected = this.wires.map(({loop, upstream}) => recording.isConnected(loop, upstream, time));
    this.element.querySelectorAll(".wire").forEach((shape, index) => shape.classList.toggle("lost", !connected[index]));
    this.element.querySelectorAll(".upstream").forEach((shape, upstream) => {
      const wires = connected.filter((_, index) => this.wires[index].upstream === upstream);
      const {word, isGood} = stateOf(isLive ? state.upstreams[upstream] : {connections: wires.length, connected: wires.filter(Boolean).length});
      const width = this.layout.upstream(upstream).width - 16;
      const sign = isGood ? "●" : "✕", inFlight = `${count(state.upstreams[upstream].in_flight)} in flight`;
      shape.classList.toggle("lost", !isGood);
      write(shape.querySelector(".address"), width, this.#hello.upstreams[upstream]);
      write(shape.querySelector(".state"), width, ...(isLive ? [`${sign} ${word}, ${inFlight}`, `${sign} ${inFlight}`] : [`${sign} ${word}`]));
    });
  }

  #labelsOf(kind, name = "") {
    if (kind === "channel")
      return [name.length > 6 ? `…${name.slice(-4)}` : name];
    return /^\d/.test(name) ? [`session ${name}`, `# ${name}`, name] : [name];
  }

  #rowOf(kind, {x, y, width, height}) {
    const isAbove = this.layout.isNarrow && kind === "channel"; // those who wait stand below the name
    return svg("g", {class: `row ${kind} empty`},
      svg("rect", {x, y, width, height, rx: kind === "session" ? height / 2 : 5}),
      svg("text", {x: this.layout.isNarrow ? x + width / 2 : x + 10, y: isAbove ? y + 18 : y + height / 2 + 4}));
  }

  // Two lanes with an arrow at the end of each, a cross between them for when the connection is lost, and a name.
  #wireOf({loop}, index) {
    const {isNarrow, wire} = this.layout;
    const out = wire(index, -1), back = wire(index, 1);
    const line = ([[x1, y1], [x2, y2]]) => svg("line", {x1, y1, x2, y2});
    const head = ([x, y], turn) => svg("path", {class: "arrow", d: arrow, transform: `translate(${x} ${y}) rotate(${turn}) translate(-6 0)`});
    const [x, y] = [0, 1].map(axis => (out[0][axis] + back[1][axis]) / 2);
    const isTight = isNarrow && this.wires.length > 3;
    const name = loop === undefined || this.#hello.loops === 1 ? "" : isTight ? `${loop}` : `loop ${loop}`;
    return svg("g", {class: "wire"}, line(out), line(back),
      head(out[1], isNarrow ? 90 : 0), head(back[0], isNarrow ? -90 : 180),
      svg("path", {class: "break", d: cross, transform: `translate(${x} ${y})`}),
      svg("text", {class: "loop", x: isNarrow ? x : out[0][0] + 10, y: isNarrow ? out[0][1] + 14 : out[0][1] - 13}, name));
  }

  #upstreamOf({x, y, width, height}) {
    return svg("g", {class: "upstream"},
      svg("rect", {x, y, width, height, rx: 6}),
      svg("text", {class: "address", x: x + 10, y: y + 20}),
      svg("text", {class: "state", x: x + 10, y: y + 38}));
  }
}
