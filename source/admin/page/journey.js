// Where a request, its message and its reply are at a time: pure.
//
// Most requests are through in less than a millisecond, which nobody sees. So a step is drawn for at least `leg`, and
// those behind it are drawn later by as much. The order of the steps, and every wait that is longer, remain as they were.

// How much of the time between writing and reply is drawn as the way out, and how much as the way back: nobody measures it.
const partOfTheWay = 0.25;
const longestWay = 4; // legs

// The times at which `request` is drawn to pass each place. What never happens is undefined; what has not happened yet is
// Infinity.
export function journey(request, leg) {
  const {began, read = began, queued, written, matched, answered = Infinity} = request;
  const starts = began;
  const wasAsked = queued !== undefined || written !== undefined || matched !== undefined || answered === Infinity;
  const waits = Math.max(queued ?? read, starts + leg);

  let message;
  let leaves = Math.max(matched ?? answered, waits);
  // One that shares another's message has none of its own, and gets that one's reply.
  if (written !== undefined || (queued !== undefined && matched === undefined)) {
    const atGate = waits + leg;
    const onWire = written === undefined ? Infinity : Math.max(written, atGate);
    const way = Math.max(leg, Math.min((((matched ?? answered) - onWire) * partOfTheWay) || 0, longestWay * leg));
    const atUpstream = onWire + way;
    if (matched !== undefined)
      leaves = Math.max(matched, atUpstream + way);
    const returns = matched === undefined ? Infinity : leaves - way;
    // The message of a request that got no reply is forgotten with it.
    const ends = matched === undefined ? Math.max(leaves, written === undefined ? atGate : atUpstream) + leg : leaves;
    message = {leaves: waits, atGate, onWire, atUpstream, returns, ends, isAnswered: matched !== undefined,
      waitsAtGate: onWire - atGate > leg / 2};
  }
  const arrives = Math.max(answered, leaves + leg);
  return {starts, waits, leaves, arrives, ends: arrives + leg, wasAsked, message,
    lasts: Math.max(arrives + leg, message?.ends ?? 0)};
}

// How far `time` is between two others, from 0 to 1, beginning and ending gently.
function between(from, to, time) {
  const part = Math.min(1, Math.max(0, (time - from) / (to - from)));
  return part * part * (3 - 2 * part);
}

// Where the request is: from one place to another, and how far. Undefined before and after.
export function placeOfRequest(way, time) {
  if (time < way.starts || time >= way.ends)
    return undefined;
  if (time < way.waits)
    return {from: "session", to: way.wasAsked ? "channel" : "door", part: between(way.starts, way.waits, time)};
  if (time < way.leaves)
    return {from: "channel", to: "channel", part: 1, waits: true};
  if (time < way.arrives)
    return {from: way.wasAsked ? "channel" : "door", to: "session", part: between(way.leaves, way.arrives, time), isAnswer: true};
  return {from: "session", to: "session", part: 1, isAnswer: true, fades: between(way.arrives, way.ends, time)};
}

// Where its message is, or the reply to it.
export function placeOfMessage(way, time) {
  const {message} = way;
  if (!message || time < message.leaves || time >= message.ends)
    return undefined;
  const fades = message.isAnswered ? 0 : between(way.leaves, message.ends, time);
  if (time < message.atGate)
    return {from: "channel", to: "gate", part: between(message.leaves, message.atGate, time), fades};
  if (time < message.onWire)
    return {from: "gate", to: "gate", part: 1, fades};
  if (time < message.atUpstream)
    return {from: "gate", to: "upstream", part: between(message.onWire, message.atUpstream, time), fades};
  if (time < message.returns)
    return {from: "upstream", to: "upstream", part: 1, fades};
  return {from: "upstream", to: "channel", part: between(message.returns, message.ends, time), isReply: true};
}

// Where a reply is for which nobody waits, which came at `wire.at`.
export function placeOfDropped(wire, leg, time) {
  const {at} = wire;
  if (time < at - 2 * leg || time >= at + 3 * leg)
    return undefined;
  if (time < at)
    return {from: "upstream", to: "gate", part: between(at - 2 * leg, at, time), isReply: true};
  return {from: "gate", to: "dropped", part: between(at, at + leg, time), isReply: true,
    fades: between(at + 2 * leg, at + 3 * leg, time)};
}
