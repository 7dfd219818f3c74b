// The bridge's stream of events, kept open.

const events = ["hello", "state", "happened"];
const retryAfter = 3000; // ms

// Opens the stream at `url` and opens it again whenever it ends. Calls `take(event, data)` for each event, and
// `changed("live" | "lost")` when the stream comes and goes. A bridge that has no place for one more stream refuses it,
// which looks like any other end of the stream.
export function watch(url, take, changed) {
  const source = new EventSource(url);
  for (const event of events)
    source.addEventListener(event, message => take(event, JSON.parse(message.data)));
  source.addEventListener("open", () => changed("live"));
  source.addEventListener("error", () => {
    changed("lost");
    if (source.readyState !== EventSource.CLOSED)
      return; // the browser tries again
    setTimeout(() => watch(url, take, changed), retryAfter);
  });
}
