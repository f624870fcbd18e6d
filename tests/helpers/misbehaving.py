"""A socket server between forkbook and a real server: forwards requests, and misbehaves when it is told to.

It writes its answers byte by byte, so that it can break what no HTTP library would: reset the connection, cut a body
short, drip.
"""

import contextlib
import socket
import socketserver
import struct
import threading
from dataclasses import dataclass
from http.client import parse_headers

import httpx

READS = ("/search", "/history", "/count")
DRIP = 0.02  # seconds between two bytes


@dataclass(frozen=True)
class Arrived:
    """A request as it arrived, and what became of it."""

    method: str
    path: str
    body: bytes
    headers: dict
    fault: str | None = None
    carried_out: bool = True

    @property
    def is_write(self):
        """Whether it could change something."""
        return self.method != "GET" and not self.path.endswith(READS)


@dataclass(frozen=True)
class Misdeed:
    """What is done instead of answering.

    Attributes:
        kind: `reset`, `cut` (half a body), `drip`, `endless` (the body over and over), `empty` (200 without a body), or
            a status as in `503`.
        headers: Of the answer, where it has some.
        body: Of the answer, where it is a status or has no end.
        carried_out: Whether the real server gets the request all the same.
    """

    kind: str
    headers: tuple = ()
    body: bytes = b""
    carried_out: bool = False


def head(status, headers):
    """An answer up to its body."""
    fields = [f"{name}: {value}" for name, value in (("content-type", "application/json"), *headers)]
    return "\r\n".join([f"HTTP/1.1 {status} Said", *fields, "", ""]).encode()


@contextlib.contextmanager
def misbehaving(target, misdeed=lambda request: None, greet=None, one_each=False):
    """Stand before `target`. Yields (address, list of what arrived); `misdeed(request)` gives a `Misdeed` or None.

    `greet(line)` shakes hands for TLS (handshakes.py) and gives the line to talk over. With `one_each`, and with TLS,
    each request has a connection of its own.
    """
    one_each = one_each or greet is not None
    arrived, over = [], threading.Event()
    client = httpx.Client(timeout=60, trust_env=False)

    class Handler(socketserver.StreamRequestHandler):
        wbufsize = -1

        def setup(self):
            if greet is not None:
                self.request = greet(self.request)
            super().setup()

        def finish(self):
            with contextlib.suppress(OSError):
                super().finish()
            if greet is not None:
                self.request.close()

        def handle(self):
            with contextlib.suppress(OSError):
                while self.one():
                    pass

        def one(self):
            """Answer one request; whether the connection goes on."""
            words = self.rfile.readline().decode().split()
            if len(words) < 3:
                return False
            headers = dict(parse_headers(self.rfile))
            length = next((int(value) for name, value in headers.items() if name.lower() == "content-length"), 0)
            request = Arrived(words[0], words[1], self.rfile.read(length), headers)
            found = misdeed(request)
            if found is None:
                arrived.append(request)
                self.said(*forwarded(request), [("connection", "close")] if one_each else ())
                return not one_each
            arrived.append(Arrived(request.method, request.path, request.body, headers, found.kind, found.carried_out))
            # what a cut or a drip breaks is an honest answer, so a read gets one
            honest = forwarded(request) if found.carried_out or not request.is_write else (200, b'{"thread": "x"}')
            self.break_(found, honest)
            return False

        def break_(self, found, honest):
            if found.kind == "reset":
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.request.close()
            elif found.kind == "cut":
                status, body = honest
                self.said(status, body[: len(body) // 2], length=len(body))
            elif found.kind == "drip":
                status, body = honest
                self.said(status, b"", length=len(body) + 100_000)
                for byte in body + b" " * 100_000:
                    if over.wait(DRIP):
                        return
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
            elif found.kind == "endless":
                self.wfile.write(head(200, found.headers))
                while not over.is_set():
                    self.wfile.write(found.body)
            elif found.kind == "empty":
                self.said(200, b"", found.headers)
            else:
                self.said(int(found.kind), found.body, found.headers)

        def said(self, status, body, headers=(), length=None):
            length = ("content-length", str(len(body) if length is None else length))
            self.wfile.write(head(status, (*headers, length)) + body)
            self.wfile.flush()

    def forwarded(request):
        kept = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in ("host", "content-length", "accept-encoding", "connection")
        }
        answer = client.request(request.method, target + request.path, content=request.body, headers=kept)
        return answer.status_code, answer.content

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, allow_reuse_address = True, True

        def handle_error(self, request, client_address):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http{'s' * (greet is not None)}://127.0.0.1:{server.server_address[1]}", arrived
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        client.close()
