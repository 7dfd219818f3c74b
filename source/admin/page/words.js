// How figures, times and names are written.

export function duration(us) {
  if (us === undefined || !Number.isFinite(us))
    return "–";
  if (us < 1000)
    return `${Math.round(us)} µs`;
  if (us < 10e3)
    return `${(us / 1e3).toFixed(2)} ms`;
  if (us < 1e6)
    return `${(us / 1e3).toFixed(us < 100e3 ? 1 : 0)} ms`;
  return `${(us / 1e6).toFixed(us < 10e6 ? 2 : 1)} s`;
}

export function count(number) {
  return number === undefined || !Number.isFinite(number) ? "–" : Math.round(number).toLocaleString("en");
}

export function shortCount(number) {
  return number === undefined ? "–" : number.toLocaleString("en", {notation: "compact"});
}

export function rate(perSecond) {
  if (perSecond === undefined || !Number.isFinite(perSecond))
    return "–";
  return `${perSecond < 10 ? perSecond.toFixed(1) : count(perSecond)}/s`;
}

// `timed_out` is how the bridge writes it in its logs and metrics.
export function plain(name) {
  return name.replaceAll("_", " ");
}

// Whether an upstream can be asked: a word, and whether it is a good one.
export function stateOf({connections, connected}) {
  if (connected === 0)
    return {word: "not connected", isGood: false};
  return connected < connections ? {word: "partly connected", isGood: false} : {word: "connected", isGood: true};
}

// When a request was answered or given up; undefined while it waits.
export function endOf({answered, given_up}) {
  return answered ?? given_up;
}

// What became of a request: "answered", "timeout" and "failed" are the kinds that are drawn in different shapes.
export function kindOf(request) {
  if (endOf(request) === undefined)
    return "waiting";
  if (request.status >= 200 && request.status < 300)
    return "answered";
  return request.status === 504 ? "timeout" : "failed";
}

export function outcomeOf(request) {
  if (endOf(request) === undefined)
    return "waits";
  if (request.given_up !== undefined)
    return request.outcome === "abandoned" ? "abandoned" : "answer not taken";
  return request.outcome && request.outcome !== "reply" ? `${request.status} ${plain(request.outcome)}` : `${request.status}`;
}
