"""TLS for the benchmark: the certificate that all servers present, and clients that connect for one request each."""

import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from processes import Failed, connect, is_whole, request

CLIENTS = 8  # as many are connected at a time


def make_certificate(folder: Path) -> Path:
    """ECDSA with P-256, as most servers have today. Its key has the name that HAProxy expects."""
    certificate = folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    f"{certificate}.key", "-out", str(certificate)], check=True, capture_output=True)
    return certificate


def trusting(certificate: Path) -> ssl.SSLContext:
    """For clients that accept only this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificate)
    context.set_alpn_protocols(["http/1.1"])
    return context


def visit(port: int, path: str, tls: ssl.SSLContext | None, session: ssl.SSLSession | None) -> ssl.SSLSession | None:
    """A connection for one request, which the server closes. Returns what the next one can resume."""
    with connect(port, tls, session) as client:
        if tls and client.session_reused != (session is not None):
            raise Failed("a session was resumed" if client.session_reused else "a session was not resumed")
        client.sendall(request(path, "Connection: close\r\n"))
        answer = b"".join(iter(lambda: client.recv(65536), b""))
        if not answer.startswith(b"HTTP/1.1 200 ") or not is_whole(answer):
            raise Failed(f"not a good answer: {answer!r}")
        return client.session if tls else None


class Visitors:
    """Clients that connect, ask once, and leave, with a full handshake each time, or with a resumed one."""

    def __init__(self, port: int, path: str, tls: ssl.SSLContext | None, resume: bool) -> None:
        self.place = (port, path, tls)
        self.resume = resume
        self.sessions = [visit(*self.place, None) if resume else None for _ in range(CLIENTS)]

    def come_and_go(self, seconds: float) -> int:
        """Returns the number of connections. All are closed when it returns."""
        end = time.monotonic() + seconds

        def one(i: int) -> int:
            count = 0
            while time.monotonic() < end:
                session = visit(*self.place, self.sessions[i])
                if self.resume:
                    self.sessions[i] = session
                count += 1
            return count

        with ThreadPoolExecutor(CLIENTS) as pool:
            return sum(pool.map(one, range(CLIENTS)))
