"""Where keys may go: to the host they were given for, and never in the clear to another machine."""

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from ..errors import InvalidInput
from ..escape import without_secrets
from ..meant import meant

KEY_VARIABLES = ("LANGGRAPH_API_KEY", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY")


def checked_url(url: str) -> str:
    """The address without a trailing slash.

    Raises:
        InvalidInput: It is no http address, or carries a user name or password.
    """
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise InvalidInput(
            f"{without_secrets(url)!r} is not the address of an Agent Server, as in 'http://localhost:2024', nor of a "
            "Postgres store, 'postgresql://user@host/database'. A SQLite store is named by its path alone"
            f"{meant(url.strip())}"
        )
    if parts.username or parts.password:
        raise InvalidInput(
            f"the address of {parts.hostname} has a user name or password in it: give headers={{'authorization': …}}"
        )
    if parts.query or parts.fragment:
        raise InvalidInput(f"the address of {parts.hostname} has a query: give the part before '?' or '#' alone")
    return url.strip().rstrip("/")


def request_headers(url: str, api_key: str | None, headers: Mapping[str, str], insecure: bool) -> dict[str, str]:
    """The headers of every request to a server.

    Args:
        url: The server's address.
        api_key: A key; "env" takes the environment's; None sends none, whatever the environment holds.
        headers: More headers.
        insecure: Allow them over plain http to another machine.

    Raises:
        InvalidInput: A secret would travel in the clear, or "env" finds no key.
    """
    result = dict(headers)
    if api_key == "env":
        api_key = next((os.environ[name].strip(" \"'") for name in KEY_VARIABLES if os.environ.get(name)), None)
        if not api_key:
            raise InvalidInput(f"api_key='env', but none of {', '.join(KEY_VARIABLES)} is set")
    if api_key is not None:
        result["x-api-key"] = api_key.strip() if isinstance(api_key, str) else api_key
    for name, value in result.items():
        if not (isinstance(value, str) and value.isascii() and value.isprintable()):
            raise InvalidInput(f"the value of header {name} is not printable ASCII text (it is not shown here)")
    if result and urlsplit(url).scheme == "http" and not is_loopback(url) and not insecure:
        raise InvalidInput(
            f"{', '.join(result)} would travel in the clear to {urlsplit(url).hostname}: use https, "
            "or say insecure=True if you trust every machine in between"
        )
    return result


def is_loopback(url: str) -> bool:
    """Whether an address stays on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
