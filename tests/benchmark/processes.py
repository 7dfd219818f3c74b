"""Starting programs on a chosen core, sending them requests, and reading what they have used from /proc."""

import asyncio
import os
import random
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER_CORE = {0}  # the program under test, alone
CLIENT_CORE = {1}  # all others: wrk, the backend, and this program

# What OpenSSL negotiates with itself by default, so all contenders can keep their defaults.
TLS_VERSION = "TLSv1.3"
TLS_CIPHER = "TLS_AES_256_GCM_SHA384"


class Failed(Exception):
    """A run whose figures must not be used."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command: list[str], cores: set[int], log: Path, environment: dict[str, str] = {}) -> Iterator[int]:
    """Runs `command` in its own process group, which does not outlive the with statement. Returns the process id."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)  # inherited, so no thread of the program ever ran elsewhere
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       env=os.environ | environment, start_new_session=True)
    finally:
        os.sched_setaffinity(0, ours)
    try:
        yield process.pid
        if process.poll() is not None:
            raise Failed(f"{command[0]} ended by itself: {log.read_text()[-500:]}")
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> None:
    """First gracefully, because nginx has to end its worker, then forcibly."""
    try:
        process.terminate()
        process.wait(1)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def connect(port: int, tls: ssl.SSLContext | None = None, session: ssl.SSLSession | None = None) -> socket.socket:
    """Over TLS if there is a context for it; then the handshake is done, and its parameters were checked."""
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not tls:
        return client
    with client:  # which has no file descriptor any more if this goes well
        secured = tls.wrap_socket(client, server_hostname="localhost", session=session)
    if (secured.version(), secured.cipher()[0]) != (TLS_VERSION, TLS_CIPHER):
        raise Failed(f"not what the others agree on: {secured.version()}, {secured.cipher()}")
    return secured


def request(path: str, fields: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode()


def get(client: socket.socket, path: str) -> bytes:
    """One whole answer, head and body."""
    client.sendall(request(path))
    answer = b""
    while not is_whole(answer):
        more = client.recv(65536)
        if not more:
            raise ConnectionError("closed before the answer was whole")
        answer += more
    return answer


def is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    return bool(end) and len(body) >= content_length(head)


def content_length(head: bytes) -> int:
    for field in head.split(b"\r\n"):
        name, _, value = field.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise Failed(f"an answer without Content-Length: {head!r}")


def wait_for_answer(port: int, path: str, tls: ssl.SSLContext | None = None, patience: float = 10) -> bytes:
    """Asks once per millisecond until there is an answer with status 200, and returns that."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            with connect(port, tls) as client:
                answer = get(client, path)
                if answer.startswith(b"HTTP/1.1 200 "):
                    return answer
        except OSError:
            pass
        time.sleep(0.001)
    raise Failed(f"no answer within {patience} s")


def wait_for_port(port: int) -> None:
    for _ in range(5000):
        try:
            return connect(port).close()
        except OSError:
            time.sleep(0.001)
    raise Failed(f"nobody listens on port {port}")


async def check_answers(port: int, paths: dict[str, str], marks: dict[str, str],
                        tls: ssl.SSLContext | None = None) -> None:
    """16 clients with 50 requests each, for random codes: each answer must be 200 and have its code's mark."""

    async def client(seed: int) -> None:
        choice = random.Random(seed)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls,
                                                       server_hostname="localhost" if tls else None)
        for _ in range(50):
            code = choice.choice(list(paths))
            writer.write(request(paths[code]))
            head = await reader.readuntil(b"\r\n\r\n")
            body = (await reader.readexactly(content_length(head))).decode()
            if not head.startswith(b"HTTP/1.1 200 ") or marks[code] not in body:
                raise Failed(f"a wrong answer to {code}: {head!r} {body!r}")
        writer.close()

    try:
        await asyncio.wait_for(asyncio.gather(*(client(seed) for seed in range(16))), 60)
    except (OSError, EOFError, TimeoutError, asyncio.TimeoutError) as problem:
        raise Failed(f"the check of the answers broke off: {problem!r}") from problem


def family(process: int) -> list[int]:
    """The process and all its descendants."""
    found = [process]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def thread_times(process: int) -> list[float]:
    """The CPU time of each thread of the family, in µs, the busiest first."""
    files = (file for one in family(process) for file in Path(f"/proc/{one}/task").glob("*/schedstat"))
    return sorted((int(file.read_text().split()[0]) / 1000 for file in files), reverse=True)


def user_and_system_ticks(process: int) -> tuple[int, int]:
    """Coarse, and only good for the ratio of the two."""
    user = system = 0
    for one in family(process):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        user += int(fields[11])
        system += int(fields[12])
    return user, system


def resident_bytes(process: int) -> int:
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in family(process))
    return pages * os.sysconf("SC_PAGE_SIZE")
