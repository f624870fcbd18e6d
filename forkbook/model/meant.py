"""What a user may have meant where a place cannot be opened: another scheme, another spelling."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .text import short

if TYPE_CHECKING:
    import socket

HOST_AND_PORT = re.compile(r"[\w.-]+:\d{1,5}(/[\w./-]*)?")
ADDRESS = re.compile(r"(?P<scheme>[A-Za-z]{3,12})(?P<mark>[:;.]*/*)(?P<rest>[^/:;@\s][^\s@]*)")
SCHEMES = ("http", "https", "postgresql")
MOST_NAMES = 5000  # of a folder that are looked at
MOST_OFFERED = 3
LONGEST_PATH = 200  # characters
LONGEST_LOOK = 2.0  # seconds to connect, and to wait for an answer


def other_scheme(url: str) -> str | None:
    """The address with http for https, or https for http, where a server answers to that one at the same port.

    The look sends no header and no key; it is for an address with a port that did not answer as it should.
    """
    import socket

    parts = urlsplit(url)
    if parts.port is None or not parts.hostname:
        return None
    other, answers = ("http", _answers_http) if parts.scheme == "https" else ("https", _answers_https)
    try:
        with socket.create_connection((parts.hostname, parts.port), timeout=LONGEST_LOOK) as line:
            return parts._replace(scheme=other).geturl() if answers(line, parts.hostname) else None
    except (OSError, ValueError):
        return None


def _answers_http(line: socket.socket, host: str) -> bool:
    line.sendall(f"GET /ok HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = line.recv(12)
    return answer.startswith(b"HTTP/") and not answer.endswith(b"400")  # what an https port says to http


def _answers_https(line: socket.socket, host: str) -> bool:
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent
    with context.wrap_socket(line, server_hostname=host):
        return True


def meant(source: str) -> str:
    """What may have been meant by a text that is neither a file nor an address, as the end of a sentence, or ""."""
    if HOST_AND_PORT.fullmatch(source):
        return f"; did you mean 'http://{source}'?"
    if address := _address(source):
        return f"; did you mean {address!r}?"
    if difflib.get_close_matches(source.lower(), ["demo"]):
        return "; did you mean 'demo'?"
    return near(Path(source))


def _address(source: str) -> str | None:
    """The address that a text was to be, if only its beginning is wrong."""
    found = ADDRESS.fullmatch(source)
    if not found or not found["mark"] or found["mark"] == ".":
        return None
    scheme = "postgresql" if found["scheme"].lower() == "postgres" else found["scheme"].lower()
    known = difflib.get_close_matches(scheme, SCHEMES, n=1, cutoff=0.75)
    address = f"{known[0]}://{found['rest']}" if known else None
    return None if address == source else address


def near(path: Path) -> str:
    """What is called almost like a file that is not there, or like its folder, as a part of a sentence, or ""."""
    sought = path if path.parent.is_dir() else path.parent
    names = {name.lower(): name for name in islice(_names(sought.parent), MOST_NAMES)}
    found = difflib.get_close_matches(sought.name.lower(), names, n=MOST_OFFERED, cutoff=0.7)
    paths = [short(str(sought.with_name(names[name])), LONGEST_PATH) for name in found]
    return f"; did you mean {' or '.join(paths)}?" if paths else ""


def _names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries)
    except OSError:
        return
