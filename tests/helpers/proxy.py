"""A small proxy in front of a real server: counts requests, and may change what comes back."""

import contextlib
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

READS = ("/search", "/history", "/count")


def writes(requests):
    """Those of a proxy's requests that could change something."""
    return [(method, path) for method, path, _ in requests if method != "GET" and not path.endswith(READS)]


@dataclass(frozen=True)
class Fault:
    """What a proxy does in an answer's place: another status, or none at all; the request may have been carried out."""

    status: int | None = None
    headers: tuple = ()
    carried_out: bool = False


@contextlib.contextmanager
def proxy(target, change=None, fault=None, ports=None):
    """Forward to `target`. Yields (address, list of requests).

    `change(method, path, body)` may return another body, `fault(method, path)` a `Fault`.
    `ports` takes the port that each request came from.
    """
    requests = []
    client = httpx.Client(timeout=60, trust_env=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece, or each takes 40 ms

        def forward(self):
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {
                k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length", "accept-encoding")
            }
            if ports is not None:
                ports.append(self.client_address[1])
            requests.append((self.command, self.path, dict(self.headers)))
            found = fault(self.command, self.path) if fault else None
            if found and not found.carried_out:
                self.fail(found)
                return
            answer = client.request(self.command, target + self.path, content=sent, headers=headers)
            if found:
                self.fail(found)
                return
            body = answer.content
            if change and (changed := change(self.command, self.path, body)) is not None:
                body = changed
            self.send_response(answer.status_code)
            self.send_header("content-type", answer.headers.get("content-type", "application/json"))
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def fail(self, found):
            self.close_connection = True
            if found.status is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(found.status)
            for name, value in (*found.headers, ("content-length", "0")):
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = forward

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()
        client.close()


@contextlib.contextmanager
def answering(status=200, body=b"", headers=(), *, cut=None, reset=False, raw=None):
    """A server that gives this one answer to everything; `cut` stops after so many bytes of the body.

    `raw(send)` sends each answer itself, the status line first, and goes on until nobody listens any more.
    """
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            seen.append(dict(self.headers))
            if reset:
                self.connection.close()
                return
            if raw:
                self.close_connection = True
                with contextlib.suppress(OSError):
                    raw(self.wfile.write)
                return
            self.send_response(status)
            for name, value in (*headers, ("content-length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[:cut])
            self.close_connection = True

        do_GET = do_POST = do_PATCH = do_DELETE = answer

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
