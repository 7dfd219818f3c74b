// Where things are in the drawing: pure. Wide, requests travel to the right; in a narrow window, down.

export const rowsOfSessions = 6;
export const mostWires = 6;
const narrowBelow = 640;

// What the drawing has for `hello`: a wire for each connection, or one for each upstream where those would be too many.
// The wires to one upstream lie side by side.
export function wiresOf({loops, upstreams}) {
  const perUpstream = loops * upstreams.length <= mostWires ? loops : 1;
  return upstreams.slice(0, mostWires).flatMap((_, upstream) =>
    Array.from({length: perUpstream}, (_, loop) => ({upstream, loop: perUpstream === 1 && loops > 1 ? undefined : loop})));
}

// Boxes are {x, y, width, height}, points [x, y], in pixels. `count` is the number of wires to each upstream.
export function layout(width, upstreams, count) {
  return width < narrowBelow ? narrow(width, upstreams, count) : wide(width, upstreams, count);
}

function wide(width, upstreams, count) {
  const height = 372, top = 52, bottom = height - 16, pitch = (bottom - top) / rowsOfSessions;
  const sessions = {x: 22, width: Math.min(112, width * 0.13)};
  const channels = {x: width * 0.22, width: Math.min(190, width * 0.19)};
  const gate = {x: width * 0.47, y: top + 2, width: 106, height: bottom - top - 92};
  const dropped = {x: gate.x, y: bottom - 66, width: gate.width, height: 64};
  const bridge = {x: 8, y: 8, width: gate.x + gate.width + 6, height: height - 16};
  const upstream = {x: width * 0.79, width: width - width * 0.79 - 10};
  const wirePitch = Math.min(110, (bottom - top) / (upstreams * count));
  const firstWire = (top + bottom) / 2 - wirePitch * (upstreams * count - 1) / 2;
  const wireY = wire => firstWire + wire * wirePitch;
  const session = row => ({...sessions, y: top + row * pitch + 8, height: pitch - 20});
  const channel = row => ({...channels, y: top + row * pitch + 3, height: pitch - 10});
  const box = index => {
    const boxHeight = Math.max(wirePitch * count - 10, Math.min(150, (bottom - top) / upstreams - 6));
    return {...upstream, y: wireY(index * count + (count - 1) / 2) - boxHeight / 2, height: boxHeight};
  };
  const perLine = Math.max(1, Math.floor((upstream.width - 12) / 38));
  return {
    isNarrow: false, width, height, bridge, gate, dropped, session, channel, upstream: box,
    slotsOfChannel: Math.max(1, Math.floor((channels.width - 56) / 24)),
    titles: {sessions: [sessions.x, 36], channels: [channels.x, 36], gate: [gate.x, 36], dropped: [dropped.x + 8, dropped.y + 18],
      wires: [(bridge.x + bridge.width + upstream.x) / 2, 36], upstreams: [upstream.x, 36]},
    atSession: row => [sessions.x + sessions.width + 14, session(row).y + session(row).height / 2],
    atDoor: row => [(sessions.x + sessions.width + channels.x) / 2, session(row).y + session(row).height / 2],
    atChannel: (row, slot) => [channels.x + 60 + slot * 24, channel(row).y + channel(row).height / 2],
    atExit: row => [channels.x + channels.width + 16, channel(row).y + channel(row).height / 2],
    atGate: slot => [gate.x + 29 + (slot % 2) * 48, gate.y + 18 + Math.floor(slot / 2) * 22],
    slotsOfGate: 2 * Math.floor((gate.height - 16) / 22),
    throughGate: wire => [gate.x + gate.width / 2, Math.min(wireY(wire) - 10, gate.y + gate.height - 12)],
    atDropped: [dropped.x + dropped.width / 2, dropped.y + 44],
    wire: (wire, lane) => [[bridge.x + bridge.width, wireY(wire) + lane * 10], [upstream.x, wireY(wire) + lane * 10]],
    atUpstream: (index, slot) => [upstream.x + 24 + (slot % perLine) * 38,
      Math.min(box(index).y + 60 + Math.floor(slot / perLine) * 21, box(index).y + box(index).height - 11)],
  };
}

function narrow(width, upstreams, count) {
  const left = 16, inner = width - 32, pitch = inner / rowsOfSessions;
  const height = 520, upstreamTop = 398;
  const across = Math.max(1, Math.floor((pitch - 4) / 21)); // who wait in a channel stand in two lines
  const bridge = {x: 6, y: 6, width: width - 12, height: 272};
  const gate = {x: left, y: 218, width: inner * 0.62, height: 50};
  const dropped = {x: left + inner * 0.66, y: 218, width: inner * 0.34, height: 50};
  const wirePitch = inner / (upstreams * count);
  const lanes = Math.min(20, wirePitch / 4);
  const wireX = wire => left + (wire + 0.5) * wirePitch;
  const session = row => ({x: left + row * pitch + 1, y: 34, width: pitch - 4, height: 26});
  const channel = row => ({x: left + row * pitch + 1, y: 106, width: pitch - 4, height: 78});
  const box = index => ({x: left + index * count * wirePitch + 2, y: upstreamTop, width: wirePitch * count - 4, height: height - upstreamTop - 8});
  const perLine = Math.max(1, Math.floor((wirePitch * count - 12) / 38));
  return {
    isNarrow: true, width, height, bridge, gate, dropped, session, channel, upstream: box,
    slotsOfChannel: 2 * across,
    titles: {sessions: [left, 26], channels: [left, 98], gate: [left + 8, 236], dropped: [dropped.x + 8, 236]},
    atSession: row => [session(row).x + session(row).width / 2, session(row).y + session(row).height + 10],
    atDoor: row => [session(row).x + session(row).width / 2, 84],
    atChannel: (row, slot) => [channel(row).x + (pitch - 4) / 2 + (slot % across - (across - 1) / 2) * 21, channel(row).y + 36 + Math.floor(slot / across) * 26],
    atExit: row => [channel(row).x + channel(row).width / 2, 198],
    atGate: slot => [gate.x + 24 + slot * 38, gate.y + 34],
    slotsOfGate: Math.max(1, Math.floor((gate.width - 8) / 38)),
    throughGate: wire => [Math.min(wireX(wire) - lanes, gate.x + gate.width - 20), 256],
    atDropped: [dropped.x + dropped.width / 2, dropped.y + 34],
    wire: (wire, lane) => [[wireX(wire) + lane * lanes, bridge.y + bridge.height], [wireX(wire) + lane * lanes, upstreamTop]],
    atUpstream: (index, slot) => [box(index).x + 22 + (slot % perLine) * 38,
      Math.min(box(index).y + 60 + Math.floor(slot / perLine) * 21, box(index).y + box(index).height - 12)],
  };
}

// The point that is `part` of the way along a line through points.
export function along(points, part) {
  const lengths = points.slice(1).map(([x, y], i) => Math.hypot(x - points[i][0], y - points[i][1]));
  let rest = part * lengths.reduce((sum, length) => sum + length, 0);
  for (const [i, length] of lengths.entries()) {
    if (rest <= length && length > 0)
      return [0, 1].map(axis => points[i][axis] + (points[i + 1][axis] - points[i][axis]) * rest / length);
    rest -= length;
  }
  return points.at(-1);
}
