// What the stream has brought, or what a scene consists of: the same events, kept in memory.
//
// Times are microseconds on the bridge's clock, here as in all other modules.

import {endOf} from "./words.js";

const most = {requests: 4000, wires: 1000, states: 400};

export class Recording {
  hello = {upstreams: [], loops: 1};
  states = [];   // in the order of their times
  wires = [];    // what happened on connections, likewise
  requests = []; // in the order in which they became known, which is when they ended
  dropped = 0;   // events that came too fast to be kept

  // A scene: an array of {event, data}.
  static of(events) {
    const recording = new Recording();
    for (const {event, data} of events)
      recording.take(event, data);
    return recording;
  }

  // Takes one event of the stream. A `hello` begins anew: its clock is another one.
  take(event, data) {
    if (event === "hello") {
      Object.assign(this, new Recording(), {hello: data});
    } else if (event === "state") {
      this.states.push(data);
    } else if (event === "happened") {
      this.dropped += data.dropped ?? 0;
      for (const request of data.requests ?? [])
        this.requests.push({...request, session: this.#nameOf(request)});
      this.wires.push(...data.wires ?? []);
    }
    this.#forget();
  }

  // A request that is being sent from this page, of which the stream tells only when it has ended. To be given
  // to `forget` then.
  expect(key, at) {
    const request = {session: "this page", key, began: at, read: at, asked_here: true};
    this.requests.push(request);
    return request;
  }

  forget(request) {
    this.requests = this.requests.filter(other => other !== request);
  }

  // The newest state that is not later than `time`, or the first.
  stateAt(time) {
    return this.states.findLast(state => state.now <= time) ?? this.states[0];
  }

  // Whether the connection of `loop` to `upstream` stands at `time`.
  isConnected(loop, upstream, time) {
    const last = this.wires.findLast(wire => wire.at <= time && wire.loop === loop && wire.upstream === upstream &&
      (wire.what === "connected" || wire.what === "lost"));
    const connections = this.stateAt(time)?.upstreams?.[upstream];
    return last ? last.what === "connected" : connections === undefined || connections.connected > 0;
  }

  // When the connection was lost that had the message of `request`; undefined if it was not. A request whose connection
  // is lost waits again, except where its message may not be written twice: then it has failed with the connection.
  lossOf(request) {
    const {loop, upstream, queued, matched, outcome} = request;
    if (upstream === undefined || outcome === "connection_lost")
      return undefined;
    return this.wires.findLast(wire => wire.what === "lost" && wire.loop === loop && wire.upstream === upstream &&
      wire.at > queued && wire.at < (matched ?? endOf(request)))?.at;
  }

  // From the first request to the last thing that happened.
  span() {
    return {
      from: Math.min(...this.requests.map(request => request.began)),
      to: Math.max(...this.requests.map(endOf), ...this.wires.map(wire => wire.at)),
    };
  }

  // A copy of what happened between two times, which does not change when more comes.
  between(from, to) {
    const part = new Recording();
    part.hello = this.hello;
    part.states = this.states.slice();
    part.requests = this.requests.filter(request => request.began <= to && (endOf(request) ?? Infinity) >= from);
    part.wires = this.wires.slice();
    return part;
  }

  // Each event loop counts its own.
  #nameOf({loop, session}) {
    return this.hello.loops > 1 ? `${loop}.${session}` : `${session}`;
  }

  #forget() {
    for (const kind of ["requests", "wires", "states"])
      if (this[kind].length > most[kind])
        this[kind].splice(0, most[kind] / 4);
  }
}
