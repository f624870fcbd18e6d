"""Names of servers that this process looks up, and what the look gives: no question leaves it."""

import contextlib
import itertools
import socket
from collections.abc import Callable
from typing import Any

NOBODY = ("127.0.0.1", 1)  # a port where nothing listens

_numbers = itertools.count()
_answers: dict[str, Callable[[int], list[Any]]] = {}
_really = socket.getaddrinfo


def addresses(*places):
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place) for place in places]


def good(port):
    return addresses(("127.0.0.1", port))


def failing(code):
    def look(port):
        raise socket.gaierror(code, "the look failed")

    return look


BAD = {
    "a name that does not exist": failing(socket.EAI_NONAME),
    "no answer about a name": failing(socket.EAI_AGAIN),
    "a name of no address": lambda port: [],
    "a name of another place": lambda port: addresses(NOBODY),
    "a name of two places": lambda port: addresses(NOBODY, ("127.0.0.1", port)),
}


def _looked_up(host, port, *args, **more):
    if isinstance(host, str) and host.endswith(".invalid"):
        return _answers.get(host, failing(socket.EAI_NONAME))(port)
    return _really(host, port, *args, **more)


@contextlib.contextmanager
def named(look):
    """A name of its own that is looked up by `look(port)` within the block; `patched` is in force."""
    name = f"server-{next(_numbers)}.invalid"
    _answers[name] = look
    try:
        yield name
    finally:
        del _answers[name]


@contextlib.contextmanager
def patched():
    """Within the block names that end in `.invalid` are looked up here."""
    socket.getaddrinfo = _looked_up
    try:
        yield
    finally:
        socket.getaddrinfo = _really
