"""The demo: a sample agent, a private Agent Server that runs it, the threads it starts with, and a JupyterLab."""

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server import DemoServer

DEMO_URL = "FORKBOOK_DEMO_URL"
"""The environment variable that names a demo server which already runs."""

_starting = threading.Lock()
_server: "DemoServer | None" = None


def serve() -> str:
    """The URL of a demo server with its threads: the one that `FORKBOOK_DEMO_URL` names, or this process's own.

    A server of our own starts with the first call, takes a few seconds, and ends with the process.

    Raises:
        InvalidInput: `FORKBOOK_DEMO_URL` leaves this machine.
        MissingExtra: The Agent Server is not installed.
        ForkbookError: The server did not come up, or its threads could not be made.
    """
    from .loopback import require_loopback

    if url := os.environ.get(DEMO_URL):
        return require_loopback(url.rstrip("/"), DEMO_URL)
    return _own_server()


def _own_server() -> str:
    from .seed import seed
    from .server import start

    global _server
    with _starting:
        if _server is None or not _server.running:
            server = start()
            try:
                seed(server.url)
            except BaseException:
                server.close()
                raise
            _server = server
        return _server.url
