"""The gate of the demo's Agent Server: programs of this machine come in, pages of the web do not.

The server has no key, and any page that a browser shows can send requests to this machine: so the names by which the
server is asked, and the page that asks, have to be of this machine, too.
"""

from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .loopback import stays_here

REFUSED = "This Agent Server is the demo of forkbook: it answers programs of this machine, no page of the web.\n"


class Gate:
    """Refuses what was asked by a page of another machine, or under a name of another machine.

    Args:
        app: The server behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        is_request = scope["type"] in ("http", "websocket")
        if is_request and not is_let_in(Headers(scope=scope)):
            await PlainTextResponse(REFUSED, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def is_let_in(headers: Headers) -> bool:
    """Whether a request was sent to this machine by its name, and by no page of another."""
    asked, page = f"http://{headers.get('host', '')}", headers.get("origin")
    if urlsplit(asked).netloc != headers.get("host") or not stays_here(asked):
        return False
    return headers.get("sec-fetch-site") != "cross-site" if page is None else stays_here(page)


app = Starlette(middleware=[Middleware(Gate)])
