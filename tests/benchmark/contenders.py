"""The programs that are compared: how each is started, and why that is fair."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from processes import CLIENT_CORE, free_port, running, wait_for_port

HERE = Path(__file__).parent
LUA = "/usr/lib/nginx/modules/ngx_http_lua_module.so"
EXPRESS = "/usr/share/nodejs/express/package.json"


@dataclass(frozen=True)
class Start:
    """What a contender's command line is made of."""

    port: int
    backend: int  # its port
    folder: Path  # for its files
    programs: Path  # where causeway and code-server are
    tools: Path  # where the programs built from this folder are
    threads: int
    constant: str  # the body of the answer to 404


@dataclass(frozen=True)
class Contender:
    name: str
    needs: list[str]
    command: Callable[[Start], list[str]]
    version: list[str]
    path: str = "/?statusCode={}"
    backend: str = "code-server"
    environment: Callable[[Start], dict[str, str]] = lambda start: {}

    def missing(self) -> list[str]:
        return [need for need in self.needs if not shutil.which(need) and not Path(need).exists()]


def causeway(start: Start) -> list[str]:
    """With its defaults, so with all its limits and time limits. Only the number of threads is that of the others."""
    return [str(start.programs / "causeway"), f"--listen=127.0.0.1:{start.port}",
            f"--upstream=127.0.0.1:{start.backend}", f"--threads={start.threads}"]


def causeway_coalesce(start: Start) -> list[str]:
    """Asks the backend less often than it is asked, which no other does: never in one table with the others."""
    return [*causeway(start), "--coalesce"]


def floor(start: Start) -> list[str]:
    """Not a competitor but a scale: nothing that does this work with a system call for each answer can cost less."""
    return [str(start.tools / "floor"), str(start.port), str(start.backend)]


def nginx(start: Start) -> list[str]:
    """As a constant, it asks nobody: what it costs is HTTP alone, and a bridge has the backend's part on top."""
    text = (HERE / "nginx.conf").read_text()
    constant = start.constant.replace("\\", "\\\\").replace("'", "\\'")
    values = {"FOLDER": start.folder, "PORT": start.port, "BACKEND": start.backend, "WORKERS": start.threads,
              "CONSTANT": constant}
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    file = start.folder / "nginx.conf"
    file.write_text(text)
    return ["nginx", "-e", "stderr", "-p", str(start.folder), "-c", str(file)]


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
FLOOR = Contender("floor", [], floor, ["g++", "--version"])
CONSTANT = Contender("nginx, constant", ["nginx", LUA], nginx, ["nginx", "-v"], path="/constant")
NGINX_LUA = Contender("nginx + Lua", ["nginx", LUA], nginx, ["nginx", "-v"])
GO = Contender("Go net/http", ["go"], go, ["go", "version"],
               environment=lambda start: {"GOMAXPROCS": str(start.threads)})
NODE = Contender("Node + Express", ["node", EXPRESS], node, ["node", "--version"],
                 environment=lambda start: {"NODE_PATH": "/usr/share/nodejs", "NODE_ENV": "production"})
WEBDIS = Contender("webdis + Redis", ["webdis", "redis-server"], webdis, ["dpkg-query", "-W", "webdis"],
                   path="/GET/{}", backend="redis")

ALL = [FLOOR, CONSTANT, CAUSEWAY, NGINX_LUA, WEBDIS, GO, NODE]


def build_tools(folder: Path) -> None:
    """The floor, the client with a constant rate, and the bridge in Go, if it can be built here."""
    for name in ("floor", "rate"):
        subprocess.run(["g++", "-O2", "-std=c++20", str(HERE / f"{name}.cpp"), "-o", str(folder / name)], check=True)
    if shutil.which("go"):
        subprocess.run(["go", "build", "-o", str(folder / "bridge-go"), str(HERE / "bridge.go")], check=True,
                       env=os.environ | {"GO111MODULE": "off"})


@contextmanager
def running_backend(kind: str, programs: Path, folder: Path, texts: dict[str, str]) -> Iterator[int]:
    """The code server, or Redis with the same `texts`, on the clients' core. Gives its port."""
    port = free_port()
    if kind == "redis":
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                   "--dir", str(folder), "--loglevel", "warning"]
    else:
        command = [str(programs / "code-server"), f"--listen=127.0.0.1:{port}", "--log-level=error"]
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
