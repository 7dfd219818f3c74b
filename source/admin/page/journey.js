// Where a request, its message and its reply are at a time: pure.
//
// Most requests are through in less than a millisecond, which nobody sees. So a step is drawn for at least `leg`, and
// those behind it are drawn later by as much. The order of the steps, and every wait that is longer, remain as they were.

import {endOf} from "./words.js";

// How much of the time between writing and reply is drawn as the way out, and how much as the way back: nobody measures it.
const partOfTheWay = 0.25;
const longestWay = 4; // legs

// The times at which `request` is drawn to pass each place. What never happens is undefined; what has not happened yet is
// Infinity. `lostAt` is when the connection was lost on which its message was then, if that happened.
export function journey(request, leg, lostAt) {
  const {began, read = began, queued, written, matched} = request;
  const ended = endOf(request) ?? Infinity;
  const starts = began;
  const wasAsked = queued !== undefined || written !== undefined || matched !== undefined || ended === Infinity;
  const waits = Math.max(queued ?? read, starts + leg);
  const ends = Math.max(matched ?? ended, waits);
  const way = {starts, waits, leaves: ends, wasAsked};
  // One that shares another's message has none of its own, and gets that one's reply.
  if (written !== undefined || (queued !== undefined && matched === undefined)) {
    way.message = messageOf(request, waits, ends, leg, lostAt);
    way.leaves = way.message.isAnswered ? way.message.ends : ends;
  }
  way.arrives = Math.max(ended, way.leaves + leg);
  way.ends = way.arrives + leg;
  way.lasts = Math.max(way.ends, way.message?.ends ?? 0);
  return way;
}

// Likewise of its message, which leaves the channel at `leaves`. The request waits until `replyAt`.
function messageOf({written, matched}, leaves, replyAt, leg, lostAt) {
  const isAnswered = matched !== undefined;
  const atGate = leaves + leg;
  const message = {leaves, atGate, isAnswered};
  let ready = atGate;
  if (lostAt !== undefined) {
    message.firstAtUpstream = atGate + leg;
    message.lost = Math.max(lostAt, message.firstAtUpstream);
    message.backAtGate = ready = message.lost + leg;
  }
  const isOnItsWay = written !== undefined && !(lostAt > written);
  message.onWire = isOnItsWay ? Math.max(written, ready) : Infinity;
  const across = Math.max(leg, Math.min((replyAt - message.onWire) * partOfTheWay || 0, longestWay * leg));
  message.atUpstream = message.onWire + across;
  // The message of a request that got no reply is forgotten with it.
  message.ends = isAnswered ? Math.max(replyAt, message.atUpstream + across) : Math.max(replyAt, isOnItsWay ? message.atUpstream : ready) + leg;
  message.returns = isAnswered ? message.ends - across : Infinity;
  message.waitsAtGate = message.onWire - ready > leg / 2;
  return message;
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
  if (time < message.firstAtUpstream)
    return {from: "gate", to: "upstream", part: between(message.atGate, message.firstAtUpstream, time), fades};
  if (time < message.lost)
    return {from: "upstream", to: "upstream", part: 1, fades};
  if (time < message.backAtGate)
    return {from: "upstream", to: "gate", part: between(message.lost, message.backAtGate, time), fades};
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
