#!/usr/bin/python3
"""Compares Causeway with other bridges, and with the floor: the least that a bridge could cost on this machine.

    tests/benchmark/run.py                                   everything, 45 minutes; leave the machine alone meanwhile
    tests/benchmark/run.py --only comparison coalesce        some sections
    tests/benchmark/run.py --rounds 1 --seconds 1            a quick look
    tests/benchmark/run.py --output FILE --chart FILE.svg    where the tables and the chart go

Needs two cores, g++, wrk, openssl and python3-matplotlib. Contenders that are not installed are skipped and named.
Each run checks the answers first. The server has core 0 to itself; clients and backend share core 1.
"""

import argparse
import asyncio
import itertools
import json
import os
import resource
import select
import signal
import socket
import ssl
import statistics
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import contenders
import processes
import report
import tls
from contenders import (CAUSEWAY, COALESCE, CONSTANT, FLOOR, GO, HAPROXY, NGINX_LUA, NODE, SHAPE, WEBDIS,
                        WITH_TLS, Contender)
from processes import CLIENT_CORE, SERVER_CORE, Failed
from report import number, spread, with_extremes

HERE = Path(__file__).parent
BOTH_CORES = SERVER_CORE | CLIENT_CORE
Result = TypeVar("Result")


@dataclass
class Bench:
    """The settings that all sections share."""

    programs: Path
    folder: Path
    rounds: int
    seconds: float
    texts: dict[str, str]  # what the backend says, by code
    failures: list[str]

    def paths(self, contender: Contender) -> dict[str, str]:
        return {code: contender.path.format(code) for code in self.texts}

    def body(self, code: str) -> str:
        return json.dumps({"data": self.texts[code] + "\n"}, separators=(",", ":"))


@dataclass(frozen=True)
class Server:
    """A running contender."""

    process: int
    port: int
    exec_time: float  # by time.monotonic()
    tls: ssl.SSLContext | None  # for its clients


@dataclass(frozen=True)
class Load:
    connections: int = 64
    all_codes: bool = False
    head: int = 0  # bytes of each request's head, with the fields of a browser; 0 for wrk's own three lines


@dataclass(frozen=True)
class Cost:
    per_request: float  # CPU time of the server, µs
    in_program: float  # the part of it that is not the kernel's
    rate: float  # requests per second
    answer_size: float  # bytes
    threads: list[float]  # CPU time of each thread, µs, the busiest first


@contextmanager
def serving(bench: Bench, contender: Contender, threads: int = 1, cores: set[int] = SERVER_CORE,
            backend: int | None = None, options: tuple[str, ...] = ()) -> Iterator[Server]:
    """The contender, in front of `backend` or of a new one of its own kind. It need not answer yet."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=bench.folder)))
        if backend is None:
            backend = stack.enter_context(
                contenders.running_backend(contender.backend, bench.programs, folder, bench.texts))
        certificate = tls.make_certificate(folder) if contender.tls else None
        start = contenders.Start(processes.free_port(), backend, folder, bench.programs, bench.folder, threads,
                                 bench.body("404"), certificate)
        command = [*contender.command(start), *options]
        now = time.monotonic()
        process = stack.enter_context(
            processes.running(command, cores, folder / "server.log", contender.environment(start)))
        yield Server(process, start.port, now, tls.trusting(certificate) if certificate else None)


# What Firefox sends with a request of a script.
BROWSER = ["User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
           "Accept: application/json, text/plain, */*", "Accept-Language: en-GB,en;q=0.7,de;q=0.3",
           "Accept-Encoding: gzip, deflate, br, zstd", "Referer: https://shop.example.org/checkout", "DNT: 1",
           "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: cors", "Sec-Fetch-Site: same-origin", "Priority: u=4"]


def fields(head: int) -> list[str]:
    """Options for wrk that make the head of its requests about that long: a browser's fields, the rest is a cookie."""
    if head == 0:
        return []
    wrks_own = len("GET /?statusCode=404 HTTP/1.1\r\nHost: 127.0.0.1:12345\r\n\r\n")
    cookie = head - wrks_own - len("".join(BROWSER)) - 2 * len(BROWSER) - len("Cookie: id=\r\n")
    return [f"-H{field}" for field in [*BROWSER, "Cookie: id=" + "x" * cookie]]


def wrk(server: Server, paths: list[str], connections: int, seconds: float, cores: set[int],
        script: str = "codes.lua", head: int = 0) -> dict[str, int]:
    address = f"{'https' if server.tls else 'http'}://127.0.0.1:{server.port}"
    command = ["taskset", "-c", ",".join(map(str, sorted(cores))), "wrk", "-t1", f"-c{connections}",
               f"-d{max(1, round(seconds))}s", *fields(head), "-s", str(HERE / script), address, "--", *paths]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0 or not done.stdout.strip():
        raise Failed(f"wrk failed: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def check_load(counts: dict[str, int], answer_size: int | None, connections: int) -> None:
    """Raises Failed unless all answers were good and, if it is known, of the right size."""
    if counts["requests"] == 0 or counts["socket_errors"] or counts["not_2xx"]:
        raise Failed(f"not all requests were answered well: {counts}")
    # An answer on each connection may have been cut by the end of the run.
    if answer_size and abs(counts["bytes"] - counts["requests"] * answer_size) > connections * answer_size:
        raise Failed(f"answers should have {answer_size} bytes: {counts}")


def check_answers(bench: Bench, contender: Contender, server: Server) -> bytes:
    """Waits until the contender answers, and asks for all codes. Returns its answer to 404."""
    paths = bench.paths(contender)
    answer = processes.wait_for_answer(server.port, paths["404"], server.tls)
    marks = {code: f"Code {contender.code_shown(code)}:" for code in bench.texts}
    asyncio.run(processes.check_answers(server.port, paths, marks, server.tls))
    return answer


def cost_of(bench: Bench, contender: Contender, load: Load, threads: int = 1, cores: set[int] = SERVER_CORE) -> Cost:
    """Starts a contender, checks its answers, warms it up, and measures what a request costs it."""
    all_paths = bench.paths(contender)
    paths = list(all_paths.values()) if load.all_codes else [all_paths["404"]]
    clients = CLIENT_CORE if cores == SERVER_CORE else BOTH_CORES
    with serving(bench, contender, threads, cores) as server:
        answer = check_answers(bench, contender, server)
        return measure(bench, server,
                       lambda seconds: wrk(server, paths, load.connections, seconds, clients, head=load.head),
                       len(answer) if len(paths) == 1 else None, load.connections)


def cost_of_payment(bench: Bench, connections: int) -> Cost:
    """The same for payments, each of which must be answered with 200 and a message of the same size."""
    with serving(bench, contenders.CAUSEWAY_PAYMENTS) as server:
        processes.wait_for_port(server.port)
        return measure(bench, server,
                       lambda seconds: wrk(server, [], connections, seconds, CLIENT_CORE, "payments.lua"),
                       None, connections)


def measure(bench: Bench, server: Server, load: Callable[[float], dict[str, int]], answer_size: int | None,
            connections: int) -> Cost:
    """Warms a server up, and measures what a request costs it under `load`, which gets its seconds."""
    load(1)

    user, system = processes.user_and_system_ticks(server.process)
    before = processes.thread_times(server.process)
    counts = load(bench.seconds)
    after = processes.thread_times(server.process)
    user_after, system_after = processes.user_and_system_ticks(server.process)

    check_load(counts, answer_size, connections)
    per_request = (sum(after) - sum(before)) / counts["requests"]
    ticks = user_after - user + system_after - system
    return Cost(per_request, per_request * (user_after - user) / max(1, ticks),
                counts["requests"] / counts["microseconds"] * 1e6, counts["bytes"] / counts["requests"],
                [late - early for late, early in zip(after, before)])


def in_turn(bench: Bench, section: str, cases: dict[str, Callable[[], Result]]) -> dict[str, list[Result]]:
    """Runs A B C A B C ..., so that a slow minute of the machine affects all. A case that fails is left out."""
    results: dict[str, list[Result]] = {name: [] for name in cases}
    for i in range(bench.rounds * len(cases)):
        name = list(cases)[i % len(cases)]
        print(f"[{i + 1}/{bench.rounds * len(cases)}] {section}: {name}", file=sys.stderr, flush=True)
        try:
            results[name].append(cases[name]())
        except (Failed, OSError) as problem:  # OSError: the server has closed a connection, or has ended
            bench.failures.append(f"{section}, {name}: {problem}")
            print(f"FAILED: {problem}", file=sys.stderr, flush=True)
    return {name: values for name, values in results.items() if values}


def installed(wanted: list[Contender]) -> list[Contender]:
    return [contender for contender in wanted if not contender.missing()]


COST_HEADER = ["CPU per request, µs: median", "min", "max", "of it in the program", "requests/s", "of a core, %"]


def cost_columns(costs: list[Cost]) -> list[str]:
    return [*spread([cost.per_request for cost in costs]), number(statistics.median(cost.in_program for cost in costs)),
            number(statistics.median(cost.rate for cost in costs)),
            number(statistics.median(cost.rate * cost.per_request / 1e4 for cost in costs))]


def times(costs: list[Cost], reference: list[Cost]) -> str:
    return report.ratio([cost.per_request for cost in costs], [cost.per_request for cost in reference])


def comparison(bench: Bench, chart: Path) -> str:
    cases = {one.name: lambda one=one: cost_of(bench, one, Load()) for one in installed(contenders.ALL)}
    results = in_turn(bench, "comparison", cases)
    if results:
        report.draw_chart(chart, {name: [cost.per_request for cost in costs] for name, costs in results.items()},
                          {name: [cost.in_program for cost in costs] for name, costs in results.items()})
    rows = [[name, *cost_columns(costs), times(costs, results.get(FLOOR.name, [])), number(costs[0].answer_size)]
            for name, costs in results.items()]
    return ("One thread, 64 connections, one code. The rate of the quickest is limited by wrk and the backend, which "
            "share a core: compare the cost. A program that has less than the whole core wakes up more often, for fewer "
            "requests at a time, which costs more for each.\n\n"
            + report.table(["", *COST_HEADER, "× floor", "bytes per answer"], rows))


def connections(bench: Bench, chart: Path) -> str:
    loads = {f"{count} connected": Load(count) for count in (1, 64, 256, 1024)}
    loads["64 connected, all codes"] = Load(64, all_codes=True)
    names = {f"{label}: {one.name}": (label, one, load) for label, load in loads.items()
             for one in installed([FLOOR, SHAPE, CONSTANT, CAUSEWAY, NGINX_LUA])}
    results = in_turn(bench, "connections", {name: lambda one=one, load=load: cost_of(bench, one, load)
                                             for name, (_, one, load) in names.items()})
    rows = [[name, *cost_columns(costs), times(costs, results.get(f"{names[name][0]}: {FLOOR.name}", []))]
            for name, costs in results.items()]
    return "One thread.\n\n" + report.table(["", *COST_HEADER, "× floor"], rows)


def clients(bench: Bench, chart: Path) -> str:
    loads = {"wrk's own head": Load(), "head of 600 bytes": Load(head=600), "head of 1,200 bytes": Load(head=1_200),
             "head of 1,200 bytes, all codes": Load(head=1_200, all_codes=True)}
    names = {f"{label}: {one.name}": (label, one, load) for label, load in loads.items()
             for one in installed([FLOOR, CONSTANT, CAUSEWAY])}
    results = in_turn(bench, "clients", {name: lambda one=one, load=load: cost_of(bench, one, load)
                                         for name, (_, one, load) in names.items()})
    rows = [[name, *cost_columns(costs), times(costs, results.get(f"{names[name][0]}: {FLOOR.name}", []))]
            for name, costs in results.items()]
    visits = in_turn(bench, "connections of one request", {one.name: lambda one=one: cost_of_connection(bench, one)
                                                           for one in installed([CONSTANT, CAUSEWAY])})
    return ("One thread, 64 connections; heads as browsers send them.\n\n"
            + report.table(["", *COST_HEADER, "× floor"], rows)
            + f"\nConnections with one request each, {tls.CLIENTS} at a time, from accept to close:\n\n"
            + report.table(["", "CPU per connection, µs"], [[name, with_extremes(costs)] for name, costs in visits.items()]))


def threads(bench: Bench, chart: Path) -> str:
    ways = {"1 thread on its own core": (64, 1, SERVER_CORE), "1 thread on both cores": (64, 1, BOTH_CORES),
            "2 threads on both cores": (64, 2, BOTH_CORES),
            "2 threads, 128 connections": (128, 2, BOTH_CORES)}  # so each has as many to wake up for as the one
    sharing = "1 thread on both cores"
    names = {f"{way}: {one.name}": (way, one) for way in ways for one in (FLOOR, CAUSEWAY)}

    def cost(name: str) -> Cost:
        way, one = names[name]
        connections, count, cores = ways[way]
        return cost_of(bench, one, Load(connections), count, cores)

    results = in_turn(bench, "threads", {name: lambda name=name: cost(name) for name in names})
    # The kernel assigns each connection to one of the threads' listening sockets, by a hash: seldom half and half.
    shares = {name: [cost.threads[0] / sum(cost.threads) * 100 for cost in costs] for name, costs in results.items()}
    rows = [[name, *cost_columns(costs), times(costs, results.get(f"{sharing}: {names[name][1].name}", [])),
             " – ".join(map(number, (min(shares[name]), max(shares[name]))))] for name, costs in results.items()]
    return ("64 connections. On both cores the threads share them with wrk and the backend, so only the cost of a "
            "request can be compared, not the rate. The floor has processes instead of threads.\n\n"
            + report.table(["", *COST_HEADER, f"× {sharing}", "the busier thread's part of the work, %"], rows))


def ask_at_rate(bench: Bench, contender: Contender, rate: float) -> dict[str, float]:
    path = bench.paths(contender)["404"]
    with serving(bench, contender) as server:
        answer = processes.wait_for_answer(server.port, path)
        command = [str(bench.folder / "rate"), str(server.port), path, f"{rate:.0f}"]
        for seconds in (1, bench.seconds):  # the first is the warm-up
            done = subprocess.run([*command, str(seconds), str(len(answer))], capture_output=True, text=True)
            if done.returncode != 0:
                raise Failed(f"the client with a constant rate failed: {done.stderr}")
    latencies = json.loads(done.stdout)
    if latencies["errors"]:
        raise Failed(f"{latencies['errors']} requests without a good answer at {rate:.0f}/s")
    return latencies


def latency(bench: Bench, chart: Path) -> str:
    if not installed([NGINX_LUA]):
        return "Skipped: nginx + Lua is not installed.\n"
    costs = in_turn(bench, "peak rate for latency", {one.name: lambda one=one: cost_of(bench, one, Load())
                                                     for one in (CAUSEWAY, NGINX_LUA)})
    if len(costs) < 2:
        return "Skipped: the peak rates are not known.\n"
    ours, theirs = (statistics.median(cost.rate for cost in costs[one.name]) for one in (CAUSEWAY, NGINX_LUA))
    # At nine tenths of its maximum, a server already has a queue.
    rate = ours / 2 if ours / 2 < 0.9 * theirs else theirs / 2
    results = in_turn(bench, "latency", {one.name: lambda one=one: ask_at_rate(bench, one, rate)
                                         for one in (FLOOR, CAUSEWAY, NGINX_LUA)})
    rows = [[name, *(cell for part in ("p50", "p99", "p99.9") for cell in spread([one[part] for one in values]))]
            for name, values in results.items()]
    header = [name for part in ("p50", "p99", "p99.9") for name in (f"{part}, µs: median", "min", "max")]
    return (f"{rate:,.0f} requests/s at a constant rate on 64 connections; latency from the time at which the request "
            f"was meant to be sent.\n\n" + report.table(["", *header], rows))


def crowd(server: Server, path: str, count: int) -> list:
    """`count` connections, each of which has had one answer."""
    clients = []
    for _ in range(count):
        clients.append(processes.connect(server.port, server.tls))
        processes.get(clients[-1], path)
    return clients


def most_connections(wanted: int) -> int:
    """As many as this program, and a server with the same limit of open files, can have."""
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)


def idle_memory(bench: Bench, contender: Contender, connections: int = 10_000) -> float:
    path = bench.paths(contender)["404"]
    with serving(bench, contender) as server:
        processes.wait_for_answer(server.port, path, server.tls)
        before = processes.resident_bytes(server.process)
        clients = crowd(server, path, most_connections(connections))
        time.sleep(1)  # for what is tidied up after a request
        used = processes.resident_bytes(server.process) - before
        for client in clients:
            client.close()
    return used / len(clients)


def waiting_memory(bench: Bench) -> float:
    """In addition to the connection's own: each has been used before, for a request that needs no backend."""
    with socket.create_server(("127.0.0.1", 0)) as silent, \
            serving(bench, CAUSEWAY, backend=silent.getsockname()[1], options=("--reply-timeout=30s",)) as server:
        processes.wait_for_port(server.port)
        clients = crowd(server, "/no-code", most_connections(5_000))
        time.sleep(1)
        before = processes.resident_bytes(server.process)
        for client in clients:
            client.sendall(processes.request("/?statusCode=404"))
        time.sleep(1)
        used = processes.resident_bytes(server.process) - before
        poll = select.poll()
        for client in clients:
            poll.register(client, select.POLLIN)
        if poll.poll(0):
            raise Failed("a request that should wait was answered")
        for client in clients:
            client.close()
    return used / len(clients)


def memory_of_all_codes(bench: Bench) -> float:
    """What is left of 62³ different codes, per code: pipelined, so that it does not take long."""
    characters = string.digits + string.ascii_letters
    codes = ["".join(code) for code in itertools.product(characters, repeat=3)]
    with serving(bench, CAUSEWAY) as server:
        processes.wait_for_answer(server.port, bench.paths(CAUSEWAY)["404"])
        client = processes.connect(server.port)
        for i in range(0, len(codes), 32):
            if i == 3200:  # all buffers have their size
                before = processes.resident_bytes(server.process)
            asked = codes[i:i + 32]
            client.sendall(b"".join(processes.request(f"/?statusCode={code}") for code in asked))
            answers = b""
            while answers.count(b'\\n"}') < len(asked):
                more = client.recv(65536)
                if not more:
                    raise Failed("closed before all codes were answered")
                answers += more
            if answers.count(b"HTTP/1.1 200 OK") != len(asked):
                raise Failed(f"not every code of {asked} was answered")
        used = processes.resident_bytes(server.process) - before
        client.close()
    return used / len(codes)


def memory(bench: Bench, chart: Path) -> str:
    cases = {f"idle connection: {one.name}": lambda one=one: idle_memory(bench, one)
             for one in installed([CAUSEWAY, NGINX_LUA, GO, NODE])}
    cases["waiting request: Causeway"] = lambda: waiting_memory(bench)
    cases["code asked before: Causeway"] = lambda: memory_of_all_codes(bench)
    rows = [[name, *spread(values)] for name, values in in_turn(bench, "memory", cases).items()]
    return (f"Resident bytes, without the kernel's own. {most_connections(10_000):,} idle connections, each used once; "
            f"{most_connections(5_000):,} waiting requests, on top of their connections; 62³ different codes, one after "
            "the other.\n\n"
            + report.table(["bytes per", "median", "min", "max"], rows))


def start_time(bench: Bench, contender: Contender) -> float:
    with serving(bench, contender) as server:
        processes.wait_for_answer(server.port, bench.paths(contender)["404"])
        return (time.monotonic() - server.exec_time) * 1000


def start(bench: Bench, chart: Path) -> str:
    cases = {one.name: lambda one=one: start_time(bench, one)
             for one in installed([CAUSEWAY, NGINX_LUA, WEBDIS, GO, NODE])}
    rows = [[name, *spread(values)] for name, values in in_turn(bench, "start", cases).items()]
    return ("From exec to the first good answer, asked for once a millisecond; the backend runs already.\n\n"
            + report.table(["ms", "median", "min", "max"], rows))


def coalesce(bench: Bench, chart: Path) -> str:
    usage = subprocess.run([bench.programs / "causeway", "--help"], capture_output=True, text=True).stdout
    if "--coalesce" not in usage:
        return "Skipped: this causeway has no option `--coalesce`.\n"
    results = in_turn(bench, "coalesce", {one.name: lambda one=one: cost_of(bench, one, Load(256))
                                          for one in (CAUSEWAY, COALESCE)})
    rows = [[name, *cost_columns(costs)] for name, costs in results.items()]
    return "One thread, 256 connections, one code.\n\n" + report.table(["", *COST_HEADER], rows)


def cost_of_connection(bench: Bench, contender: Contender, resume: bool = False) -> float:
    """CPU time of the server from accept to close, with one request and, over TLS, a handshake; µs."""
    path = bench.paths(contender)["404"]
    with serving(bench, contender) as server:
        check_answers(bench, contender, server)
        visitors = tls.Visitors(server.port, path, server.tls, resume)
        visitors.come_and_go(1)

        before = processes.thread_times(server.process)
        count = visitors.come_and_go(bench.seconds)
        return (sum(processes.thread_times(server.process)) - sum(before)) / count


def https_table(bench: Bench, unit: str, ways: dict[str, Callable[[Contender], float]]) -> str:
    """Each contender in each way, the first of which is without TLS: the difference is the cost of TLS."""
    names = {(one.name, way): f"{one.name}, {way}" for one in installed(WITH_TLS) for way in ways}
    cases = {names[one.name, way]: lambda one=one, measure=measure: measure(one)
             for one in installed(WITH_TLS) for way, measure in ways.items()}
    results = in_turn(bench, f"https, {unit}", cases)
    rows = []
    for one in installed(WITH_TLS):
        plain, *secure = [results.get(names[one.name, way], []) for way in ways]
        rows.append([one.name, *map(with_extremes, [plain, *secure]),
                     *(report.difference(values, plain) for values in secure)])
    return report.table([unit, *ways, *(f"{way}: what TLS costs" for way in list(ways)[1:])], rows)


def https(bench: Bench, chart: Path) -> str:
    requests = https_table(bench, "CPU per request, µs", {
        "HTTP": lambda one: cost_of(bench, one, Load()).per_request,
        "HTTPS": lambda one: cost_of(bench, one.over_tls(), Load()).per_request})
    visits = https_table(bench, "CPU per connection, µs", {
        "HTTP": lambda one: cost_of_connection(bench, one),
        "HTTPS, full handshake": lambda one: cost_of_connection(bench, one.over_tls()),
        "HTTPS, resumed": lambda one: cost_of_connection(bench, one.over_tls(), resume=True)})
    idle = https_table(bench, "bytes per idle connection", {
        "HTTP": lambda one: idle_memory(bench, one, 1000),
        "HTTPS": lambda one: idle_memory(bench, one.over_tls(), 1000)})
    return (f"{processes.TLS_VERSION}, {processes.TLS_CIPHER}, X25519, a certificate with ECDSA P-256; one "
            "thread. Median (minimum – maximum); differences are taken round by round.\n\n"
            f"Requests on 64 connections that stay:\n\n{requests}\n"
            f"Connections with one request each, {tls.CLIENTS} at a time, from accept to close:\n\n{visits}\n"
            f"1,000 idle connections, each used once; resident bytes, without the kernel's own:\n\n{idle}")


def payments(bench: Bench, chart: Path) -> str:
    cases = {f"{what}, {count} connected": lambda measure=measure, count=count: measure(count)
             for count in (1, 64) for what, measure in {
                 "code": lambda count: cost_of(bench, CAUSEWAY, Load(count)),
                 "payment": lambda count: cost_of_payment(bench, count)}.items()}
    rows = [[name, *cost_columns(costs), number(costs[0].answer_size)]
            for name, costs in in_turn(bench, "payments", cases).items()]
    return ("One thread, the dialect postilion, thirteen fields in the message and eleven in the reply.\n\n"
            + report.table(["", *COST_HEADER, "bytes per answer"], rows))


SECTIONS = [comparison, connections, clients, threads, latency, memory, start, coalesce, https, payments]


def machine_facts(programs: Path) -> str:
    every = [*contenders.ALL, HAPROXY]
    versions = {"g++": ["g++", "--version"], "wrk": ["dpkg-query", "-W", "wrk"], "OpenSSL": ["openssl", "version"]}
    for one in installed(every):
        if one != FLOOR:
            versions[one.name] = one.version if one != CAUSEWAY else [str(programs / "causeway"), "--version"]
    facts = report.facts(versions)
    for one in every:
        if one.missing():
            facts += f"- skipped, not installed: {one.name} ({', '.join(one.missing())})\n"
    return facts


def parse_arguments() -> argparse.Namespace:
    names = [section.__name__ for section in SECTIONS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="SECTION", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=5, help="runs of each contender (default: 5)")
    parser.add_argument("--seconds", type=int, default=3, help="length of a measured run (default: 3)")
    parser.add_argument("--programs", type=Path, default=Path("build/release"),
                        help="where causeway and code-server are (default: build/release)")
    parser.add_argument("--output", type=Path, help="a file for the tables, besides standard output")
    parser.add_argument("--chart", type=Path, default=Path("docs/performance.svg"),
                        help="the chart of the section comparison (default: docs/performance.svg)")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    for ending in (signal.SIGINT, signal.SIGTERM):  # in the background too, where a shell has SIGINT ignored
        signal.signal(ending, signal.default_int_handler)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    os.sched_setaffinity(0, CLIENT_CORE)

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        contenders.build_tools(folder)
        programs = arguments.programs.resolve()
        bench = Bench(programs, folder, arguments.rounds, arguments.seconds,
                      contenders.catalogue(programs, folder), [])
        output = f"{machine_facts(programs)}- {bench.rounds} rounds of {bench.seconds} s\n"
        print(output, flush=True)
        for section in SECTIONS:
            if section.__name__ in arguments.only:
                text = f"\n## {section.__name__}\n\n{section(bench, arguments.chart)}"
                print(text, flush=True)
                output += text
    if bench.failures:
        text = "\n## Failed\n\n" + "".join(f"- {failure}\n" for failure in bench.failures)
        print(text, flush=True)
        output += text
    if arguments.output:
        arguments.output.write_text(output)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
