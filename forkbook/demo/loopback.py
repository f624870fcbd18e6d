"""Ports and requests that never leave this machine."""

import ipaddress
import json
import socket
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from ..model.held import Secret

HOST = "127.0.0.1"


def free_port() -> int:
    """A TCP port that is free now; another program may take it before you do."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def fetch_json(url: str, headers: Mapping[str, Secret] | None = None, seconds: float = 2) -> Any:
    """The JSON behind a loopback URL, asked for directly even where a proxy is configured.

    Args:
        url: Checked by `require_loopback` first.
        headers: Request headers.
        seconds: How long to wait for the answer.

    Returns:
        The decoded answer, or None without a good one: no server there, an HTTP error, no JSON.
    """
    request = urllib.request.Request(require_loopback(url))  # noqa: S310  # http(s) only
    for name, value in (headers or {}).items():
        request.add_header(name, value.reveal())
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=seconds) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def require_loopback(url: str, name: str = "the address") -> str:
    """The same URL, if it stays on this machine.

    Args:
        url: Like `http://127.0.0.1:2024`.
        name: What the error calls it.

    Raises:
        InvalidInput: It leaves this machine, or is no http(s) URL.
    """
    if not stays_here(url):
        raise InvalidInput(
            f"{name} is {url!r}, but the demo stays on this machine: give one like http://127.0.0.1:2024, "
            "or use fb.connect(url) for a server elsewhere"
        )
    return url


def stays_here(url: str) -> bool:
    """Whether an http(s) URL is of this machine."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme in ("http", "https") and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False
