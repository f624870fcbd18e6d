"""The rows of a checkpoint store in a SQLite file, each cell checked as it is read: SQLite keeps anything anywhere.

A cell is asked for its size before it is read. Ids are compared byte by byte, whatever the table's own collation says.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any

from ..budget import Meter
from ..values.cells import NAME_BYTES, as_text, id_of, sized
from ..values.decode import Decoder
from ..values.plain import opaque
from .kept import Row
from .rows import Saved, Write, parts


def name(cell: str) -> str:
    """SQL for an id, a type or another name; where it is too long, for a blob that is too long as well."""
    blob = f"CAST({cell} AS BLOB)"
    return f"CASE WHEN length({blob}) > {NAME_BYTES} THEN substr({blob}, 1, {NAME_BYTES + 1}) ELSE {cell} END"


THREAD = "thread_id = ?1 COLLATE BINARY"
PLACE = f"{THREAD} AND checkpoint_ns = ?2 COLLATE BINARY"
OF_CHECKPOINT = "checkpoint_id = ?4 COLLATE BINARY"
ROWS = f"""
SELECT {name("checkpoint_id")}, {name("parent_checkpoint_id")}, {{key}} FROM checkpoints WHERE {PLACE}
ORDER BY checkpoint_id COLLATE BINARY DESC
"""  # noqa: S608  # our own columns, here and below
BLOBS = f"""
SELECT {name("type")}, {sized("checkpoint", "?3")}, {sized("metadata", "?3")} FROM checkpoints WHERE {{place}}
"""  # noqa: S608
METADATA = f"SELECT {sized('metadata', '?3')} FROM checkpoints WHERE {{place}}"  # noqa: S608
MARK = f"SELECT count(*), max({{key}}) FROM {{table}} WHERE {PLACE}"  # noqa: S608
STAMPS = f"""
SELECT {name("checkpoint_id")}, count(*), max({{key}}) FROM writes WHERE {PLACE} GROUP BY checkpoint_id COLLATE BINARY
"""  # noqa: S608
WRITES = f"""
SELECT {name("checkpoint_id")}, {name("task_id")}, {{path}}, {name("idx")}, {name("channel")}, {name("type")},
       {sized("value", "?3")}
FROM writes WHERE {PLACE}
"""  # noqa: S608
NAMESPACES = f"SELECT DISTINCT {name('checkpoint_ns')} COLLATE BINARY FROM checkpoints WHERE {THREAD}"  # noqa: S608


class SqliteRows:
    """A namespace of a thread in a SQLite file, at one moment.

    Args:
        connection: A connection in a transaction.
        decoder: Decodes its values.
        at: The thread and the namespace.
        meter: Measures this read.
    """

    def __init__(self, connection: sqlite3.Connection, decoder: Decoder, at: tuple[str, str], meter: Meter) -> None:
        self._connection, self._decoder, self._at, self._meter = connection, decoder, at, meter
        self._most = int(meter.budget.value_bytes)
        self._key, self._write_key = (row_id(connection, table) for table in ("checkpoints", "writes"))
        self._names: dict[Any, Any] = {}
        decoder.meter = meter

    def mark(self) -> Any:
        """How many rows there are, their highest ids, which every new row goes beyond, and the thread's namespaces."""
        if self._key is None or self._write_key is None:
            return None
        counts = [
            self._connection.execute(MARK.format(key=key, table=table), self._at).fetchone()
            for key, table in ((self._key, "checkpoints"), (self._write_key, "writes"))
        ]
        return *counts, self.namespaces()

    def rows(self) -> list[Row]:
        """Its checkpoints; stamped with their row ids, since one that is replaced gets a new one."""
        thread_id, found = self._at[0], list[Row]()
        for id_, parent, stamp in self._execute(ROWS.format(key=self._key or "NULL")):
            above = id_of(parent, "its parent's id", thread_id) if parent else None
            found.append(Row(id_of(id_, "its id", thread_id), above, stamp))
        return found

    def checkpoints(self, rows: Sequence[Row]) -> Iterator[Saved]:
        """These checkpoints, without what their tasks wrote; of a broken page what can be said."""
        query = BLOBS.format(place=self._place)
        for row in rows:
            try:
                kind, size, blob, *metadata = self._one(query, row)
            except sqlite3.DatabaseError as error:  # a broken page: other rows may be whole
                if stopped(error):
                    raise
                yield Saved(*self._at, row.id, row.parent_id, {}, opaque(f"damaged: {error}", 0), {}, [])
                continue
            checkpoint, values = parts(self._value(kind, size, blob), size or 0)
            said = self._metadata(*metadata)
            yield Saved(*self._at, row.id, row.parent_id, checkpoint, values, said, [], self._snapshots(values))

    def metadata(self, row: Row) -> dict[str, Any]:
        """A checkpoint's metadata alone."""
        return self._metadata(*self._one(METADATA.format(place=self._place), row))

    def stamps(self) -> dict[str, Any] | None:
        """How many writes a checkpoint has, and the newest one's row id; None where the table has none."""
        if self._write_key is None:
            return None
        found = self._execute(STAMPS.format(key=self._write_key))
        return {checkpoint_id: stamp for checkpoint_id, *stamp in found}

    def writes(self, ids: Collection[str] | None) -> dict[str, list[Write]]:
        """What tasks wrote, by checkpoint id."""
        path = name("task_path") if "task_path" in columns_of(self._connection, "writes") else "''"
        query, found = WRITES.format(path=path), dict[str, list[Write]]()
        if ids is None:
            self._read_writes(query, [], found)
        for id_ in ids or ():
            self._read_writes(f"{query} AND {OF_CHECKPOINT}", [id_], found)
        return found

    def _read_writes(self, query: str, more: list[str], found: dict[str, list[Write]]) -> None:
        for checkpoint_id, task_id, path, idx, channel, *value in self._execute(query, self._most, *more):
            place = idx if isinstance(idx, int) else 0
            task, way, to = map(self._name, (task_id, path, channel))
            found.setdefault(checkpoint_id, []).append(Write(task, way, place, to, self._value(*value)))

    def _name(self, cell: Any) -> str:
        """A name as text, one object for all that are equal."""
        text = as_text(cell)
        known: str = self._names.setdefault(text, text)
        return known

    def namespaces(self) -> set[str]:
        """The namespaces of the thread's subgraphs."""
        return namespaces_of(self._connection, self._at[0])

    @property
    def _place(self) -> str:
        return f"{self._key} = ?4" if self._key else f"{PLACE} AND {OF_CHECKPOINT}"

    def _execute(self, query: str, *more: Any) -> Iterator[Any]:
        """The rows of a query, each of which is an item of this read."""
        for row in self._connection.execute(query, [*self._at, *more]):
            self._meter.take(items=1)
            yield row

    def _one(self, query: str, row: Row) -> Any:
        at = row.stamp if self._key else row.id
        return self._connection.execute(query, [*self._at, self._most, at]).fetchone()

    def _snapshots(self, values: Any) -> frozenset[str]:
        held = values.items() if isinstance(values, dict) else ()
        return frozenset(channel for channel, value in held if self._decoder.is_snapshot(value))

    def _value(self, kind: Any, size: int | None, blob: Any) -> Any:
        if blob is None and size:
            return opaque(f"larger than {self._most:,} bytes", size)
        self._meter.take(nbytes=size or 0)
        return self._decoder.decode(kind, blob)

    def _metadata(self, size: int | None, blob: Any) -> dict[str, Any]:
        said = self._value("json", size, blob) if size else {}
        return said if isinstance(said, dict) else opaque("damaged: this is no metadata", size or 0)


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """The names of a table's columns, generated ones too, in lower case."""
    return {str(column).lower() for _, column, *_ in connection.execute(f"PRAGMA table_xinfo({table})")}


def row_id(connection: sqlite3.Connection, table: str) -> str | None:
    """By what name a table's row ids are asked for: SQLite has three, and columns may take them; None: by none."""
    for known in {"rowid", "_rowid_", "oid"} - columns_of(connection, table):
        with suppress(sqlite3.OperationalError):  # the table is one WITHOUT ROWID
            connection.execute(f"SELECT {known} FROM {table} LIMIT 0")  # noqa: S608
            return known
    return None


def stopped(error: sqlite3.DatabaseError) -> bool:
    """Whether a query was stopped because it took too long."""
    return isinstance(error, sqlite3.OperationalError) and "interrupted" in str(error)


def namespaces_of(connection: sqlite3.Connection, thread_id: str) -> set[str]:
    """The namespaces of a thread's subgraphs."""
    found = {id_of(space, "its namespace", thread_id) for (space,) in connection.execute(NAMESPACES, [thread_id])}
    return found - {""}
