#!/usr/bin/python3
"""Offers Causeway three times what its core carries, and looks whether it keeps what it promises then.

    tests/benchmark/overload.py                    half an hour; leave the machine alone meanwhile
    tests/benchmark/overload.py --seconds 20       a quick look
    tests/benchmark/overload.py --neighbours 1     where a core cannot overload another: see whether all of it is used
    tests/benchmark/overload.py --only fairness    whether one client that pipelines without end harms the others
    tests/benchmark/overload.py --only newcomers   how soon those who connect to a busy bridge have their answer

Needs two cores and g++. The bridge has core 0 to itself; clients and backend share core 1. A client here waits for its
answer before it asks again, as nearly all HTTP clients do, so what is offered beyond one request a connection is held
back by the clients themselves: it is counted, and nobody is asked. `--on-a-connection 32` makes them pipeline instead.
"""

import argparse
import json
import math
import os
import resource
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import contenders
import processes
import report
from processes import CLIENT_CORE, SERVER_CORE, Failed
from report import number

PATH = "/?statusCode=404"
WITHOUT_LIMIT = 1_000_000  # requests per second: more than any client can send
REPLY_TIMEOUT = 2.0  # the default of --reply-timeout, s


@dataclass(frozen=True)
class Bridge:
    process: int
    port: int


@dataclass(frozen=True)
class Interval:
    """What happened in some seconds."""

    seconds: float
    held_back: int
    statuses: dict[str, dict[str, float]]
    busy: float  # CPU time of the bridge, by that of the clock
    resident: int  # bytes, at its end

    def rate(self, status: str) -> float:
        return self.statuses.get(status, {"count": 0})["count"] / self.seconds

    def worst(self, status: str, figure: str) -> float:
        """Milliseconds."""
        return self.statuses.get(status, {figure: 0})[figure] / 1000


@contextmanager
def bridge(arguments: argparse.Namespace, folder: Path, options: list[str]) -> Iterator[Bridge]:
    with (contenders.running_backend("code-server", arguments.programs, folder, {}) as backend, ExitStack() as stack):
        for _ in range(arguments.neighbours):
            stack.enter_context(processes.running(["sh", "-c", "while :; do :; done"], SERVER_CORE,
                                                  folder / "neighbour.log"))
        start = contenders.Start(processes.free_port(), backend, folder, arguments.programs, folder, 1, "", None)
        command = [*contenders.causeway(start), "--admin=off", *options]
        with processes.running(command, SERVER_CORE, folder / "server.log") as process:
            processes.wait_for_answer(start.port, PATH)
            yield Bridge(process, start.port)


def crowd(arguments: argparse.Namespace, folder: Path, server: Bridge, connections: int, rate: float, seconds: float,
          seconds_a_line: float) -> Iterator[Interval]:
    command = [str(folder / "crowd"), str(server.port), PATH, str(connections), str(rate), str(seconds),
               str(arguments.on_a_connection), str(seconds_a_line)]
    used = sum(processes.thread_times(server.process))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as clients:
        for line in clients.stdout:
            figures = json.loads(line)
            before, used = used, sum(processes.thread_times(server.process))
            if figures["seconds"] > 0.5:  # the last one may be a leftover
                yield Interval(**figures, busy=(used - before) / 1e6 / figures["seconds"],
                               resident=processes.resident_bytes(server.process))
        if clients.wait() != 0:
            raise Failed(f"the clients failed: {clients.stderr.read()}")


def peak(arguments: argparse.Namespace, folder: Path, server: Bridge, connections: int) -> Interval:
    """As much as it answers when clients ask again as soon as they have their answer; the median of five seconds."""
    seconds = list(crowd(arguments, folder, server, connections, WITHOUT_LIMIT, 6, 1))[1:]  # the first one warms it up
    return sorted(seconds, key=lambda one: one.rate("200"))[len(seconds) // 2]


def peaks(arguments: argparse.Namespace, folder: Path) -> dict[str, Interval]:
    """With few connections and with all of them, and nobody refused."""
    with bridge(arguments, folder, []) as server:
        return {f"{count:,} connections": peak(arguments, folder, server, count)
                for count in (64, arguments.connections)}


def under_overload(arguments: argparse.Namespace, folder: Path, most_pending: int) -> str:
    """The peak, the overload with one limit of the requests that may wait, and the peak again."""
    before = peaks(arguments, folder)
    offered = 3 * max(one.rate("200") for one in before.values())
    intervals = []
    with bridge(arguments, folder, [f"--max-pending={most_pending}"]) as server:
        for one in crowd(arguments, folder, server, arguments.connections, offered, arguments.seconds,
                         min(10, arguments.seconds / 2)):
            print(f"{one.rate('200'):,.0f}/s answered, {one.rate('503'):,.0f}/s refused, {one.resident:,} bytes, "
                  f"{one.busy:.0%} of its core", file=sys.stderr, flush=True)
            intervals.append(one)
    after = {f"{name}, after it": one for name, one in peaks(arguments, folder).items()}
    return (f"`--max-pending={most_pending}`, {offered:,.0f} requests/s offered:\n\n"
            + peak_table(before | after) + "\n" + overload_table(intervals) + "\n"
            + verdicts(intervals, before | after))


def peak_table(found: dict[str, Interval]) -> str:
    return report.table(["peak, when clients ask as fast as they are answered", "answers/s", "p99, ms", "of a core, %"],
                        [[name, number(one.rate("200")), number(one.worst("200", "p99")), number(one.busy * 100)]
                         for name, one in found.items()])


def overload_table(intervals: list[Interval]) -> str:
    rows = [[name, *report.spread([one.rate(status) for one in intervals]),
             number(statistics.median(one.worst(status, "p50") for one in intervals)),
             number(statistics.median(one.worst(status, "p99") for one in intervals)),
             number(max(one.worst(status, "max") for one in intervals))]
            for status, name in {"200": "answered, 200", "503": "refused, 503", "504": "timed out, 504"}.items()]
    held_back = [one.held_back / one.seconds for one in intervals]
    return (report.table(["at three times the peak", "per second: median", "min", "max", "p50, ms", "p99, ms",
                          "longest, ms"], [*rows, ["held back by the clients", *report.spread(held_back), "", "", ""]])
            + f"\nOf its core: {statistics.median(one.busy for one in intervals):.0%}. Resident, KiB: "
            + " – ".join(number(one.resident / 1024) for one in (intervals[0], intervals[-1]))
            + f" (first and last {intervals[0].seconds:.0f} s), at most "
            + number(max(one.resident for one in intervals) / 1024) + ".\n")


def verdicts(intervals: list[Interval], found: dict[str, Interval]) -> str:
    """`found` has the peaks. That of fewer connections is higher, whatever the load; see docs/performance.md."""
    answered = statistics.median(one.rate("200") for one in intervals)
    ratios = {name: answered / one.rate("200") for name, one in found.items()}
    longest = max(one.worst("200", "max") for one in intervals)
    growth = intervals[-1].resident / intervals[len(intervals) // 10].resident - 1
    promises = {
        f"throughput within 10 % of the peak, {name}: {ratio:.2f}": ratio >= 0.9 for name, ratio in ratios.items()
    } | {
        f"answers within the timeout: {longest:,.0f} ms at most": longest <= REPLY_TIMEOUT * 1000,
        "nobody timed out": not any(one.rate("504") for one in intervals),
        f"memory is flat: {growth:+.1%} since the first tenth": growth < 0.02,
    }
    return "".join(f"- {'kept' if kept else 'BROKEN'}: {promise}\n" for promise, kept in promises.items())


class Pipeliner:
    """A client that sends requests without a pause, and reads all answers, on one connection."""

    def __init__(self, port: int, answer_size: int):
        self.answers = 0
        self._size = answer_size
        self._client = processes.connect(port)
        self._client.settimeout(None)
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._send, self._read)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        requests = memoryview(processes.request(PATH) * 1000)
        try:
            while True:
                self._client.sendall(requests)
        except OSError:
            pass  # it was stopped

    def _read(self) -> None:
        received = 0
        while more := self._client.recv(1 << 20):
            received += len(more)
            self.answers = received // self._size

    def stop(self) -> None:
        self._client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._client.close()


def others(arguments: argparse.Namespace, folder: Path, pipelines: bool) -> tuple[dict[str, float], float]:
    """What 63 connections see, and how many answers per second the one that pipelines gets."""
    with bridge(arguments, folder, []) as server:
        size = len(processes.wait_for_answer(server.port, PATH))
        pipeliner = Pipeliner(server.port, size) if pipelines else None
        # Before all others of its core: what it measures is the bridge, not its own wait for the core.
        command = ["nice", "-n", "-20", str(folder / "rate"), str(server.port), PATH, str(arguments.rate)]
        for seconds in (1, 3):  # the first is the warm-up
            answers, start = pipeliner.answers if pipeliner else 0, time.monotonic()
            done = subprocess.run([*command, str(seconds), str(size), "63"], capture_output=True, text=True)
            if done.returncode != 0:
                raise Failed(f"the client with a constant rate failed: {done.stderr}")
        theirs = (pipeliner.answers - answers) / (time.monotonic() - start) if pipeliner else 0
        if pipeliner:
            pipeliner.stop()
    latencies = json.loads(done.stdout)
    if latencies["errors"]:
        raise Failed(f"{latencies['errors']} requests without a good answer")
    return latencies, theirs


def fairness(arguments: argparse.Namespace, folder: Path) -> str:
    alone, beside, rates = [], [], []
    for i in range(arguments.rounds):
        print(f"[{i + 1}/{arguments.rounds}] fairness", file=sys.stderr, flush=True)
        alone.append(others(arguments, folder, False)[0])
        latencies, rate = others(arguments, folder, True)
        beside.append(latencies)
        rates.append(rate)
    rows = [[part, *report.spread([one[part] for one in alone]), *report.spread([one[part] for one in beside]),
             report.ratio([one[part] for one in beside], [one[part] for one in alone])]
            for part in ("p50", "p99", "p99.9")]
    return (f"63 connections, {arguments.rate:,} requests/s at a constant rate, beside one that pipelines without end "
            f"({report.with_extremes(rates)} answers/s for it); latency in µs from the time at which the request was "
            "meant to be sent.\n\n"
            + report.table(["", "alone: median", "min", "max", "beside it: median", "min", "max", "ratio"], rows))


def first_answers(server: Bridge, count: int) -> list[float]:
    """Milliseconds from the time at which all have connected and asked until each has its answer."""
    poll = select.poll()
    clients = {}
    for _ in range(count):
        client = processes.connect(server.port)
        client.sendall(processes.request(PATH))
        clients[client.fileno()] = client
        poll.register(client, select.POLLIN)
    start = time.monotonic()
    times = []
    while clients:
        for file, _ in poll.poll(1000):
            times.append((time.monotonic() - start) * 1000)
            poll.unregister(file)
            clients.pop(file).close()
        if time.monotonic() - start > 10:
            return times + [math.inf] * len(clients)
    return times


def newcomers(arguments: argparse.Namespace, folder: Path) -> str:
    count = arguments.connections
    rows = []
    for busy in (0, 64, count):
        rounds = []
        for i in range(arguments.rounds):
            print(f"[{i + 1}/{arguments.rounds}] newcomers beside {busy}", file=sys.stderr, flush=True)
            with bridge(arguments, folder, []) as server, ExitStack() as stack:
                if busy:
                    command = [str(folder / "crowd"), str(server.port), PATH, str(busy), str(WITHOUT_LIMIT),
                               "60", "1", "60"]
                    stack.enter_context(processes.running(command, CLIENT_CORE, folder / "crowd.log"))
                    time.sleep(5)  # so that the busy ones were all accepted
                rounds.append(sorted(first_answers(server, count)))
        rows.append([f"{busy:,}", *report.spread([one[len(one) // 2] for one in rounds]),
                     *report.spread([one[-1] for one in rounds])])
    header = ["busy connections", "half of them, ms: median", "min", "max", "all, ms: median", "min", "max"]
    return (f"{count:,} clients connect at once and ask, beside others that ask as fast as they are answered. Time to "
            "the first answer from the moment at which the last of them has connected; infinite if it takes over 10 s."
            "\n\n" + report.table(header, rows))


def overload(arguments: argparse.Namespace, folder: Path) -> str:
    return "\n".join(under_overload(arguments, folder, most) for most in arguments.max_pending)


SECTIONS = [overload, fairness, newcomers]


def parse_arguments() -> argparse.Namespace:
    names = [section.__name__ for section in SECTIONS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="SECTION", help=", ".join(names))
    parser.add_argument("--seconds", type=float, default=600, help="length of the overload (default: 600)")
    parser.add_argument("--connections", type=int, default=2000,
                        help="from which it comes, and of newcomers (default: 2000)")
    parser.add_argument("--on-a-connection", type=int, default=1, metavar="N",
                        help="most requests that a client sends before it has an answer (default: 1)")
    parser.add_argument("--max-pending", type=int, nargs="+", default=[65536, 1000], metavar="N",
                        help="limits of waiting requests to try (default: 65536, which is the bridge's, and 1000)")
    parser.add_argument("--neighbours", type=int, default=0, metavar="N",
                        help="busy loops that share the bridge's core, where otherwise clients and backend would be the "
                             "slower ones (default: 0)")
    parser.add_argument("--rate", type=int, default=10_000, help="requests/s of the 63 (default: 10000)")
    parser.add_argument("--rounds", type=int, default=7, help="of the sections fairness and newcomers (default: 7)")
    parser.add_argument("--programs", type=Path, default=Path("build/release"),
                        help="where causeway and code-server are (default: build/release)")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    arguments.programs = arguments.programs.resolve()
    for ending in (signal.SIGINT, signal.SIGTERM):  # in the background too, where a shell has SIGINT ignored
        signal.signal(ending, signal.default_int_handler)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    os.sched_setaffinity(0, CLIENT_CORE)

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        contenders.build_tools(folder)
        print(report.facts({"Causeway": [str(arguments.programs / "causeway"), "--version"]}))
        for section in SECTIONS:
            if section.__name__ in arguments.only:
                print(f"## {section.__name__}\n\n{section(arguments, folder)}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except Failed as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit("interrupted")
