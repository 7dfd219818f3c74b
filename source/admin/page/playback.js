// Which recording is drawn, at which time of it, and how fast that time passes.

const liveDelay = 300e3; // µs behind, so that events have come before they are drawn

// Moves a position through a recording. Live it follows the bridge's clock; otherwise it plays a stretch once, `slowness`
// times as slowly as it happened, and stands still at its end.
export class Playback {
  recording;
  isLive = true;
  isPaused = false;
  slowness = 1;
  position = 0;
  from = 0;
  to = 0;
  #offset; // the bridge's clock minus this machine's, by the event that was under way for the shortest time

  constructor(live) {
    this.live = live;
    this.recording = live;
  }

  // An event says what the bridge's clock shows now. Times of this machine are in ms.
  synchronise(bridgeTime, time, isNewClock) {
    const offset = bridgeTime - time * 1000;
    this.#offset = isNewClock || this.#offset === undefined ? offset : Math.max(offset, this.#offset);
  }

  // The bridge's clock, when this machine's shows `time` in ms.
  bridgeTime(time) {
    return time * 1000 + (this.#offset ?? 0);
  }

  follow() {
    Object.assign(this, {recording: this.live, isLive: true, isPaused: false, slowness: 1});
  }

  play(recording, {from, to}, slowness) {
    Object.assign(this, {recording, isLive: false, isPaused: false, from, to, slowness, position: from});
  }

  again() {
    this.position = this.from;
    this.isPaused = false;
  }

  // Shows `part`, from 0 to 1, of the stretch.
  seek(part) {
    this.position = this.from + part * (this.to - this.from);
    this.isPaused = true;
  }

  get hasEnded() {
    return !this.isLive && this.position >= this.to;
  }

  // This machine's clock shows `time`, and `passed` ago, both in ms, was the last frame.
  advance(time, passed) {
    if (this.isPaused)
      return;
    if (!this.isLive)
      this.position = Math.min(this.to, this.position + passed * 1000 / this.slowness);
    else if (this.#offset !== undefined)
      this.position = this.bridgeTime(time) - liveDelay;
  }
}
