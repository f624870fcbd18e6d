"""The line to a server: an answer that only drips comes to an end, too."""

import time
from collections.abc import Iterator
from typing import Any

import httpx

LONGEST_ANSWER = 600.0  # seconds until an answer must be whole; those of runs last as long as the runs
RUNS = "/runs"


class Transport(httpx.HTTPTransport):
    """Connects once more where that fails, and gives up an answer whose body takes too long."""

    def __init__(self, **more: Any) -> None:
        super().__init__(retries=1, **more)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        deadline = time.monotonic() + LONGEST_ANSWER
        response = super().handle_request(request)
        if RUNS in request.url.path or not isinstance(response.stream, httpx.SyncByteStream):
            return response
        stream = InTime(response.stream, deadline)
        return httpx.Response(
            response.status_code, headers=response.headers, stream=stream, extensions=response.extensions
        )


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
