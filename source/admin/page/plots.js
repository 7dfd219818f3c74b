// The plots of the last minutes, drawn by uPlot.
import {percentile, ratesBetween} from "./figures.js";
import {duration} from "./words.js";

const span = 300;         // s
const percentileOver = 5; // s

// Requests are not counted in halves.
const wholeSteps = Array.from({length: 9}, (_, power) => [1, 2, 5].map(step => step * 10 ** power)).flat();

// On the axis of time, a line for each power of ten.
const powersOfTen = (_, ticks) => ticks.map(tick => Math.abs(Math.log10(tick) % 1) < 1e-6 ? tick : null);
const tickOfTime = us => us >= 1e6 ? `${us / 1e6} s` : us >= 1e3 ? `${us / 1e3} ms` : `${us} µs`;

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Lines are told apart by their dashes too.
const lines = {
  rate: [
    {label: "200", stroke: "--ok", value: number => number?.toFixed(1)},
    {label: "others", stroke: "--bad", dash: [6, 4], value: number => number?.toFixed(1)},
  ],
  waiting: [
    {label: "waiting", stroke: "--accent", value: number => number},
    {label: "backlog", stroke: "--warn", dash: [6, 4], value: number => number},
  ],
  latency: [
    {label: "50 %", stroke: "--ok", value: duration},
    {label: "90 %", stroke: "--accent", dash: [6, 4], value: duration},
    {label: "99 %", stroke: "--warn", dash: [2, 3], value: duration},
  ],
};

export class Plots {
  #states = [];
  #plots = {};
  #columns = {rate: [[], [], []], waiting: [[], [], []], latency: [[], [], [], []]};

  constructor() {
    for (const name of Object.keys(lines))
      this.#plots[name] = this.#make(name, document.getElementById(`plot-${name}`));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
  }

  // One point a second, of the states since the last one. `seconds` is the time of day.
  add(state, seconds) {
    const last = this.#states.at(-1);
    if (last && state.now < last.now)
      this.#states = []; // another process, which counts from the start
    if (last && state.now >= last.now && state.now - last.now < 1e6)
      return;
    const before = this.#states.findLast(earlier => state.now - earlier.now >= percentileOver * 1e6) ?? this.#states[0];
    const rates = ratesBetween(this.#states.at(-1), state);
    this.#states.push(state);
    if (this.#states.length > 2 * percentileOver)
      this.#states.shift();
    if (!rates)
      return;
    const ofReplies = part => percentile(before, state, part) ?? null;
    this.#append("rate", seconds, [rates.ok, rates.failed]);
    this.#append("waiting", seconds, [state.waiting, state.backlog]);
    this.#append("latency", seconds, [ofReplies(0.5), ofReplies(0.9), ofReplies(0.99)]);
  }

  #append(name, seconds, values) {
    const columns = this.#columns[name];
    [seconds, ...values].forEach((value, column) => columns[column].push(value));
    while (columns[0][0] < seconds - span)
      columns.forEach(column => column.shift());
    this.#plots[name].root.dataset.points = columns[0].length;
    this.#plots[name].setData(columns);
    this.#plots[name].setScale("x", {min: seconds - span, max: seconds});
    if (this.#plots[name].cursor.idx === null) // nobody points at another moment
      this.#plots[name].setLegend({idx: columns[0].length - 1});
  }

  #redraw() {
    for (const plot of Object.values(this.#plots))
      plot.redraw(false, true);
  }

  #make(name, container) {
    const axis = {stroke: () => colour("--muted"), grid: {stroke: () => colour("--line"), width: 1}, ticks: {show: false}, font: "12px system-ui, sans-serif"};
    const isTime = name === "latency";
    const plot = new uPlot({
      width: Math.max(200, container.clientWidth), height: 190,
      cursor: {y: false, drag: {x: false, y: false}},
      legend: {live: true},
      scales: {
        x: {time: true, range: (_, min, max) => [min, max]},
        y: isTime ? {distr: 3, log: 10, range: (_, min, max) => uPlot.rangeLog(min ?? 100, max ?? 10e3, 10, true)} :
          {range: (_, min, max) => [0, Math.max(1, (max ?? 0) * 1.1)]},
      },
      axes: [
        {...axis, space: 70, values: [[60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]]},
        isTime ? {...axis, size: 60, filter: powersOfTen, grid: {...axis.grid, filter: powersOfTen},
          values: (_, ticks) => ticks.map(tick => tick === null ? "" : tickOfTime(tick))} :
          {...axis, size: 52, space: 28, incrs: wholeSteps, values: (_, ticks) => ticks.map(tick => tick.toLocaleString("en"))},
      ],
      series: [
        {label: "at", value: (_, time) => time === null || time === undefined ? "–" : new Date(time * 1000).toLocaleTimeString("en-GB")},
        ...lines[name].map(({label, stroke, dash, value}) => ({label, dash, width: 2, stroke: () => colour(stroke), points: {show: false},
          value: (_, number) => number === null || number === undefined ? "–" : value(number)})),
      ],
    }, this.#columns[name], container);
    new ResizeObserver(([{contentRect}]) => plot.setSize({width: Math.floor(contentRect.width), height: 190})).observe(container);
    return plot;
  }
}
