"""All that a checkpointer keeps in its file."""

import contextlib
import sqlite3


def stored(path):
    """All that a checkpointer's file holds, by table; one that a killed process had not yet made is empty."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        made = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
        return [
            sorted(connection.execute(f"select * from {table}").fetchall()) if table in made else []
            for table in ("checkpoints", "writes")
        ]
