"""A checkpoint store in a SQLite file, read with our own SQL; each read is one transaction and sees one moment."""

import os
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ...errors import ThreadNotFound
from ...model.states import State, Thread
from ...model.tree import Head
from ..budget import DEFAULT_BUDGET, Budget, Meter
from ..capabilities import Capability
from ..contract import Backend
from ..store import Memory
from ..values.cells import understood
from ..values.decode import Decoder
from .kept import KeptThreads
from .listing import check_search, fitting
from .rules import Rules
from .sqlite_file import SqliteFile
from .sqlite_rows import SqliteRows, name, namespaces_of
from .sqlite_store import SqliteMemory

PAGE = 100  # checkpoints a page

ENDS = "min(checkpoint_id COLLATE BINARY) AS first, max(checkpoint_id COLLATE BINARY) AS last"
THREADS = f"""
SELECT {name("thread_id")}, {name("first")}, {name("last")}
FROM (SELECT thread_id, {ENDS} FROM checkpoints GROUP BY thread_id COLLATE BINARY)
ORDER BY first DESC, thread_id COLLATE BINARY
"""  # noqa: S608  # our own columns, here and below
THREAD = f"""
SELECT count(*), {name("min(checkpoint_id COLLATE BINARY)")}, {name("max(checkpoint_id COLLATE BINARY)")}
FROM checkpoints WHERE thread_id = ? COLLATE BINARY
"""  # noqa: S608


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
        self._file = SqliteFile(Path(path), budget)
        self.address = str(path)
        self._lock, self._kept = threading.Lock(), KeptThreads(rules, budget)
        self._read_from: int | None = None  # the file of which rows are kept; None: some may be wrong
        if not self._file.read("opening the store", SqliteMemory.columns):
            self.capabilities -= {Capability.STORE}

    @property
    def file(self) -> Path:
        return self._file.path

    def close(self) -> None:
        self._file.close()
        with self._lock:
            self._kept.clear()

    def threads(self, **search: Any) -> Iterator[Thread]:
        check_search(search)
        rows = self._file.read("listing the threads", self._listed)
        yield from (_thread(*row) for row in fitting(rows, search))

    def thread(self, thread_id: str) -> Thread:
        row = self._file.read(
            "reading a thread's record",
            lambda connection: connection.execute(THREAD, [thread_id]).fetchone(),
            thread_id,
        )
        if not row[0]:
            raise ThreadNotFound(
                f"no thread {thread_id!r} in {self.address}; book.threads() lists them", thread_id=thread_id
            )
        return _thread(thread_id, *row[1:])

    def heads(self, thread_id: str) -> list[Head]:
        def work(connection: sqlite3.Connection) -> list[Head]:
            rows = SqliteRows(connection, Decoder(self.budget), (thread_id, ""), self._meter(thread_id))
            found = ((row, rows.metadata(row)) for row in rows.rows())
            return [Head(row.id, row.parent_id, said.get("step"), said.get("source")) for row, said in found]

        return self._file.read("reading the heads", work, thread_id)

    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        found = list(self._states(thread_id, ns).values())
        size = page_size or PAGE
        yield from (found[start : start + size] for start in range(0, len(found), size))

    def namespaces(self, thread_id: str) -> set[str]:
        return self._file.read("listing the subgraphs", lambda db: namespaces_of(db, thread_id), thread_id)

    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        found = self._states(thread_id, ns)
        return next(iter(found.values()), None) if checkpoint_id is None else found.get(checkpoint_id)

    def states(self, thread_id: str, ids: Collection[str], *, ns: str = "") -> dict[str, State]:
        found = self._states(thread_id, ns)
        return {id_: found[id_] for id_ in ids if id_ in found}

    def memory(self) -> Memory:
        found = Capability.STORE in self.capabilities
        return SqliteMemory(f"{self.kind} {self.address}", self._file) if found else super().memory()

    def _meter(self, thread_id: str) -> Meter:
        return self.budget.meter(f"thread {thread_id!r} of {self.kind} {self.address}", thread_id=thread_id)

    def _listed(self, connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
        """The threads, each with its first and last checkpoint id; ids that are no text can be asked for by no one."""
        found, meter = [], self.budget.meter(f"the list of threads of {self.kind} {self.address}")
        for row in connection.execute(THREADS):
            meter.take(items=1)
            if isinstance(row[0], str):
                found.append(row)
        return found

    def _states(self, thread_id: str, ns: str) -> dict[str, State]:
        def work(connection: sqlite3.Connection) -> dict[str, State]:
            if self._read_from != self._file.number:  # another file; or this one, a writer came in between
                self._kept.clear()
            self._read_from = None
            decoder, kept = self._kept.of(thread_id, ns)
            with understood(f"{self.kind} {self.address}", thread_id):
                return kept.states(SqliteRows(connection, decoder, (thread_id, ns), self._meter(thread_id)))

        with self._lock:
            found = self._file.read("reading the history", work, thread_id)
            self._read_from = self._file.number
            return found


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
