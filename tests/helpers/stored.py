"""All that a checkpointer keeps in its file."""

import contextlib
import sqlite3


def stored(path):
    """All that a checkpointer's file holds."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        return [sorted(connection.execute(f"select * from {table}").fetchall()) for table in ("checkpoints", "writes")]
