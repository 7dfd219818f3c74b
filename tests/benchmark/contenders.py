"""The programs that are compared: how each is started, and why that is fair."""

import json
import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from processes import CLIENT_CORE, free_port, running, wait_for_port

HERE = Path(__file__).parent
LUA = "/usr/lib/nginx/modules/ngx_http_lua_module.so"
EXPRESS = "/usr/share/nodejs/express/package.json"


@dataclass(frozen=True)
class Start:
    """The parts of a contender's command line."""

    port: int
    backend: int  # its port
    folder: Path  # for its files
    programs: Path  # where causeway and code-server are
    tools: Path  # where the programs built from this folder are
    threads: int
    constant: str  # the body of the answer to 404
    certificate: Path | None  # a PEM file, its key beside it in one named NAME.key; none for plain HTTP


@dataclass(frozen=True)
class Contender:
    name: str
    needs: list[str]
    command: Callable[[Start], list[str]]
    version: list[str]
    path: str = "/?statusCode={}"
    backend: str = "code-server"
    environment: Callable[[Start], dict[str, str]] = lambda start: {}
    tls: bool = False

    def missing(self) -> list[str]:
        return [need for need in self.needs if not shutil.which(need) and not Path(need).exists()]

    def code_shown(self, asked: str) -> str:
        """The code that is named by the answer to `asked`."""
        return asked if "{}" in self.path else "404"

    def over_tls(self) -> "Contender":
        return replace(self, name=f"{self.name}, HTTPS", tls=True)


def causeway(start: Start) -> list[str]:
    """With its defaults, so with all its limits and timeouts. Only the number of threads is set, to that of the others."""
    tls = [f"--tls-certificate={start.certificate}", f"--tls-private-key={start.certificate}.key"]
    return [str(start.programs / "causeway"), f"--listen=127.0.0.1:{start.port}",
            f"--upstream=127.0.0.1:{start.backend}", f"--threads={start.threads}", *(tls if start.certificate else [])]


def causeway_coalesce(start: Start) -> list[str]:
    """Sends fewer messages than it gets requests, unlike all others: never in one table with them."""
    return [*causeway(start), "--coalesce"]


def causeway_payments(start: Start) -> list[str]:
    return [*causeway(start), "--protocol=iso8583"]


def floor(start: Start) -> list[str]:
    """Not a competitor but a yardstick: nothing that does this work with a system call for each answer can cost less."""
    return [str(start.tools / "floor"), str(start.port), str(start.backend), str(start.threads)]


def shape(start: Start) -> list[str]:
    """A yardstick too: a coroutine, a channel and a race for each request, and no more than the floor does beyond that."""
    return [str(start.tools / "shape"), f"--listen=127.0.0.1:{start.port}", f"--upstream=127.0.0.1:{start.backend}"]


def filled_in(name: str, folder: Path, values: dict[str, object]) -> Path:
    """The file `name` of this folder with a value for each @NAME@, written into `folder`."""
    text = (HERE / name).read_text()
    for value_name, value in values.items():
        text = text.replace(f"@{value_name}@", str(value))
    file = folder / name
    file.write_text(text)
    return file


def nginx_with(configuration: Path, start: Start) -> list[str]:
    return ["nginx", "-e", "stderr", "-p", str(start.folder), "-c", str(configuration)]


def nginx_lua(start: Start) -> list[str]:
    return nginx_with(filled_in("nginx.conf", start.folder, {"FOLDER": start.folder, "PORT": start.port,
                                                             "BACKEND": start.backend, "WORKERS": start.threads}), start)


def nginx_constant(start: Start) -> list[str]:
    """It has no backend: its cost is HTTP alone, and a bridge has the cost of the backend in addition."""
    constant = start.constant.replace("\\", "\\\\").replace("'", "\\'")
    certificate = (f"ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {start.certificate}; "
                   f"ssl_certificate_key {start.certificate}.key;")
    values = {"FOLDER": start.folder, "PORT": start.port, "WORKERS": start.threads, "CONSTANT": constant,
              "SSL": "ssl" if start.certificate else "", "SSL_CERTIFICATE": certificate if start.certificate else ""}
    return nginx_with(filled_in("nginx_constant.conf", start.folder, values), start)


def haproxy(start: Start) -> list[str]:
    """As a constant, it has no backend either."""
    constant = start.folder / "constant.json"
    constant.write_text(start.constant)
    tls = f"ssl crt {start.certificate} alpn http/1.1" if start.certificate else ""
    values = {"THREADS": start.threads, "PORT": start.port, "BACKEND": start.backend, "CONSTANT_FILE": constant,
              "TLS": tls}
    return ["haproxy", "-db", "-f", str(filled_in("haproxy.cfg", start.folder, values))]


def haproxy_and_causeway(start: Start) -> list[str]:
    """HAProxy speaks with the clients, over TLS or not, and with Causeway over HTTP. Both are counted."""
    between = free_port()
    behind = shlex.join(causeway(replace(start, port=between, certificate=None)))
    # Causeway becomes HAProxy's child, so it counts as part of it.
    return ["sh", "-c", f"{behind} & exec {shlex.join(haproxy(replace(start, backend=between)))}"]


def go(start: Start) -> list[str]:
    """See bridge.go. GOMAXPROCS is what --threads is for Causeway."""
    return [str(start.tools / "bridge-go"), str(start.port), str(start.backend)]


def node(start: Start) -> list[str]:
    """See bridge.js. NODE_ENV=production is what Express's manual advises for speed."""
    return ["node", str(HERE / "bridge.js"), str(start.port), str(start.backend)]


def webdis(start: Start) -> list[str]:
    """The best known program of this kind: in C, an event loop between HTTP and a TCP server, without a log here.

    It speaks only to Redis, so Redis holds the same texts, in memory alone. Its answers have more header fields.
    """
    settings = {"redis_host": "127.0.0.1", "redis_port": start.backend, "http_host": "127.0.0.1",
                "http_port": start.port, "threads": start.threads, "daemonize": False, "verbosity": 0,
                "logfile": "/dev/null", "database": 0}
    file = start.folder / "webdis.json"
    file.write_text(json.dumps(settings))
    return ["webdis", str(file)]


CAUSEWAY = Contender("Causeway", [], causeway, ["causeway", "--version"])
COALESCE = Contender("Causeway --coalesce", [], causeway_coalesce, ["causeway", "--version"])
CAUSEWAY_PAYMENTS = Contender("Causeway, payments", [], causeway_payments, ["causeway", "--version"],
                              backend="iso8583-host")
FLOOR = Contender("floor", [], floor, ["g++", "--version"])
SHAPE = Contender("shape alone", [], shape, ["g++", "--version"])
CONSTANT = Contender("nginx, constant", ["nginx"], nginx_constant, ["nginx", "-v"], path="/constant")
NGINX_LUA = Contender("nginx + Lua", ["nginx", LUA], nginx_lua, ["nginx", "-v"])
HAPROXY = Contender("HAProxy, constant", ["haproxy"], haproxy, ["haproxy", "-v"], path="/constant")
HAPROXY_CAUSEWAY = Contender("HAProxy in front of Causeway", ["haproxy"], haproxy_and_causeway, ["haproxy", "-v"])
GO = Contender("Go net/http", ["go"], go, ["go", "version"],
               environment=lambda start: {"GOMAXPROCS": str(start.threads)})
NODE = Contender("Node + Express", ["node", EXPRESS], node, ["node", "--version"],
                 environment=lambda start: {"NODE_PATH": "/usr/share/nodejs", "NODE_ENV": "production"})
WEBDIS = Contender("webdis + Redis", ["webdis", "redis-server"], webdis, ["dpkg-query", "-W", "webdis"],
                   path="/GET/{}", backend="redis")

ALL = [FLOOR, CONSTANT, CAUSEWAY, NGINX_LUA, WEBDIS, GO, NODE]
WITH_TLS = [CAUSEWAY, CONSTANT, HAPROXY, HAPROXY_CAUSEWAY]  # over_tls makes those of HTTPS of them


def build_tools(folder: Path) -> None:
    """The floor, the shape, the clients with a constant rate, and the bridge in Go, if it can be built here."""
    for name in ("floor", "rate", "crowd"):
        subprocess.run(["g++", "-O2", "-std=c++20", str(HERE / f"{name}.cpp"), "-o", str(folder / name)], check=True)
    build_shape(folder / "shape")
    if shutil.which("go"):
        subprocess.run(["go", "build", "-o", str(folder / "bridge-go"), str(HERE / "bridge.go")], check=True,
                       env=os.environ | {"GO111MODULE": "off"})


def build_shape(program: Path) -> None:
    """Compiled as the bridge is, see source/CMakeLists.txt."""
    source = HERE.parent.parent / "source"
    subprocess.run(["g++", "-O2", "-DNDEBUG", "-std=c++20", "-pthread", f"-I{source}",
                    "-DBOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC", "-DBOOST_ASIO_DISABLE_BOOST_ALIGN",
                    str(HERE / "shape.cpp"), str(source / "net/clock.cpp"), "-o", str(program)], check=True)


@contextmanager
def running_backend(kind: str, programs: Path, folder: Path, texts: dict[str, str]) -> Iterator[int]:
    """A server of this project, or Redis with the same `texts`, on the clients' core. Returns its port."""
    port = free_port()
    if kind == "redis":
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                   "--dir", str(folder), "--loglevel", "warning"]
    else:
        command = [str(programs / kind), f"--listen=127.0.0.1:{port}", "--log-level=error"]
    with running(command, CLIENT_CORE, folder / f"{kind}.log"):
        wait_for_port(port)
        if kind == "redis":
            fill_redis(port, texts)
        yield port


def fill_redis(port: int, texts: dict[str, str]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as redis:
        for code, text in texts.items():
            words = ["SET", code, text + "\n"]
            redis.sendall("".join([f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)]).encode())
        lines = redis.makefile("rb")
        for _ in texts:
            if lines.readline() != b"+OK\r\n":
                raise RuntimeError("Redis did not take a text")


def catalogue(programs: Path, folder: Path) -> dict[str, str]:
    """What the code server says about each code that it knows, without the line feed."""
    with running_backend("code-server", programs, folder, {}) as port:
        codes = [str(code) for code in range(100, 600)]
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall("".join(code + "\n" for code in codes).encode())
            lines = client.makefile("r")
            replies = {code: lines.readline().rstrip("\n") for code in codes}
    return {code: reply for code, reply in replies.items() if "unknown" not in reply}
