"""Export: threads of any backend written to an archive, one transaction each."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import AccessDenied, ArchiveDamaged, ConnectionFailed, ForkbookError, InvalidInput
from ..base import Backend, State, Thread
from ..whole import everything
from .file import writing
from .store import packed, store

LINES_BROKEN = 2  # threads in a row that cannot be reached: the place is gone


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did; `bool(report)` is whether every thread is in the archive now.

    Attributes:
        path: The archive.
        threads: Threads that were written.
        checkpoints: Checkpoints that were written, those of subgraphs, too.
        skipped: Threads that the archive already held, identical.
        errors: Threads that could not be read or kept, with the reason.
        bytes: The archive's size.
    """

    path: Path
    threads: int
    checkpoints: int
    skipped: int
    errors: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0

    def __bool__(self) -> bool:
        return not self.errors

    def __repr__(self) -> str:
        lines = [
            f"{self.path}: {self.threads:,} threads with {self.checkpoints:,} checkpoints written, {self.skipped:,} "
            f"already there, {len(self.errors):,} not exported; {self.bytes:,} bytes"
        ]
        lines += [f"  {reason}" for reason in list(self.errors.values())[:10]]
        return "\n".join(lines + ([f"  … and {len(self.errors) - 10:,} more"] if len(self.errors) > 10 else []))


def write(
    path: Path | str,
    backend: Backend,
    thread_ids: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ExportReport:
    """Write threads to an archive, a new one or one that is there; done again, it goes on where it stopped.

    A thread that the archive holds is compared by its digest, and replaced if it changed. What the archive holds
    beside these threads stays.

    Args:
        path: The archive.
        backend: Where the threads are.
        thread_ids: Which ones; None for all.
        progress: Called with the number of threads that are done, and of all.

    Raises:
        InvalidInput: The file is there and is no archive, or its folder is not there.
        ForeignArchive: It is of another format.
        SourceError: The file cannot be written, or the threads' place is gone; what was written so far is whole.
    """
    path = Path(path)
    if isinstance(thread_ids, str):
        raise InvalidInput(f"thread_ids is a list of ids: give [{thread_ids!r}]")
    written = checkpoints = skipped = 0
    errors: dict[str, ForkbookError] = {}
    broken = 0
    with writing(path) as db:
        wanted = list(_wanted(backend, thread_ids))
        for done, (thread_id, record) in enumerate(wanted, 1):
            try:
                record, states, namespaces = _read(backend, thread_id, record)
                if store(db, path, packed(record, states), namespaces):
                    written, checkpoints = written + 1, checkpoints + len(states)
                else:
                    skipped += 1
                broken = 0
            except ArchiveDamaged as error:
                if error.details.get("path") == str(path):
                    raise
                errors[thread_id] = error
            except ForkbookError as error:
                errors[thread_id] = error
                broken = broken + 1 if isinstance(error, ConnectionFailed | AccessDenied) else 0
                if broken == LINES_BROKEN:
                    raise
            if progress:
                progress(done, len(wanted))
    reasons = {thread_id: str(error) for thread_id, error in errors.items()}
    return ExportReport(path, written, checkpoints, skipped, reasons, path.stat().st_size)


def _wanted(backend: Backend, thread_ids: Iterable[str] | None) -> Iterator[tuple[str, Thread | None]]:
    if thread_ids is None:
        yield from ((thread["thread_id"], thread) for thread in backend.threads())
    else:
        yield from ((thread_id, None) for thread_id in dict.fromkeys(thread_ids))


def _read(backend: Backend, thread_id: str, record: Thread | None) -> tuple[Thread, list[State], set[str]]:
    """A thread's record, its states of all namespaces, and these."""
    record = record or backend.thread(thread_id)
    states, namespaces = everything(backend, thread_id)
    if not states:
        backend.thread(thread_id)  # tells a thread without checkpoints from one that is gone
    return record, states, namespaces
