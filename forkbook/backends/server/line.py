"""The line to a server: reads are tried again where the fault may pass, and an answer that only drips ends, too."""

import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import httpx

from ...model.held import Secret, alone
from ..retry import RETRIED, RETRYABLE_STATUS, TRIES, Pauses
from .faults import retry_after

LONGEST_ANSWER = 600.0  # seconds until an answer must be whole; those of runs last as long as the runs
RUNS = "/runs"
READS = ("/search", "/history", "/count", "/namespaces", "/state/checkpoint")  # requests by POST that only read
LOST_ANSWERS = (httpx.ReadError, httpx.RemoteProtocolError)  # a server that cannot be reached is no such
PROTOCOLS_OWN = ("accept", "content-type", "content-length", "last-event-id", "transfer-encoding")
ANYTHING = "*/*"  # what a client accepts that was not told what to accept


class Transport(httpx.HTTPTransport):
    """Connects once more where that fails, repeats reads after a fault that may pass, and bounds an answer's time."""

    def __init__(self, **more: Any) -> None:
        super().__init__(retries=1, **more)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if RUNS in request.url.path:
            return self._answer(request)
        pauses, tries = Pauses(), TRIES if is_read(request) else 1
        while True:
            try:
                response = self._whole_answer(request)
            except LOST_ANSWERS as error:
                failed: httpx.TransportError = error
                if (pause := pauses.next(tries=tries)) is None:
                    break
            else:
                most = min(tries, RETRYABLE_STATUS.get(response.status_code, 1))
                if (pause := pauses.next(retry_after(response.headers.get("retry-after")), most)) is None:
                    response.extensions[RETRIED] = pauses.tried
                    return response
            time.sleep(pause)
        failed.__dict__[RETRIED] = pauses.tried
        raise failed

    def _whole_answer(self, request: httpx.Request) -> httpx.Response:
        """The answer with its whole body, so that a line that breaks in the middle is noticed here."""
        deadline = time.monotonic() + LONGEST_ANSWER
        response = self._answer(request)
        if not isinstance(response.stream, httpx.SyncByteStream):
            return response
        body = InTime(response.stream, deadline)
        try:
            content = b"".join(body)
        finally:
            body.close()
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=httpx.ByteStream(content),
            extensions=response.extensions,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        """The answer. An error comes without the frames of the client below, some of which hold the headers."""
        try:
            return super().handle_request(request)
        except BaseException as error:
            failed = alone(error)
        raise failed


def is_read(request: httpx.Request) -> bool:
    """Whether a request changes nothing, so that it may be sent again."""
    return request.method == "GET" or (request.method == "POST" and request.url.path.endswith(READS))


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


class InTime(httpx.SyncByteStream):
    """The body of an answer, as far as it comes in time.

    Args:
        stream: The body.
        deadline: When it must be whole, on the monotonic clock.
    """

    def __init__(self, stream: httpx.SyncByteStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            if time.monotonic() > self._deadline:
                raise httpx.ReadTimeout(f"the answer was not whole after {LONGEST_ANSWER:g} seconds")
            yield part

    def close(self) -> None:
        """Give the connection back, or close it."""
        self._stream.close()
