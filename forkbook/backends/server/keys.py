"""Where keys may go: to the host they were given for, and never in the clear to another machine."""

import ipaddress
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...errors import InvalidInput
from ...model.held import Secret, masked_address
from ...model.meant import meant

KEY_VARIABLES = ("LANGGRAPH_API_KEY", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY")
SHORTEST_WORD = 8  # characters


def checked_url(url: Any) -> str:
    """The address without a trailing slash.

    Args:
        url: The address, as text or as a `Secret`.

    Raises:
        InvalidInput: It is no http address, or carries a user name or password.
    """
    url = Secret.of(url)
    if (wrong := _wrong(url)) is not None:
        raise InvalidInput(wrong)
    return str(url.reveal()).strip().rstrip("/")


def _wrong(url: Secret) -> str | None:
    """What is wrong with an address, in words that show no password; None: nothing."""
    text = str(url.reveal()).strip()
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        if valid:
            _check_host(text)
    except ValueError:
        valid = False
    if not valid:
        shown = masked_address(text)
        return (
            f"{shown!r} is not the address of an Agent Server, as in 'http://localhost:2024', nor of a "
            "Postgres store, 'postgresql://user@host/database'. A SQLite store is named by its path alone"
            f"{meant(text) if shown == text else ''}"
        )
    if "@" in text:
        host = "" if "@" in parts.path else f" of {parts.hostname}"
        return f"the address{host} has a user name or password in it: give headers={{'authorization': …}}"
    if parts.query or parts.fragment:
        return f"the address of {parts.hostname} has a query: give the part before '?' or '#' alone"
    return None


def _check_host(text: str) -> None:
    """Say now what a client would say only at its first request.

    Raises:
        ValueError: No host can have such a name: a part of it is empty or too long, or is no text of another script.
    """
    import httpx

    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
    url.host.encode("idna")
    url.raw_host.decode("ascii").encode("idna")


def held_headers(headers: Any) -> Any:
    """Headers with each value held as a `Secret`; what is no mapping is held as a whole."""
    if headers is None or isinstance(headers, Secret):
        return headers
    try:
        return {str(name): Secret.of(value) for name, value in dict(headers).items()}
    except (TypeError, ValueError):
        return Secret(headers)


def request_headers(url: str, api_key: Any, headers: Any, insecure: bool) -> dict[str, Secret]:
    """The headers of every request to a server.

    Args:
        url: The server's address.
        api_key: A key; "env" takes the environment's; None sends none, whatever the environment holds.
        headers: More headers, as `held_headers` gives them.
        insecure: Allow them over plain http to another machine.

    Raises:
        InvalidInput: A secret would travel in the clear, or "env" finds no key.
    """
    api_key, headers = Secret.of(api_key), held_headers(headers)
    if isinstance(headers, Secret):
        raise InvalidInput(
            "headers maps names to values, as in {'authorization': 'Bearer …'} (they are not shown here)"
        )
    result = {name: _stripped(value) for name, value in (headers or {}).items()}
    if api_key is not None and api_key.reveal() == "env":
        api_key = _from_environment()
        if api_key is None:
            raise InvalidInput(f"api_key='env', but none of {', '.join(KEY_VARIABLES)} is set")
    if api_key is not None:
        result["x-api-key"] = _stripped(api_key)
    for name, value in result.items():
        if not _can_be_sent(value):
            raise InvalidInput(f"the value of header {name} is not printable ASCII text (it is not shown here)")
    if result and urlsplit(url).scheme == "http" and not is_loopback(url) and not insecure:
        raise InvalidInput(
            f"{', '.join(result)} would travel in the clear to {urlsplit(url).hostname}: use https, "
            "or say insecure=True if you trust every machine in between"
        )
    return result


def secret_words(headers: Mapping[str, Secret]) -> tuple[Secret, ...]:
    """The parts of headers that a server might say again: those that are long enough to be keys."""
    words = {word for value in headers.values() for word in _words(value.reveal()) if len(word) >= SHORTEST_WORD}
    return tuple(map(Secret, sorted(words, key=len, reverse=True)))


def _words(value: str) -> Iterator[str]:
    for word in (value, *value.split(), *re.split(r"[\s;,=]+", value)):
        yield from (word, repr(word)[1:-1], json.dumps(word)[1:-1])


def _stripped(value: Secret) -> Secret:
    return Secret(value.reveal().strip()) if isinstance(value.reveal(), str) else value


def _can_be_sent(value: Secret) -> bool:
    text = value.reveal() if value is not None else None
    return isinstance(text, str) and text.isascii() and text.isprintable()


def _from_environment() -> Secret | None:
    found = (os.environ[name].strip(" \"'") for name in KEY_VARIABLES if os.environ.get(name))
    return next((Secret(key) for key in found if key), None)


def is_loopback(url: str) -> bool:
    """Whether an address stays on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
