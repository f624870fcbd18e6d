"""Whether an archive is what was written, thread by thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import ArchiveDamaged
from .file import reading
from .read import Reader, Row

MOST_FAULTS = 10


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

    def __repr__(self) -> str:
        whole = sum(map(bool, self.threads))
        head = f"{self.path}: {whole:,} of {len(self.threads):,} threads are whole"
        found = [*self.faults, *(verdict.damage for verdict in self.threads if verdict.damage)]
        more = [f"  … and {len(found) - MOST_FAULTS:,} more"] if len(found) > MOST_FAULTS else []
        return "\n".join([head, *(f"  {fault}" for fault in found[:MOST_FAULTS]), *more])


def verify(path: Path | str) -> VerifyReport:
    """Read every thread of an archive and compare it with its digest.

    Raises:
        InvalidInput: There is no such file, or it is no archive.
        ForeignArchive: It is of another format.
        ArchiveDamaged: It is damaged so that not even its threads can be listed.
    """
    path = Path(path)
    faults: list[str] = []
    with reading(path) as db:
        for (found,) in db.execute(f"PRAGMA integrity_check({MOST_FAULTS})"):
            faults += [] if found == "ok" else [f"archive {path}: {found}"]
        reader = Reader(db, path)
        with _noted(faults):
            reader.rows()
        return VerifyReport(path, tuple(_verdict(reader, row) for row in reader.unchecked_rows()), tuple(faults))


def _verdict(reader: Reader, row: Row) -> ThreadVerdict:
    faults: list[str] = []
    with _noted(faults):
        reader.check(row)
        reader.states(row)
    hex_ = row.digest.hex() if isinstance(row.digest, bytes) else ""
    return ThreadVerdict(str(row.id), row.checkpoints, hex_, faults[0] if faults else None)


@contextmanager
def _noted(faults: list[str]) -> Iterator[None]:
    try:
        yield
    except ArchiveDamaged as error:
        faults.append(str(error))
