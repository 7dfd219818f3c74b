// The scenes that can be played: recorded from the bridge, in its stream's own format.

export const scenes = [
  {name: "late-reply", title: "Late reply", text: "The backend is too slow: the time of a request runs out, and it is told so. " +
    "The reply comes after that, finds nobody who waits for it, and is dropped."},
  {name: "tie", title: "Tie", text: "Reply and timeout come in the same turn of the event loop. A reply that is there is never thrown away: the request gets it."},
  {name: "restart", title: "Restart", text: "The backend goes away and comes back. Requests that wait meanwhile are written again on the " +
    "next connection, and none of them is told of an error."},
  {name: "window-of-1", title: "Window of 1", text: "Only one message may be on its way on a connection. The others wait in the backlog for their turn."},
  {name: "coalescing", title: "Coalescing", text: "Requests that wait for the same code share one message, and its reply answers them all."},
];

// The events of a scene, or undefined if they cannot be had.
export async function load(name) {
  const response = await fetch(`/live/scenes/${name}.json`).catch(() => undefined);
  return response?.ok ? response.json() : undefined;
}
