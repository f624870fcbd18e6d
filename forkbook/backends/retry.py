"""Requests to a busy server, asked again as it wishes: bounded tries, bounded waiting, no write twice."""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ..errors import ConnectionFailed, ForkbookError, ProtocolError, ServerFault
from .contract import Backend

T = TypeVar("T")
TRIES = 5
LONGEST = 60.0  # seconds to wait in all for one request
ENOUGH = 300.0  # seconds from the first try on after which there is no further one: an answer may only drip
FIRST = 0.2  # seconds before the second try, doubled each time, where the server does not say
LOST = (ConnectionFailed, ServerFault, ProtocolError)


class Patience:
    """Asks a backend again where the fault may pass.

    A read is repeated after any fault of the line or the server, and so is a write that does no harm twice. After a
    fault of any other write its caller looks first whether it was carried out.

    Args:
        backend: The place.
        tries: Requests at most.
        longest: Seconds of waiting at most, for one request.
        sleep: Waits so many seconds.
    """

    def __init__(
        self, backend: Backend, tries: int = TRIES, longest: float = LONGEST, sleep: Callable[[float], Any] = time.sleep
    ) -> None:
        self.backend, self._tries, self._longest, self._sleep = backend, tries, longest, sleep

    def read(self, ask: Callable[[], T]) -> T:
        """What a request answers that changes nothing, or can be repeated without harm."""
        for wait in self.again():
            try:
                return ask()
            except LOST as error:
                wait(error)
        raise AssertionError("the last wait raises")

    def again(self) -> Iterator[Callable[[ForkbookError], None]]:
        """Tries of something whose caller looks after a fault; each gives what to call with the fault, which waits."""
        spent, begun = 0.0, time.monotonic()
        for number in range(self._tries):

            def wait(error: ForkbookError, number: int = number) -> None:
                nonlocal spent
                asked = error.details.get("retry_after")
                pause = FIRST * 2**number if asked is None else asked
                late = time.monotonic() - begun > ENOUGH
                if late or number + 1 == self._tries or spent + pause > self._longest:
                    raise error
                spent += pause
                self._sleep(pause)

            yield wait
