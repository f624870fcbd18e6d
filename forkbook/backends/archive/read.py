"""Threads read from an archive, each checked against its digest before anything of it is handed out."""

import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from ...errors import ArchiveDamaged, OverBudget, SourceError, ThreadNotFound
from ...model.states import State, Thread, head_of, id_of, key_of, namespace
from ...model.tree import Head
from ..budget import DEFAULT_BUDGET, Budget, Meter
from ..read import memory_of, subgraphs
from ..shape import Unfit, a_record, a_state
from .errors import damaged_file, damaged_thread, errorname
from .measure import Measure
from .pack import digest
from .text import HASH_BYTES, hash_of
from .unpack import Contents, Leaf

COLUMNS = "n, id, record, digest, namespaces, checkpoints, lists, leaves, sample, seal"
HIGHEST = 2**63  # of the numbers in a SQLite database
WRONG = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    OverflowError,
    zlib.error,
)  # what damaged data raise


@dataclass(frozen=True, slots=True)
class Row:
    """A thread's row.

    Attributes:
        n: Its number in the other tables.
        id: The thread's id.
        record: Its record, squeezed.
        digest: The hash of its content.
        namespaces: Those that are here: JSON, squeezed. A cache may not have read all.
        checkpoints: How many it has, in all namespaces.
        lists: How many lists it has.
        leaves: The numbers of its leaves: JSON, `[[first, last], …]`, squeezed.
        sample: What its skeletons are squeezed with.
        seal: The hash of the columns before.
    """

    n: int
    id: str
    record: bytes
    digest: bytes
    namespaces: bytes
    checkpoints: int
    lists: int
    leaves: bytes
    sample: bytes
    seal: bytes = b""

    def sealed(self) -> bytes:
        """What the seal has to be."""
        return hash_of("row", repr(astuple(self)[:-1]).encode("utf-8", "surrogatepass"))

    @property
    def name(self) -> str:
        """The id under which the thread is listed and found; one of our own where it has lost its own."""
        return self.id if isinstance(self.id, str) else f"number {self.n}, whose id is lost"

    def ranges(self, measure: Measure) -> list[tuple[int, int]]:
        """First and last numbers of its leaves."""
        ranges = [(first, last) for first, last in measure.value(measure.unpacked(self.leaves))]
        if not all(isinstance(n, int) and 0 <= n < HIGHEST for both in ranges for n in both):
            raise ValueError("the numbers of its values are none")
        return ranges


class Reader:
    """Reads threads of an open archive.

    Args:
        db: The archive, in a transaction.
        path: Its file, for errors.
        budget: What each call may read.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, budget: Budget = DEFAULT_BUDGET) -> None:
        self._db = db
        self._path = path
        self.budget = budget

    def rows(self) -> list[Row]:
        """Every thread's row, also of one that is damaged.

        Raises:
            ArchiveDamaged: One is missing.
            OverBudget: There are too many.
        """
        rows = list(self.unchecked_rows())
        if listing(rows) != listed(self._db):
            raise damaged_file(self._path, "its list of threads is not what was written")
        return rows

    def unchecked_rows(self) -> Iterator[Row]:
        """Every thread's row as it stands there; of a cut file those that come before the cut, then SQLite's error."""
        what = f"the list of threads of archive {self._path}"
        measure = Measure(self.budget.meter(what, path=str(self._path)))
        for found in self._db.execute(f"SELECT {COLUMNS} FROM threads NOT INDEXED ORDER BY n"):  # noqa: S608
            measure.row(found)
            yield Row(*found)

    def row(self, thread_id: str) -> Row:
        """One thread's row.

        Raises:
            ThreadNotFound: There is none, and the list of threads is whole.
        """
        for rows in (self._indexed(thread_id), self.unchecked_rows()):
            with suppress(sqlite3.DatabaseError):  # the index may be damaged, too, and other rows
                for row in rows:
                    if row.name == thread_id:
                        self.check(row)
                        return row
        known = self.rows()
        for row in known:
            self.check(row)
        raise ThreadNotFound(
            f"no thread {thread_id!r} in archive {self._path}: it holds {len(known):,}, book.threads() lists them",
            thread_id=thread_id,
        )

    def _indexed(self, thread_id: str) -> Iterator[Row]:
        if (row := self.find(thread_id)) is not None:
            yield row

    def find(self, thread_id: str) -> Row | None:
        """One thread's row as it stands there, unchecked."""
        try:
            found = self._db.execute(f"SELECT {COLUMNS} FROM threads WHERE id = ?", (thread_id,)).fetchone()  # noqa: S608
        except UnicodeEncodeError:
            return None
        return Row(*found) if found else None

    def check(self, row: Row) -> None:
        """Whether a row is what was written."""
        if row.seal != row.sealed() or not isinstance(row.id, str):
            raise damaged_thread(self._path, row.name, "its row is not what was written")

    def record(self, row: Row) -> Thread:
        """A thread's record."""
        measure = self._measure(row)
        with self._as_errors(row):
            return a_record(measure.value(measure.unpacked(row.record)), row.id)

    def listed_record(self, row: Row) -> Thread:
        """A thread's record; of one that cannot be read its id alone, so that it is told when it is opened."""
        try:
            self.check(row)
            return self.record(row)
        except (ArchiveDamaged, OverBudget):
            return {"thread_id": row.name}

    def namespaces(self, row: Row) -> set[str]:
        """The namespaces of a thread that are here."""
        measure = self._measure(row)
        with self._as_errors(row):
            names = measure.value(measure.unpacked(row.namespaces))
            if not isinstance(names, list) or not all(isinstance(ns, str) for ns in names):
                raise Unfit("its namespaces are none")
            return set(names)

    def heads(self, row: Row) -> list[Head]:
        """The heads of a thread's root namespace, newest first; no value is decoded."""
        with self._as_errors(row):
            skeletons = self._skeletons(row, self._measure(row))
            return [head_of(skeleton) for skeleton in skeletons[::-1] if not namespace(skeleton)]

    def states(self, row: Row, ns: str | None = None) -> list[State]:
        """A thread's states of one namespace, or all, newest first; equal values are one object."""
        measure = self._measure(row)
        skeletons = self._skeletons(row, measure)
        with self._as_errors(row):
            if ns is not None:
                self._check_namespace(row, skeletons, ns)
            wanted = [skeleton for skeleton in skeletons if ns in (None, namespace(skeleton))]
            return self._filled(row, wanted, measure)[::-1]

    def subgraphs(self, row: Row) -> set[str]:
        """The namespaces of a thread's subgraphs: those that are here, and those that a task names."""
        skeletons = self._skeletons(row, self._measure(row))
        with self._as_errors(row):
            return (self.namespaces(row) | self._named(row, skeletons)) - {""}

    def state(self, row: Row, wanted: str | None, ns: str = "") -> State | None:
        """The state of one checkpoint of a namespace, or of the newest; None if there is none."""
        measure = self._measure(row)
        skeletons = self._skeletons(row, measure)
        with self._as_errors(row):
            held = [skeleton for skeleton in skeletons if namespace(skeleton) == ns]
            fit = held[-1:] if wanted is None else [item for item in held if id_of(item) == wanted]
            return next(iter(self._filled(row, fit, measure)), None)

    def some(self, row: Row, ids: Collection[str], ns: str = "") -> dict[str, State]:
        """The states of these checkpoints of a namespace by id, of those that are there."""
        measure, wanted = self._measure(row), set(ids)
        skeletons = self._skeletons(row, measure)
        with self._as_errors(row):
            fit = [item for item in skeletons if namespace(item) == ns and id_of(item) in wanted]
            return {id_of(state): state for state in self._filled(row, fit, measure)}

    def _named(self, row: Row, skeletons: list[State]) -> set[str]:
        """The namespaces that tasks name; less those that only stand for a subgraph's one memory, which is here."""
        here = self.namespaces(row)
        return {ns for ns in subgraphs(skeletons) if memory_of(ns) not in here}

    def _check_namespace(self, row: Row, skeletons: list[State], ns: str) -> None:
        if ns not in self.namespaces(row) and ns in self._named(row, skeletons):
            raise SourceError(
                f"subgraph {ns!r} of thread {row.id} is not in archive {self._path}, a cache in which it was never "
                "opened: open it at its server, or export the thread from there",
                thread_id=row.id,
            )

    def meter(self, row: Row) -> Meter:
        """A meter for one read of a thread."""
        what = f"thread {row.name} of archive {self._path}"
        return self.budget.meter(what, thread_id=row.name, path=str(self._path))

    def _measure(self, row: Row) -> Measure:
        return Measure(self.meter(row))

    def _skeletons(self, row: Row, measure: Measure) -> list[State]:
        """The skeletons of a thread, oldest first; together with the record they fit its digest."""
        texts: list[bytes] = []
        with self._as_errors(row):
            found = self._db.execute(
                "SELECT place, id, body FROM checkpoints WHERE thread = ? ORDER BY place", (row.n,)
            )
            sample = measure.unpacked(row.sample)
            for place, id_, body in found:
                with self._as_errors(row, id_):
                    texts.append(measure.unpacked(body, sample))
                if place != len(texts) - 1:
                    raise damaged_thread(self._path, row.name, f"the checkpoint before {id_} is missing")
            if len(texts) != row.checkpoints:
                raise damaged_thread(self._path, row.name, f"{len(texts)} of {row.checkpoints} checkpoints are there")
            record = measure.unpacked(row.record)
            if digest(record, texts) != row.digest:
                raise damaged_thread(self._path, row.name, "its content does not fit its digest")
            a_record(measure.value(record), row.id)
            skeletons = [a_state(measure.value(text)) for text in texts]
            if len(set(map(key_of, skeletons))) < len(skeletons):
                raise Unfit("a checkpoint of it is there twice")
            return skeletons

    def _filled(self, row: Row, skeletons: list[State], measure: Measure) -> list[State]:
        contents = self._contents(row, measure)
        for skeleton in skeletons:
            try:
                contents.fill(skeleton)
            except WRONG as error:
                id_ = id_of(skeleton)
                raise damaged_thread(self._path, row.name, "a value of it is not what it was", id_) from error
        return skeletons

    def _contents(self, row: Row, measure: Measure) -> Contents:
        contents = Contents(dict(self._leaves(row, measure)), measure.a_list)
        for place, body in self._db.execute("SELECT place, body FROM lists WHERE thread = ? ORDER BY place", (row.n,)):
            with suppress(*WRONG):  # the checkpoint that wants it will be named
                contents.add_list(place, measure.value(measure.unpacked(body)))
        return contents

    def _leaves(self, row: Row, measure: Measure) -> Iterator[tuple[int, Leaf]]:
        for first, last in row.ranges(measure):
            for n, body in self._db.execute("SELECT n, body FROM leaves WHERE n BETWEEN ? AND ?", (first, last)):
                try:
                    yield n, measure.leaf(body)
                except WRONG:
                    continue  # the checkpoint that wants it will be named

    @contextmanager
    def _as_errors(self, row: Row, checkpoint: Any = None) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if errorname(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_INTERRUPT")):
                raise
            raise damaged_thread(self._path, row.name, error) from error
        except Unfit as error:
            raise damaged_thread(self._path, row.name, error) from error
        except WRONG as error:
            where = None if checkpoint is None else str(checkpoint)
            raise damaged_thread(self._path, row.name, f"it cannot be unpacked ({error})", where) from error


def listing(rows: Iterable[Row]) -> bytes:
    """One hash of all rows, in any order."""
    result = bytes(HASH_BYTES)
    for row in rows:
        if _is_hash(row.seal):
            result = exchanged(result, row.seal)
    return result


def exchanged(before: bytes, *seals: bytes) -> bytes:
    """The hash of all rows after some came or went."""
    number = int.from_bytes(before)
    for seal in seals:
        number ^= int.from_bytes(seal)
    return number.to_bytes(HASH_BYTES)


def listed(db: sqlite3.Connection) -> bytes | None:
    """The hash of all rows that the archive remembers; None: what is there is none."""
    found = db.execute("SELECT value FROM about WHERE key = 'threads'").fetchone()
    return bytes(HASH_BYTES) if found is None else found[0] if _is_hash(found[0]) else None


def _is_hash(cell: Any) -> bool:
    return isinstance(cell, bytes) and len(cell) == HASH_BYTES
