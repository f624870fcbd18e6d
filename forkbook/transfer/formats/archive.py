"""Export to an archive: each value once, thread by thread; an export that was stopped goes on where it was."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from ...backends.archive.backend import ArchiveBackend
from ...backends.archive.file import Batches, writing
from ...backends.archive.store import keep_older, packed, stored
from ...backends.gather import Gathered
from ...errors import ForkbookError
from ...files import clear
from ...tokens import Counter
from .format import ThreadWriter


@contextmanager
def open_archive(path: Path, counter: Counter | None = None) -> Iterator[ThreadWriter]:
    """An archive to be written, a new one or one that is there.

    A thread that it holds is compared by its digest, and replaced if it changed; not if it was pruned at its source
    since, which is an error of this thread. What it holds beside the threads of
    this export stays. An export that is stopped loses at most the threads of the last third of a second.

    Raises:
        InvalidInput: The file is there and is no archive, or its folder is not there.
        ForeignArchive: It is of another format.
        SourceError: It cannot be written; what was written so far is whole.
    """
    with suppress(OSError):  # what it is about comes up when the archive is opened
        clear(path)
    with writing(path) as db, Batches(db) as batches:
        yield ArchiveWriter(path, db, batches)


class ArchiveWriter(ThreadWriter):
    """Writes threads to an archive.

    Args:
        path: The file.
        db: Its database.
        batches: Commit what was written.
    """

    def __init__(self, path: Path, db: sqlite3.Connection, batches: Batches) -> None:
        super().__init__(path)
        self._path, self._db, self._batches = path, db, batches

    def add(self, thread: Gathered) -> int | None:
        pieces = packed(thread.record, thread.states)
        with self._batches.part():
            if thread.pruned:
                keep_older(self._db, self._path, pieces)
            new = stored(self._db, self._path, pieces, thread.namespaces)
        return len(thread.states) if new else None

    def waiting(self) -> float | None:
        return self._batches.waiting()


def held(path: Path) -> set[str] | None:
    """The ids of the threads in an archive; None: it cannot be read."""
    try:
        with closing(ArchiveBackend(path)) as archive:
            return {str(thread["thread_id"]) for thread in archive.threads()}
    except ForkbookError:
        return None
