// The shapes that move, and what they mean. Each differs from the others in form as well as in colour.
import {svg} from "./svg.js";

const ringRadius = 11;

// A request as it waits, with the time that it has left as a ring around it; and, by its class, what became of it.
export function requestShape(title) {
  return svg("g", {class: "request"},
    svg("title", {}, title),
    svg("circle", {class: "ring", r: ringRadius, pathLength: 1, transform: "rotate(-90)"}),
    svg("circle", {class: "body", r: 7}),
    svg("path", {class: "cut", d: "M-5-8H5L8-5V5L5 8H-5L-8 5V-5Z"}),
    svg("path", {class: "triangle", d: "M0-9 9 7H-9Z"}),
    svg("path", {class: "mark check", d: "M-3.2.3-1 2.6 3.4-2.4"}),
    svg("path", {class: "mark cross", d: "M-3-3 3 3M3-3-3 3"}),
    svg("path", {class: "mark bang", d: "M0-3.5V1.5M0 4V4.6"}));
}

export function setTimeLeft(shape, part) {
  shape.querySelector(".ring").setAttribute("stroke-dasharray", `${Math.max(0, part)} 1`);
}

// A message on its way to the upstream; with the class `reply`, the reply on its way back, with `dropped` one for which
// nobody waits.
export function messageShape(key) {
  const shown = key.length > 4 ? `…${key.slice(-3)}` : key;
  return svg("g", {class: "message"},
    svg("title", {}, key),
    svg("rect", {class: "question", x: -17, y: -8.5, width: 34, height: 17, rx: 2}),
    svg("rect", {class: "pill", x: -17, y: -8.5, width: 34, height: 17, rx: 8.5}),
    svg("text", {y: 4}, shown),
    svg("path", {class: "strike", d: "M-20 6 20-6"}));
}

// Fills the list that explains them.
export function explain(list) {
  const withClass = (shape, ...names) => {
    shape.classList.add(...names);
    return shape;
  };
  const waiting = requestShape("");
  setTimeLeft(waiting, 0.7);
  const entries = [
    [withClass(waiting, "waits"), "A request waits; the ring is the time that it has left"],
    [messageShape("404"), "Its message, on the way to the upstream"],
    [withClass(messageShape("404"), "reply"), "The reply, on the way back"],
    [withClass(requestShape(""), "answered"), "Answered with 200"],
    [withClass(requestShape(""), "timeout"), "504: no reply in time"],
    [withClass(requestShape(""), "failed"), "Another failure, or a client that is gone"],
    [withClass(messageShape("404"), "reply", "dropped"), "A reply for which nobody waits any more, dropped"],
    [withClass(requestShape(""), "waits", "mine"), "Sent from this page"],
  ];
  for (const [shape, words] of entries) {
    const item = document.createElement("li");
    shape.querySelector("title").remove();
    item.append(svg("svg", {viewBox: "-22 -13 44 26", width: 44, height: 26, "aria-hidden": "true"}, shape), words);
    list.append(item);
  }
}
