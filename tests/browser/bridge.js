// Programs under test: a bridge and its backend, on free ports of this machine.
import {spawn} from "node:child_process";
import {once} from "node:events";
import http from "node:http";
import net from "node:net";
import readline from "node:readline";

// Starts `program`, and gives it and what the first group of each pattern matches in its log, once all have matched.
async function start(program, options, patterns) {
  const process = spawn(program, options, {stdio: ["ignore", "ignore", "pipe"]});
  const found = [];
  for await (const line of readline.createInterface({input: process.stderr})) {
    patterns.forEach((pattern, index) => found[index] ??= line.match(pattern)?.[1]);
    if (patterns.every((_, index) => found[index]))
      break;
  }
  process.stderr.resume(); // what it logs from now on is for nobody
  if (!patterns.every((_, index) => found[index]))
    throw new Error(`${program} ended before it listened`);
  return {process, found};
}

async function end(process) {
  if (process.exitCode !== null || process.signalCode !== null)
    return;
  process.kill("SIGKILL");
  await once(process, "exit");
}

export class Backend {
  address = "127.0.0.1:0";
  #process;

  // Listens where it listened before, if it did.
  async start() {
    const {process, found} = await start(globalThis.process.env.CODE_SERVER, ["--listen", this.address], [/listening on (127\.0\.0\.1:\d+)/]);
    this.#process = process;
    this.address = found[0];
  }

  // Its connections stay, and nothing comes on them.
  freeze() {
    this.#process.kill("SIGSTOP");
  }

  thaw() {
    this.#process.kill("SIGCONT");
  }

  async stop() {
    await end(this.#process);
  }
}

export class Bridge {
  #process;

  // Two event loops, each with a connection to `backend`.
  async start(backend, ...options) {
    const {process, found} = await start(globalThis.process.env.CAUSEWAY,
      ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--upstream", backend.address, "--threads", "2",
        "--reply-timeout", "1s", "--reconnect-max", "100ms", ...options],
      [/listening on (http:\/\/127\.0\.0\.1:\d+)/, /(http:\/\/127\.0\.0\.1:\d+)\/metrics/]);
    this.#process = process;
    [this.clients, this.admin] = found;
  }

  async stop() {
    await end(this.#process);
  }
}

// A client that asks for `code` and disconnects before there is an answer.
export async function askAndHangUp(bridge, code) {
  const {hostname, port} = new URL(bridge.clients);
  const client = net.connect(port, hostname);
  await once(client, "connect");
  client.write(`GET /?statusCode=${code} HTTP/1.1\r\nHost: test\r\n\r\n`, () => client.destroy());
}

// Asks for one code after the other on several connections, each some times a second, until `stop` is called.
export class Load {
  #agent = new http.Agent({keepAlive: true, maxSockets: 6});
  #timer;
  #asked = 0;

  constructor(bridge, interval) {
    const codes = ["200", "404", "500", "301", "503", "418", "204", "429"];
    this.#timer = setInterval(() => {
      const code = codes[this.#asked++ % codes.length];
      http.get(`${bridge.clients}/?statusCode=${code}`, {agent: this.#agent}, answer => answer.resume()).on("error", () => {});
    }, interval);
  }

  stop() {
    clearInterval(this.#timer);
    this.#agent.destroy();
  }
}
