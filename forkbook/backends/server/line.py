"""The line to a server: requests are sent again where that does no harm, and every answer is bounded."""

import time
from collections.abc import Generator, Mapping
from typing import Any

import httpcore
import httpx

from ...model.held import Secret, alone
from .. import retry
from ..budget import Budget
from ..retry import ONCE, RETRIED, RETRYABLE_STATUS, TRIES, Pauses
from .body import Events, whole, with_body
from .faults import retry_after
from .network import Clock, TimedNetwork

EVENTS, JOIN = "/stream", "/join"  # requests that are answered when a run goes on, or ends
READS = ("/search", "/history", "/count", "/namespaces", "/state/checkpoint")  # requests by POST that only read
AS_GOOD_TWICE = ("GET", "PUT", "DELETE")
NOT_BEGUN = 429  # a status which says that nothing was done, so that a write may be sent again, too
LOST_ANSWERS = (httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError)
PROTOCOLS_OWN = ("accept", "content-type", "content-length", "last-event-id", "transfer-encoding")
ANYTHING = "*/*"  # what a client accepts that was not told what to accept


class Transport(httpx.HTTPTransport):
    """Connects once more where that fails, repeats requests after a fault that may pass, and bounds the answers.

    Args:
        budget: The bounds of an answer; of the stream of a run those of an event.
    """

    def __init__(self, budget: Budget) -> None:
        super().__init__(retries=1)
        self._budget, self._clock = budget, Clock()
        pool: Any = self._pool
        pool._network_backend = TimedNetwork(pool._network_backend, self._clock)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(EVENTS):
            return self._events(request)
        pauses, tries = Pauses(), TRIES if may_be_repeated(request) else 1
        while True:
            try:
                response = self._whole_answer(request)
            except LOST_ANSWERS as error:
                failed: httpx.TransportError = error
                if (pause := pauses.next(tries=tries)) is None:
                    break
            else:
                status = response.status_code
                most = min(TRIES if status == NOT_BEGUN else tries, RETRYABLE_STATUS.get(status, 1))
                if (pause := pauses.next(retry_after(response.headers.get("retry-after")), most)) is None:
                    response.extensions[RETRIED] = pauses.tried
                    return response
            time.sleep(pause)
        failed.__dict__[RETRIED] = pauses.tried
        raise failed

    def _events(self, request: httpx.Request) -> httpx.Response:
        request.extensions = request.extensions | {"timeout": request.extensions["timeout"] | {"read": retry.SILENCE_S}}
        answer = self._answer(request)
        if answer.status_code < 400:
            return with_body(answer, Events(answer, self._budget, _what(request)))
        meter = self._budget.meter(_what(request))
        with self._clock.until(self._budget.seconds, meter.check_time):
            return whole(answer, meter)

    def _whole_answer(self, request: httpx.Request) -> httpx.Response:
        """The answer with its whole body, so that a line that breaks in the middle is noticed here."""
        meter = self._budget.meter(_what(request))
        waits = request.url.path.endswith(JOIN) or ONCE in request.extensions
        seconds, late = (retry.SILENCE_S, _silent) if waits else (self._budget.seconds, meter.check_time)
        with self._clock.until(seconds, late):
            return whole(self._answer(request), meter)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        """The answer. An error comes without the frames of the client below, some of which hold the headers."""
        try:
            return super().handle_request(request)
        except BaseException as error:
            failed = alone(error)
        raise failed


def _silent() -> None:
    raise httpcore.ReadTimeout("there was no whole answer in time")


def _what(request: httpx.Request) -> str:
    return f"the answer to {request.method} {request.url.path}"


def may_be_repeated(request: httpx.Request) -> bool:
    """Whether a request changes nothing, or nothing more when it is sent again, so that the line repeats it."""
    path = request.url.path
    if path.endswith(JOIN) or ONCE in request.extensions:
        return False
    return request.method in AS_GOOD_TWICE or (request.method == "POST" and path.endswith(READS))


class Headers(httpx.Auth):
    """Headers that a user gave. They are a part of a request only while it is sent.

    Args:
        headers: By name. What the protocol needs itself (`PROTOCOLS_OWN`) stays as the client sets it.
    """

    def __init__(self, headers: Mapping[str, Secret]) -> None:
        self._headers = headers

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put them into a request, and take them out when it is answered, or failed."""
        before = {name: request.headers.get(name) for name in self._headers}
        given = {name: value for name, value in self._headers.items() if _gives_way(name, before[name])}
        try:
            for name, value in given.items():
                request.headers[name] = value.reveal()
            yield request
        finally:
            for name in given:
                request.headers.pop(name, None)
                if (value_before := before[name]) is not None:
                    request.headers[name] = value_before


def _gives_way(name: str, value: str | None) -> bool:
    """Whether a header as the client sets it gives way to a user's own."""
    return name.lower() not in PROTOCOLS_OWN or value in (None, ANYTHING)
