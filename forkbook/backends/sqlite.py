"""A checkpoint store in a SQLite file, read with our own SQL; each read is one transaction and sees one moment."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, ThreadNotFound
from ..tree import Head
from .base import Backend, State, Thread
from .cells import as_text, id_of, sized, understood
from .databases.rules import Rules
from .decode import MEMO_BYTES, Decoder
from .memory.base import Memory
from .memory.sqlite import SqliteMemory
from .plain import opaque
from .rows import Saved, Write, parts
from .saved import states
from .sqlite_file import LARGEST, read

PAGE = 100  # checkpoints a page

THREADS = """
SELECT thread_id, min(checkpoint_id), max(checkpoint_id) FROM checkpoints GROUP BY thread_id
ORDER BY min(checkpoint_id) DESC, thread_id
"""
THREAD = "SELECT thread_id, min(checkpoint_id), max(checkpoint_id) FROM checkpoints WHERE thread_id = ?"
ROWS = """
SELECT rowid, checkpoint_id, parent_checkpoint_id FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ?
ORDER BY checkpoint_id DESC
"""
BLOBS = f"""
SELECT type, {sized("checkpoint", "?1")}, {sized("metadata", "?1")} FROM checkpoints WHERE rowid = ?2
"""  # noqa: S608  # our own columns, here and below
METADATA = f"SELECT {sized('metadata', '?1')} FROM checkpoints WHERE rowid = ?2"  # noqa: S608
WRITES = f"""
SELECT checkpoint_id, task_id, {{path}}, idx, channel, type, {sized("value", "?")}
FROM writes WHERE thread_id = ? AND checkpoint_ns = ?
"""  # noqa: S608
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
    abilities = frozenset({"live"})

    def __init__(self, path: str | os.PathLike[str], rules: Rules | None = None) -> None:
        self._path, self._rules = Path(path), rules
        self.address = str(path)
        self._decoder = Decoder()
        # the rows that were read last; one that was replaced since has a new rowid
        self._known: tuple[tuple[str, str], dict[int, Saved]] = (("", ""), {})
        if read(self._path, "opening the store", SqliteMemory.columns):
            self.abilities |= {"store"}

    def threads(self, **search: Any) -> Iterator[Thread]:
        if unknown := search.keys() - {"ids", "limit"}:
            raise InvalidInput(
                f"a store knows its threads' ids only: search by ids and limit, not {', '.join(sorted(unknown))}"
            )
        wanted = search.get("ids")
        rows = read(self._path, "listing the threads", lambda connection: connection.execute(THREADS).fetchall())
        found = [_thread(*row) for row in rows if isinstance(row[0], str) and (wanted is None or row[0] in wanted)]
        yield from found[: search.get("limit")]

    def thread(self, thread_id: str) -> Thread:
        row = read(
            self._path,
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
            heads = []
            for rowid, checkpoint_id, parent in _rows(connection, thread_id, ""):
                said = self._metadata(*connection.execute(METADATA, [LARGEST, rowid]).fetchone())
                heads.append(Head(checkpoint_id, parent, said.get("step"), said.get("source")))
            return heads

        return read(self._path, "reading the heads", work, thread_id)

    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        found = self._states(thread_id, ns)
        size = page_size or PAGE
        yield from (found[start : start + size] for start in range(0, len(found), size))

    def namespaces(self, thread_id: str) -> set[str]:
        return read(self._path, "listing the subgraphs", lambda db: _namespaces(db, thread_id), thread_id)

    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        found = self._states(thread_id, ns)
        return next((state for state in found if checkpoint_id in (None, state["checkpoint"]["checkpoint_id"])), None)

    def memory(self) -> Memory:
        found = "store" in self.abilities
        return SqliteMemory(f"{self.kind} {self.address}", self._path) if found else super().memory()

    def _states(self, thread_id: str, ns: str) -> list[State]:
        place = (thread_id, ns)
        last, known = self._known
        if last != place:
            known = {}
            if self._decoder.held > MEMO_BYTES:
                self._decoder = Decoder()

        def work(connection: sqlite3.Connection) -> tuple[dict[int, Saved], dict[str, list[Write]], set[str]]:
            rows = {}
            for rowid, checkpoint_id, parent in _rows(connection, thread_id, ns):
                if not (saved := known.get(rowid)):
                    checkpoint, values, metadata = self._blobs(connection, rowid)
                    at = thread_id, ns, checkpoint_id, parent
                    saved = Saved(*at, checkpoint, values, metadata, [], self._snapshots(values))
                rows[rowid] = saved
            return rows, self._writes(connection, thread_id, ns), _namespaces(connection, thread_id)

        rows, writes, namespaces = read(self._path, "reading the history", work, thread_id)
        self._known = (place, rows)
        saved = [replace(row, writes=writes.get(row.checkpoint_id, [])) for row in rows.values()]
        with understood(f"{self.kind} {self.address}", thread_id):
            return states(saved, namespaces, self._rules)

    def _blobs(self, connection: sqlite3.Connection, rowid: int) -> tuple[dict[str, Any], Any, dict[str, Any]]:
        """A row's checkpoint without its values, the values, and the metadata."""
        try:
            kind, size, blob, *metadata = connection.execute(BLOBS, [LARGEST, rowid]).fetchone()
        except sqlite3.DatabaseError as error:  # a broken page: other rows may be whole
            return {}, opaque(f"damaged: {error}", 0), {}
        return *parts(self._value(kind, size, blob), size or 0), self._metadata(*metadata)

    def _snapshots(self, values: Any) -> frozenset[str]:
        held = values.items() if isinstance(values, dict) else ()
        return frozenset(channel for channel, value in held if self._decoder.is_snapshot(value))

    def _writes(self, connection: sqlite3.Connection, thread_id: str, ns: str) -> dict[str, list[Write]]:
        columns = {name for _, name, *_ in connection.execute("PRAGMA table_info(writes)")}
        query = WRITES.format(path="task_path" if "task_path" in columns else "''")
        found: dict[str, list[Write]] = {}
        for checkpoint_id, task_id, path, idx, channel, *value in connection.execute(query, [LARGEST, thread_id, ns]):
            place = idx if isinstance(idx, int) else 0
            write = Write(as_text(task_id), as_text(path), place, as_text(channel), self._value(*value))
            found.setdefault(checkpoint_id, []).append(write)
        return found

    def _value(self, kind: Any, size: int | None, blob: Any) -> Any:
        if blob is None and size:
            return opaque(f"larger than {LARGEST:,} bytes", size)
        return self._decoder.decode(kind, blob)

    def _metadata(self, size: int | None, blob: Any) -> dict[str, Any]:
        said = self._value("json", size, blob) if size else {}
        return said if isinstance(said, dict) else opaque("damaged: this is no metadata", size or 0)


def _rows(connection: sqlite3.Connection, thread_id: str, ns: str) -> list[tuple[int, str, str | None]]:
    """The checkpoints of a namespace, newest first: their rows' ids, their own and their parents'."""
    rows = connection.execute(ROWS, (thread_id, ns)).fetchall()
    return [
        (rowid, id_of(found, "its id", thread_id), id_of(parent, "its parent's id", thread_id) if parent else None)
        for rowid, found, parent in rows
    ]


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
