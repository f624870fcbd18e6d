"""Connections to Postgres that keep a deadline: a server that stands still is not waited for without end."""

import math
import time
from collections.abc import Generator
from typing import Any

import psycopg

LATER = 1.0  # seconds after which the server should have ended a query by its own clock


class TimedConnection(psycopg.Connection[Any]):
    """A connection of which each query takes so long at most, whether the server still answers or not.

    Attributes:
        seconds: The bound. The server has it, too, as its `statement_timeout`.
    """

    seconds = math.inf

    def wait(self, gen: Any, *how: Any, **more: Any) -> Any:
        """What a query gives.

        Raises:
            psycopg.errors.QueryCanceled: It took too long; the connection is closed.
        """
        return super().wait(self._until(time.monotonic() + self.seconds + LATER, gen), *how, **more)

    def _until(self, deadline: float, query: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        try:
            wanted = next(query)
            while True:
                ready = yield wanted
                if time.monotonic() > deadline:
                    self.close()
                    raise psycopg.errors.QueryCanceled("it did not answer in time")
                wanted = query.send(ready)
        except StopIteration as end:
            return end.value
