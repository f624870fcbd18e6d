"""Sockets that keep a deadline: a server that sends a byte now and then is not waited for without end."""

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

PAST = 0.1  # seconds after the bound, so that what was met is more than it
SHORTEST = 0.001  # seconds to wait for a socket: 0 would ask it not to wait at all


class Clock(threading.local):
    """Until when the request of this thread must be answered; there may be no such time."""

    deadline: float | None = None
    late: Callable[[], object] | None = None

    @contextmanager
    def until(self, seconds: float, late: Callable[[], object]) -> Iterator[None]:
        """Bound everything that this thread sends and receives meanwhile.

        Args:
            seconds: From now on.
            late: Raises the error of who is late.
        """
        before = self.deadline, self.late
        self.deadline, self.late = time.monotonic() + seconds + PAST, late
        try:
            yield
        finally:
            self.deadline, self.late = before

    def left(self, timeout: float | None) -> float | None:
        """Seconds that one wait may take; where none are left, `late` raises."""
        if self.deadline is None:
            return timeout
        left = self.deadline - time.monotonic()
        if left <= 0 and self.late is not None:
            self.late()
        return max(SHORTEST, left if timeout is None else min(left, timeout))


class TimedNetwork(httpcore.NetworkBackend):
    """A network whose connections keep the deadline of a clock.

    Args:
        network: What makes the connections.
        clock: The deadline.
    """

    def __init__(self, network: httpcore.NetworkBackend, clock: Clock) -> None:
        self._network, self._clock = network, clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        return TimedStream(stream, self._clock)

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)


class TimedStream(httpcore.NetworkStream):
    """A connection that keeps the deadline of a clock; see `TimedNetwork`."""

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream, self._clock = stream, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._stream.read(max_bytes, self._clock.left(timeout))
        except httpcore.ReadTimeout:
            self._clock.left(timeout)
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._stream.write(buffer, self._clock.left(timeout))
        except httpcore.WriteTimeout:
            self._clock.left(timeout)
            raise

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
