"""The one retry policy: requests to a busy server are sent again, with bounded tries and waiting, and no write twice.

Reads are retried where they are sent, on the line to a server (`server/line`). `Retry` is for what is larger than a
request: a whole thread that is copied, exported or migrated. A fault that the line has retried is not retried again,
and the damage of a file never is.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ..errors import ConnectionFailed, ForkbookError, OverBudget, ProtocolError, ServerFault

T = TypeVar("T")
TRIES = 5
MAX_WAIT_S = 60.0  # to wait in all for one request
MAX_ELAPSED_S = 300.0  # from the first try on, after which there is no further one: an answer may only drip
FIRST_DELAY_S = 0.2  # before the second try, doubled each time, where the server does not say
SILENCE_S = 60.0  # after which a silent run is asked for its status
RETRYABLE = (ConnectionFailed, ServerFault, ProtocolError, OverBudget)  # after them a write may have been carried out
RETRYABLE_STATUS = {429: TRIES, 500: 2, 502: TRIES, 503: TRIES, 504: TRIES}  # a 500 may be a hiccup: tried twice
LASTING = "lasting"  # among an error's details: whether to read again gives the same, as from a damaged file
RETRIED = "retried"  # among an error's details: how often the line has tried
ONCE = "once"  # among a request's extensions: its caller sends it again, not the line


class Pauses:
    """How long to wait before each further try.

    Args:
        tries: Tries at most.
        max_wait_s: Seconds of waiting at most, in all.
    """

    def __init__(self, tries: int = TRIES, max_wait_s: float = MAX_WAIT_S) -> None:
        self.tried, self._tries, self._left, self._begun = 0, tries, max_wait_s, time.monotonic()

    def next(self, asked: float | None = None, tries: int | None = None) -> float | None:
        """Seconds to wait after a try that failed; None: it was the last.

        Args:
            asked: What the server asks to wait.
            tries: Tries at most after such a fault; None: as many as after any.
        """
        self.tried += 1
        pause = FIRST_DELAY_S * 2 ** (self.tried - 1) if asked is None else asked
        late = time.monotonic() - self._begun > MAX_ELAPSED_S
        if late or self.tried >= min(self._tries, tries or self._tries) or pause > self._left:
            return None
        self._left -= pause
        return pause


class Retry:
    """Asks a backend again where the fault may pass.

    A read is repeated after any fault of the line or the server, and so is a write that does no harm twice. After a
    fault of any other write its caller first finds out whether it was carried out.

    Args:
        tries: Tries at most.
        max_wait_s: Seconds of waiting at most, for one request.
        sleep: Waits so many seconds.
    """

    def __init__(
        self, tries: int = TRIES, max_wait_s: float = MAX_WAIT_S, sleep: Callable[[float], Any] = time.sleep
    ) -> None:
        self._tries, self._max_wait_s, self._sleep = tries, max_wait_s, sleep

    def read(self, ask: Callable[[], T]) -> T:
        """What a request answers that changes nothing, or can be repeated without harm."""
        for wait in self.again():
            try:
                return ask()
            except RETRYABLE as error:
                wait(error)
        raise AssertionError("the last wait raises")

    def again(self) -> Iterator[Callable[[ForkbookError], None]]:
        """Tries of something whose caller acts after a fault; each gives what to call with the fault, which waits."""
        pauses = Pauses(self._tries, self._max_wait_s)

        def wait(error: ForkbookError) -> None:
            if error.details.get(LASTING):
                raise error
            pause = pauses.next(error.details.get("retry_after"))
            if pause is None or error.details.get(RETRIED, 1) > 1 or error.details.get("bound", "seconds") != "seconds":
                raise error  # what is too slow once may be faster; what is too large stays so
            self._sleep(pause)

        while True:
            yield wait
