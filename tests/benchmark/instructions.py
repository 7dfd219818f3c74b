#!/usr/bin/env python3
"""Counts the instructions that a request costs in the program, with valgrind's callgrind.

    tests/benchmark/instructions.py build/release/causeway            # count, and compare with what is recorded
    tests/benchmark/instructions.py build/release/causeway --record   # put the figures into instructions.json
    tests/benchmark/instructions.py build/release/causeway --most 1.08 --with=--access-log=/dev/null   # with other options
    tests/benchmark/instructions.py build/release/causeway --most 1.03 --watched   # while a live page is open

With 1, 64 and 1,024 connections, all of which ask in the same instant, again and again. This script plays the clients
and the backend, and stops the program (SIGSTOP) while it sends, so that each round finds the program in the same state:
unlike a time, the count hardly differs from run to run. The cost of starting is taken out by the difference of a short
and a long run. Only the thread of the event loop counts: the main thread wakes up each time the program continues, and
writes for a live page as often as a clock says, however slow valgrind makes the requests. Exits with 1 when a request
costs 3 % more than is recorded, or what --most allows. Needs valgrind.
"""
import argparse
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading

ROUNDS = {1: 1000, 64: 30, 1024: 6}  # of the long run, beyond those of the short one
SHORT = 5
RECORD = pathlib.Path(__file__).with_suffix(".json")
CODES = ["200", "301", "404", "500", "503"]
REQUEST = "GET /?statusCode={} HTTP/1.1\r\nHost: 127.0.0.1:8090\r\nUser-Agent: instructions\r\nAccept: */*\r\n\r\n"
REPLY = "Code {}: about as much text as the code server has to say about a code, on the average\n"


class Program:
    """The bridge under callgrind, its clients and its backend, and a live page if it is watched."""

    def __init__(self, path, options, connections, output, watched):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.process = subprocess.Popen(
            # Sweeps depend on time, not on requests, so they are not counted. Nor is what others ask an event loop to do,
            # as the live page does four times a second.
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", "--separate-threads=yes",
             "--toggle-collect=causeway::http::session::sweep*",
             "--toggle-collect=boost::asio::detail::executor_op<boost::asio::detail::binder0<causeway::service::event_loop::*do_complete*",
             "--collect-atstart=yes", path, "--listen", "127.0.0.1:0",
             "--upstream", "127.0.0.1:%d" % self.listener.getsockname()[1], "--threads", "1",
             "--reply-timeout", "10m", "--admin", "127.0.0.1:0" if watched else "off", *options],
            stderr=subprocess.PIPE, text=True)
        port = self.port_behind("listening on")
        self.upstream, _ = self.listener.accept()
        self.clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
        if watched:
            self.watch(self.port_behind("metrics on"))

    def port_behind(self, words):
        for line in self.process.stderr:
            if found := re.search(words + r" http://127\.0\.0\.1:(\d+)", line):
                return int(found[1])
        sys.exit("the program did not start")

    def watch(self, port):
        page = socket.create_connection(("127.0.0.1", port))
        page.sendall(b"GET /live/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        events = b""
        while events.count(b"event: state") < 2:  # by then the event loop takes samples
            events += page.recv(65536)

        def read():
            while page.recv(65536):
                pass
        threading.Thread(target=read, daemon=True).start()

    def say(self, messages):
        """Sends while the program is stopped, so that everything has arrived when it continues."""
        self.process.send_signal(signal.SIGSTOP)
        for connection, text in messages:
            connection.sendall(text.encode())
        self.process.send_signal(signal.SIGCONT)

    def round(self):
        codes = [CODES[i % len(CODES)] for i in range(len(self.clients))]
        self.say((client, REQUEST.format(code)) for client, code in zip(self.clients, codes))
        questions = b""
        while len(questions) < 4 * len(codes):
            questions += self.upstream.recv(65536)
        self.say([(self.upstream, "".join(map(REPLY.format, questions.decode().split())))])
        for client, code in zip(self.clients, codes):
            answer = client.recv(65536).decode()
            if f"Code {code}:" not in answer or not answer.endswith("}"):
                sys.exit(f"not the whole answer for {code}: {answer}")

    def end(self):
        for client in self.clients:
            client.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=120)


def counted_in(file):
    return int(re.search(r"^(?:summary|totals): (\d+)", file.read_text(), re.M)[1])


def instructions(path, options, connections, rounds, watched):
    with tempfile.TemporaryDirectory() as directory:
        output = pathlib.Path(directory, "counted")
        program = Program(path, options, connections, output, watched)
        for _ in range(rounds):
            program.round()
        program.end()
        # Of the bridge's other threads the event loop does most; shape.cpp has one thread for all.
        main, *others = sorted(output.parent.glob("counted-*"))
        return max(map(counted_in, others or [main]))


def instructions_of_a_request(path, options, connections, watched):
    rounds = ROUNDS[connections] * (3 if watched else 1)  # samples fall where the time has come to
    short = instructions(path, options, connections, SHORT, watched)
    return (instructions(path, options, connections, SHORT + rounds, watched) - short) / (rounds * connections)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the bridge, built with the preset release")
    parser.add_argument("--record", action="store_true", help="record the figures instead of comparing them")
    parser.add_argument("--with", dest="options", action="append", default=[], metavar="OPTION",
                        help="start the program with it too, such as --with=--access-log=/dev/null")
    parser.add_argument("--watched", action="store_true", help="count while a live page is open")
    parser.add_argument("--most", type=float, default=1.03, help="the ratio to what is recorded that is still good")
    options = parser.parse_args()
    recorded = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    counted = {}
    worse = False
    print("connections  instructions  recorded  ratio")
    for connections in ROUNDS:
        def count_once():
            return round(instructions_of_a_request(options.program, options.options, connections, options.watched))
        count = count_once()
        before = recorded.get(str(connections))
        if before is not None and count > before * options.most:  # one count in twenty is too high by a hundredth
            count = min(count, count_once())
        counted[str(connections)] = count
        print(f"{connections:11}  {count:12}  {before or '-':>8}  {f'{count / before:.3f}' if before else '-':>5}", flush=True)
        worse |= before is not None and count > before * options.most
    if options.record:
        RECORD.write_text(json.dumps(counted) + "\n")
    elif worse:
        sys.exit(f"a request costs over {options.most - 1:.0%} more than {RECORD.name} says; mend it, or record why not")


if __name__ == "__main__":
    main()
