// The lines along which shapes move from place to place, and where they stand in the queues at their ends.
import {Slots} from "./places.js";

export class Routes {
  #layout;
  #wires;
  #queues = new Map();

  constructor({layout, wires}) {
    this.#layout = layout;
    this.#wires = wires;
  }

  // The points between two places for `shape`, which is the request or the message of `traveller`: {session, channel,
  // wire} by their numbers. `waitsAtGate` says of a message whether it stands in the backlog, or only passes.
  points(shape, traveller, {from, to}, waitsAtGate) {
    const l = this.#layout, {wire} = traveller;
    const target = this.#targetOf(shape, traveller, to, waitsAtGate);
    if (from === to)
      return [target, target];
    const start = shape.stood?.[from];
    switch (from) {
    case "session":
      return [l.atSession(traveller.session), target];
    case "door":
      return [l.atDoor(traveller.session), target];
    case "channel":
      return [shape === traveller.message ? l.atExit(traveller.channel) : start ?? l.atChannel(traveller.channel, 0), target];
    case "gate": // a wire is entered and left at its ends, on the lane of the direction
      return to === "upstream" ? [start ?? l.throughGate(wire), ...l.wire(wire, -1), target] : [l.throughGate(wire), target];
    case "upstream":
      return [start ?? l.atUpstream(this.#wires[wire].upstream, 0), ...l.wire(wire, 1).toReversed(), target];
    }
  }

  // `shape` stands in no queue any more.
  leave(shape) {
    this.#queues.get(shape.queue)?.giveBack(shape);
    shape.queue = undefined;
  }

  #targetOf(shape, traveller, place, waitsAtGate) {
    const l = this.#layout, {session, channel, wire} = traveller, {upstream} = this.#wires[wire];
    if (place === "upstream")
      return this.#stand(shape, place, `upstream ${upstream}`, slot => l.atUpstream(upstream, slot));
    if (place === "gate" && waitsAtGate)
      return this.#stand(shape, place, "gate", slot => l.atGate(Math.min(slot, l.slotsOfGate - 1)));
    if (place === "channel" && shape === traveller.request)
      return this.#stand(shape, place, `channel ${channel}`, slot => l.atChannel(channel, Math.min(slot, l.slotsOfChannel - 1)));
    this.leave(shape);
    switch (place) {
    case "session": return l.atSession(session);
    case "door": return l.atDoor(session);
    case "channel": return l.atChannel(channel, 0);
    case "gate": return l.throughGate(wire);
    case "dropped": return l.atDropped;
    }
  }

  // In a queue a shape takes a place as soon as it is on the way there, and remembers it for when it goes on.
  #stand(shape, place, queue, pointOf) {
    if (shape.queue !== queue)
      this.leave(shape);
    shape.queue = queue;
    if (!this.#queues.has(queue))
      this.#queues.set(queue, new Slots());
    const point = pointOf(this.#queues.get(queue).take(shape));
    shape.stood = {...shape.stood, [place]: point};
    return point;
  }
}
