"""Whether an archive is what was written, thread by thread."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import ArchiveDamaged, OverBudget
from ...model.text import shown
from ..budget import DEFAULT_BUDGET, Budget
from ..query_time import timed
from .file import as_errors, cut, reading
from .read import Reader, Row

MOST_FAULTS = 10
ADVICE = "Take the file from a backup, or export the threads again from where they came, under another file name."
SAVED = "The whole ones can still be read: fb.connect({!r}).export('saved.forkbook', report.whole)"


@dataclass(frozen=True, slots=True)
class ThreadVerdict:
    """Whether one thread is whole; `bool(verdict)` says it.

    Attributes:
        thread_id: The thread.
        checkpoints: How many it has, those of subgraphs, too.
        digest: The hash of its content, in hex; two archives that hold the same thread have the same.
        damage: What is damaged, in words; None: nothing.
    """

    thread_id: str
    checkpoints: int
    digest: str
    damage: str | None = None

    def __bool__(self) -> bool:
        return self.damage is None


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Whether an archive is whole; `bool(report)` says it.

    Attributes:
        path: The archive.
        threads: A verdict a thread.
        faults: What is wrong with the file beside its threads.
    """

    path: Path
    threads: tuple[ThreadVerdict, ...]
    faults: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return all(self.threads) and not self.faults

    @property
    def whole(self) -> tuple[str, ...]:
        """The ids of the threads that are whole; they can be read, and exported, whatever is damaged beside them."""
        return tuple(verdict.thread_id for verdict in self.threads if verdict)

    @property
    def damage(self) -> tuple[str, ...]:
        """All that is damaged, in words: the file, then its threads."""
        return *self.faults, *(verdict.damage for verdict in self.threads if verdict.damage)

    @shown
    def __repr__(self) -> str:
        found = ", of those that can be found" if self.faults else ""
        lines = [f"{self.path}: {len(self.whole):,} of {len(self.threads):,} threads are whole{found}"]
        lines += [f"  {fault}" for fault in self.damage[:MOST_FAULTS]]
        lines += [f"  … and {len(self.damage) - MOST_FAULTS:,} more"] if len(self.damage) > MOST_FAULTS else []
        lines += [f"  {ADVICE}"] if self.damage else []
        lines += [f"  {SAVED.format(str(self.path))}"] if self.damage and self.whole else []
        return "\n".join(lines)


def verify(path: Path | str, budget: Budget = DEFAULT_BUDGET) -> VerifyReport:
    """Read every thread of an archive and compare it with its digest.

    Of a file that is cut, or malformed, the threads that can still be found have a verdict. A thread that goes beyond
    the budget is not whole, as far as can be known.

    Raises:
        InvalidInput: There is no such file, or it is no archive.
        ForeignArchive: It is of another format.
        SourceError: It cannot be read at all, or it is being written.
    """
    path = Path(path)
    faults: list[str] = []
    verdicts: list[ThreadVerdict] = []
    missing = cut(path)
    clock = budget.meter(f"archive {path}", path=str(path))
    with _noted(faults), reading(path, clock, cut_too=True) as db:
        reader, rows = Reader(db, path, budget), list[Row]()
        with _noted(faults), as_errors(path, missing), timed(db, clock):
            _check_as_a_whole(db, reader, faults, missing)
        with _noted(faults), as_errors(path, missing), timed(db, clock):
            rows.extend(reader.unchecked_rows())
        verdicts.extend(_verdict(db, reader, row) for row in rows)
    return VerifyReport(path, tuple(verdicts), tuple(dict.fromkeys(faults)))


def _check_as_a_whole(db: sqlite3.Connection, reader: Reader, faults: list[str], missing: str | None) -> None:
    if missing is None:
        for (found,) in db.execute(f"PRAGMA integrity_check({MOST_FAULTS})"):
            faults += [] if found == "ok" else [f"the file is damaged: {found}"]
        for row in reader.rows():
            reader.check(row)
    else:
        faults.append(f"the file is damaged: {missing}")


def _verdict(db: sqlite3.Connection, reader: Reader, row: Row) -> ThreadVerdict:
    faults: list[str] = []
    with _noted(faults), timed(db, reader.meter(row)):
        reader.check(row)
        reader.record(row)
        reader.namespaces(row)
        reader.states(row)
    hex_ = row.digest.hex() if isinstance(row.digest, bytes) else ""
    checkpoints = row.checkpoints if isinstance(row.checkpoints, int) else 0
    return ThreadVerdict(row.name, checkpoints, hex_, faults[0] if faults else None)


@contextmanager
def _noted(faults: list[str]) -> Iterator[None]:
    try:
        yield
    except ArchiveDamaged as error:
        faults.append(error.details["damage"])
    except OverBudget as error:
        faults.append(str(error))
