// Rates and percentiles out of the totals that the bridge counts: pure.

const sum = numbers => numbers.reduce((all, number) => all + number, 0);
const isOk = ([status]) => status.startsWith("2");

// What happened between two states, by the second; undefined without two.
export function ratesBetween(earlier, later) {
  const seconds = (later?.now - earlier?.now) / 1e6;
  if (!(seconds > 0))
    return undefined;
  const grown = filter => sum(Object.entries(later.answers).filter(filter).map(([status, total]) => total - (earlier.answers[status] ?? 0)));
  return {ok: grown(isOk) / seconds, failed: grown(entry => !isOk(entry)) / seconds};
}

// The duration in µs that `part` of what was counted between two states did not exceed; undefined if nothing was. Within
// a bucket the durations are taken to lie evenly.
export function percentile(earlier, later, part) {
  const counts = later.latency.map(([bound, total], bucket) => [bound, total - (earlier.latency[bucket]?.[1] ?? 0)]);
  const all = sum(counts.map(([, grown]) => grown));
  if (all <= 0)
    return undefined;
  let rest = part * all, lower = 0;
  for (const [bound, grown] of counts) {
    if (grown > 0 && rest <= grown)
      return bound === null || bound === undefined ? lower : lower + (bound - lower) * rest / grown;
    rest -= grown;
    lower = bound ?? lower;
  }
  return lower;
}
