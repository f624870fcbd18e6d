"""How long the queries of one SQLite connection may take: a small file may have more rows than can be read."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from .budget import Meter

STEPS = 20_000  # of SQLite's machine, after which the clock is looked at


@contextmanager
def timed(connection: sqlite3.Connection, clock: Meter) -> Iterator[None]:
    """Stop the queries made inside once the meter's time is over.

    Raises:
        OverBudget: It is.
    """
    connection.set_progress_handler(clock.is_late, STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname == "SQLITE_INTERRUPT":
            clock.check_time()
        raise
    finally:
        connection.set_progress_handler(None, 0)
