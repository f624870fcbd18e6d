"""A checkpoint store in a SQLite file, read with our own SQL; each read is one transaction and sees one moment."""

import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ...errors import ThreadNotFound
from ...model.states import State, Thread
from ...model.tree import Head
from ..budget import DEFAULT_BUDGET, Budget
from ..capabilities import Capability
from ..contract import Backend
from ..store import Memory
from ..values.cells import as_text, id_of, sized, understood
from ..values.decode import Decoder
from ..values.plain import opaque
from .kept import KeptThreads, Row
from .listing import check_search, fitting
from .rows import Saved, Write, parts
from .rules import Rules
from .sqlite_file import LARGEST, SqliteFile
from .sqlite_store import SqliteMemory

PAGE = 100  # checkpoints a page

THREADS = """
SELECT thread_id, min(checkpoint_id), max(checkpoint_id) FROM checkpoints GROUP BY thread_id
ORDER BY min(checkpoint_id) DESC, thread_id
"""
THREAD = "SELECT thread_id, min(checkpoint_id), max(checkpoint_id) FROM checkpoints WHERE thread_id = ?"
ROWS = """
SELECT checkpoint_id, parent_checkpoint_id, {key} FROM checkpoints WHERE thread_id = ?1 AND checkpoint_ns = ?2
ORDER BY checkpoint_id DESC
"""
BLOBS = f"""
SELECT type, {sized("checkpoint", "?1")}, {sized("metadata", "?1")} FROM checkpoints WHERE {{place}}
"""  # noqa: S608  # our own columns, here and below
METADATA = f"SELECT {sized('metadata', '?1')} FROM checkpoints WHERE {{place}}"  # noqa: S608
BY_ID = "thread_id = ?3 AND checkpoint_ns = ?4 AND checkpoint_id = ?5"
MARK = "SELECT count(*), max({key}) FROM {table} WHERE thread_id = ? AND checkpoint_ns = ?"
STAMPS = """
SELECT checkpoint_id, count(*), max({key}) FROM writes WHERE thread_id = ? AND checkpoint_ns = ? GROUP BY checkpoint_id
"""
WRITES = f"""
SELECT checkpoint_id, task_id, {{path}}, idx, channel, type, {sized("value", "?")}
FROM writes WHERE thread_id = ? AND checkpoint_ns = ?
"""  # noqa: S608
OF_CHECKPOINT = " AND checkpoint_id = ?"
NAMESPACES = "SELECT DISTINCT checkpoint_ns FROM checkpoints WHERE thread_id = ? AND checkpoint_ns <> ''"


class SqliteBackend(Backend):
    """A SQLite file that LangGraph's SqliteSaver or AsyncSqliteSaver wrote.

    Args:
        path: The file.
        rules: The rules that were given for DeltaChannels.

    Raises:
        ConnectionFailed: It is missing or locked.
        AccessDenied: It may not be read.
        SourceError: It is no checkpoint store.
    """

    kind = "the SQLite store"
    keeps_rows = True
    classes = "named"

    def __init__(
        self, path: str | os.PathLike[str], rules: Rules | None = None, budget: Budget = DEFAULT_BUDGET
    ) -> None:
        self.budget = budget
        self._file = SqliteFile(Path(path))
        self.address = str(path)
        self._lock, self._kept = threading.Lock(), KeptThreads(rules)
        self._read_from: int | None = None  # the file of which rows are kept; None: some may be wrong
        if not self._file.read("opening the store", SqliteMemory.columns):
            self.capabilities -= {Capability.STORE}

    def close(self) -> None:
        self._file.close()
        with self._lock:
            self._kept.clear()

    def threads(self, **search: Any) -> Iterator[Thread]:
        check_search(search)
        rows = self._file.read("listing the threads", lambda connection: connection.execute(THREADS).fetchall())
        yield from (_thread(*row) for row in fitting([row for row in rows if isinstance(row[0], str)], search))

    def thread(self, thread_id: str) -> Thread:
        row = self._file.read(
            "reading a thread's record",
            lambda connection: connection.execute(THREAD, [thread_id]).fetchone(),
            thread_id,
        )
        if row[0] is None:
            raise ThreadNotFound(
                f"no thread {thread_id!r} in {self.address}; book.threads() lists them", thread_id=thread_id
            )
        return _thread(*row)

    def heads(self, thread_id: str) -> list[Head]:
        def work(connection: sqlite3.Connection) -> list[Head]:
            rows = SqliteRows(connection, Decoder(), thread_id, "")
            found = ((row, rows.metadata(row)) for row in rows.rows())
            return [Head(row.id, row.parent_id, said.get("step"), said.get("source")) for row, said in found]

        return self._file.read("reading the heads", work, thread_id)

    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        found = list(self._states(thread_id, ns).values())
        size = page_size or PAGE
        yield from (found[start : start + size] for start in range(0, len(found), size))

    def namespaces(self, thread_id: str) -> set[str]:
        return self._file.read("listing the subgraphs", lambda db: _namespaces(db, thread_id), thread_id)

    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        found = self._states(thread_id, ns)
        return next(iter(found.values()), None) if checkpoint_id is None else found.get(checkpoint_id)

    def states(self, thread_id: str, ids: Collection[str], *, ns: str = "") -> dict[str, State]:
        found = self._states(thread_id, ns)
        return {id_: found[id_] for id_ in ids if id_ in found}

    def memory(self) -> Memory:
        found = Capability.STORE in self.capabilities
        return SqliteMemory(f"{self.kind} {self.address}", self._file) if found else super().memory()

    def _states(self, thread_id: str, ns: str) -> dict[str, State]:
        def work(connection: sqlite3.Connection) -> dict[str, State]:
            if self._read_from != self._file.number:  # another file; or this one, a writer came in between
                self._kept.clear()
            self._read_from = None
            decoder, kept = self._kept.of(thread_id, ns)
            with understood(f"{self.kind} {self.address}", thread_id):
                return kept.states(SqliteRows(connection, decoder, thread_id, ns))

        with self._lock:
            found = self._file.read("reading the history", work, thread_id)
            self._read_from = self._file.number
            return found


class SqliteRows:
    """A namespace of a thread in a SQLite file, at one moment.

    Args:
        connection: A connection in a transaction.
        decoder: Decodes its values.
        thread_id: The thread.
        ns: The namespace.
    """

    def __init__(self, connection: sqlite3.Connection, decoder: Decoder, thread_id: str, ns: str) -> None:
        self._connection, self._decoder = connection, decoder
        self._at = thread_id, ns
        self._key, self._write_key = (row_id(connection, table) for table in ("checkpoints", "writes"))

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
        thread_id, query = self._at[0], ROWS.format(key=self._key or "NULL")
        return [
            Row(
                id_of(found, "its id", thread_id),
                id_of(parent, "its parent's id", thread_id) if parent else None,
                stamp,
            )
            for found, parent, stamp in self._connection.execute(query, self._at)
        ]

    def checkpoints(self, rows: Sequence[Row]) -> Iterator[Saved]:
        """These checkpoints, without what their tasks wrote; of a broken page what can be said."""
        query = BLOBS.format(place=self._place)
        for row in rows:
            try:
                kind, size, blob, *metadata = self._one(query, row)
            except sqlite3.DatabaseError as error:  # a broken page: other rows may be whole
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
        found = self._connection.execute(STAMPS.format(key=self._write_key), self._at)
        return {checkpoint_id: stamp for checkpoint_id, *stamp in found}

    def writes(self, ids: Collection[str] | None) -> dict[str, list[Write]]:
        """What tasks wrote, by checkpoint id."""
        path = "task_path" if "task_path" in columns_of(self._connection, "writes") else "''"
        query, found = WRITES.format(path=path), dict[str, list[Write]]()
        asked = [[]] if ids is None else [[id_] for id_ in ids]
        for more in asked:
            cursor = self._connection.execute(query + OF_CHECKPOINT * len(more), [LARGEST, *self._at, *more])
            for checkpoint_id, task_id, path, idx, channel, *value in cursor:
                place = idx if isinstance(idx, int) else 0
                write = Write(as_text(task_id), as_text(path), place, as_text(channel), self._value(*value))
                found.setdefault(checkpoint_id, []).append(write)
        return found

    def namespaces(self) -> set[str]:
        """The namespaces of the thread's subgraphs."""
        return _namespaces(self._connection, self._at[0])

    @property
    def _place(self) -> str:
        return f"{self._key} = ?2" if self._key else BY_ID

    def _one(self, query: str, row: Row) -> Any:
        at = [] if self._key else [*self._at, row.id]
        return self._connection.execute(query, [LARGEST, row.stamp, *at]).fetchone()

    def _snapshots(self, values: Any) -> frozenset[str]:
        held = values.items() if isinstance(values, dict) else ()
        return frozenset(channel for channel, value in held if self._decoder.is_snapshot(value))

    def _value(self, kind: Any, size: int | None, blob: Any) -> Any:
        if blob is None and size:
            return opaque(f"larger than {LARGEST:,} bytes", size)
        return self._decoder.decode(kind, blob)

    def _metadata(self, size: int | None, blob: Any) -> dict[str, Any]:
        said = self._value("json", size, blob) if size else {}
        return said if isinstance(said, dict) else opaque("damaged: this is no metadata", size or 0)


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """The names of a table's columns, in lower case."""
    return {str(name).lower() for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}


def row_id(connection: sqlite3.Connection, table: str) -> str | None:
    """By what name a table's row ids are asked for: SQLite has three, and columns may take them; None: by none."""
    for name in {"rowid", "_rowid_", "oid"} - columns_of(connection, table):
        with suppress(sqlite3.OperationalError):  # the table is one WITHOUT ROWID
            connection.execute(f"SELECT {name} FROM {table} LIMIT 0")  # noqa: S608
            return name
    return None


def _namespaces(connection: sqlite3.Connection, thread_id: str) -> set[str]:
    return {name for (name,) in connection.execute(NAMESPACES, [thread_id]) if isinstance(name, str)}


def _thread(thread_id: str, first: str, last: str) -> Thread:
    times = {"created_at": _written_at(first), "updated_at": _written_at(last)}
    return {"thread_id": thread_id, "status": None, **times, "metadata": {}}


def _written_at(checkpoint_id: str) -> str | None:
    """When a checkpoint id was made; LangGraph's are UUIDs of version 6, which begin with the time."""
    digits = str(checkpoint_id).replace("-", "")
    with suppress(ValueError, OverflowError):
        if len(digits) == 32 and digits[12] == "6":
            ticks = int(digits[:12] + digits[13:16], 16)
            return (datetime(1582, 10, 15, tzinfo=UTC) + timedelta(microseconds=ticks // 10)).isoformat()
    return None
