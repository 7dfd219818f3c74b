// Shows the last figures that have come.
const state = document.getElementById("state");
new EventSource("/live/events").addEventListener("state", event => {
  state.textContent = JSON.stringify(JSON.parse(event.data), null, 2);
});
