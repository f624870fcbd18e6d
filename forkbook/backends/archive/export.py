"""Export: threads of any backend written to an archive, each whole or not at all."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import ArchiveDamaged, ForkbookError
from ...model.redaction import left_out_note
from ...model.text import shown
from ...model.tree import PRUNED
from ..contract import Backend
from ..gather import Ask, Gathered, Read, at_once, gather, moved_on
from .file import Batches, writing
from .store import keep_older, packed, stored

MOST_SHOWN = 10
KEPT = "{path} is as it was before: it has threads that this export did not write, or cannot be read"


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did; `bool(report)` is whether every thread is there now.

    Attributes:
        path: The archive, file or folder that was asked for.
        threads: Threads that were written.
        checkpoints: Checkpoints that were written, those of subgraphs, too.
        skipped: Threads that the archive already held, identical.
        errors: Threads that could not be read or kept, with the reason.
        bytes: The size of what is there now.
        later: Threads that went on while they were read: how many checkpoints came after the head that was exported.
        dangling: Threads that name parents which the source itself does not have, with these ids.
        pruned: Threads of which older checkpoints were pruned at the source, or never kept there.
        notes: What else is worth knowing.
        gone: Threads that were listed, and deleted at the source before they were read; they are no errors.
        kept: Whether `path` is still the file or folder that it was before, because it has threads that this export
            did not write; never of an archive, which keeps its threads in any case.
        left_out: Names of secrets in configurable, context and metadata that were not written.
        partial: Where the threads are that this export wrote, if that is not `path`, as in `threads.partial.json`.
    """

    path: Path
    threads: int
    checkpoints: int
    skipped: int
    errors: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0
    later: Mapping[str, int] = field(default_factory=dict)
    dangling: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pruned: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    kept: bool = False
    partial: Path | None = None
    left_out: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.errors and not self.kept

    @property
    def lacking(self) -> list[str]:
        """What the source itself lacks of the threads, in sentences."""
        return [
            *(f"thread {id_} lacks a parent: {', '.join(ids)}" for id_, ids in self.dangling.items()),
            *(f"thread {id_}: {PRUNED}" for id_ in self.pruned),
        ]

    @shown
    def __repr__(self) -> str:
        lines = [
            f"{self.partial or self.path}: {self.threads:,} threads with {self.checkpoints:,} checkpoints written, "
            f"{self.skipped:,} already there, {len(self.errors):,} not exported; {self.bytes:,} bytes"
        ]
        said = [
            *([KEPT.format(path=self.path)] if self.kept else []),
            *self.errors.values(),
            *(f"thread {id_} went on: {count:,} later checkpoints are left out" for id_, count in self.later.items()),
            *self.lacking,
            *([f"{len(self.gone):,} threads were deleted while others were read"] if self.gone else []),
            *left_out_note(self.left_out),
            *self.notes,
        ]
        more = [f"  … and {len(said) - MOST_SHOWN:,} more"] if len(said) > MOST_SHOWN else []
        return "\n".join([*lines, *(f"  {line}" for line in said[:MOST_SHOWN]), *more])


class Account:
    """What an export did so far.

    Args:
        progress: Called with the number of threads that are done, and of all.
    """

    def __init__(self, progress: Callable[[int, int], None] | None = None) -> None:
        self._progress, self._done = progress, 0
        self.threads = self.checkpoints = self.skipped = 0
        self.errors: dict[str, str] = {}
        self.gone: list[str] = []
        self.dangling: dict[str, tuple[str, ...]] = {}
        self.pruned: list[str] = []
        self.heads: dict[str, Read] = {}
        self._later: dict[str, int] = {}
        self.notes: list[str] = []
        self._left_out: dict[str, None] = {}

    def add(self, thread: Gathered, error: ForkbookError | None, all_: int, *, new: bool = True) -> None:
        """One more thread."""
        self._done += 1
        self._left_out |= dict.fromkeys(thread.left_out)
        if thread.gone:
            self.gone.append(thread.thread_id)
        elif error is not None:
            self.errors[thread.thread_id] = str(error)
        else:
            self.threads += new
            self.checkpoints += len(thread.states) * new
            self.skipped += not new
            self.heads[thread.thread_id] = thread.record.get("updated_at"), thread.head
            self.dangling |= {thread.thread_id: thread.dangling} if thread.dangling else {}
            self.pruned += [thread.thread_id] if thread.pruned else []
            self._later |= {thread.thread_id: thread.later} if thread.later else {}
        if self._progress:
            self._progress(self._done, all_)

    def report(self, path: Path, backend: Backend, ask: Ask, *, listed: bool, name: Path | None) -> ExportReport:
        """What was done, and what has come to the threads meanwhile.

        Args:
            path: The name that was asked for.
            backend: The source.
            ask: Makes a request.
            listed: Whether all threads were asked for.
            name: The name under which the threads are; None: nothing was written.
        """
        try:
            later = self._later | moved_on(backend, self.heads, ask, listed=listed)
        except ForkbookError as error:
            later = self._later
            self.notes.append(f"whether threads went on meanwhile is not known: {error}")
        return ExportReport(
            path, self.threads, self.checkpoints, self.skipped, self.errors, size(name or path), later, self.dangling,
            tuple(self.pruned), tuple(self.notes), tuple(self.gone), kept=name != path and path.exists(),
            partial=None if name == path else name, left_out=tuple(self._left_out),
        )  # fmt: skip


def size(path: Path) -> int:
    """Bytes of a file, or of all in a folder."""
    return sum(item.stat().st_size for item in ([path] if path.is_file() else path.rglob("*")) if item.is_file())


def write(
    path: Path | str,
    backend: Backend,
    thread_ids: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    readers: int | None = None,
    ask: Ask = at_once,
    secrets: bool = False,
) -> ExportReport:
    """Write threads to an archive, a new one or one that is there; done again, it goes on where it stopped.

    A thread that the archive holds is compared by its digest, and replaced if it changed; not if it was pruned at its
    source since, which is an error of this thread. What the archive holds beside these threads stays. What is stopped
    loses at most the threads of the last third of a second.

    Args:
        path: The archive.
        backend: Where the threads are.
        thread_ids: Which ones; None for all.
        progress: Called with the number of threads that are done, and of all.
        readers: Threads that are read side by side; None: what the place allows, at most 6.
        ask: Makes a request, and makes it again where that may help.
        secrets: Whether to write the secrets in settings and metadata, too.

    Raises:
        InvalidInput: The file is there and is no archive, or its folder is not there.
        ForeignArchive: It is of another format.
        SourceError: The file cannot be written, or the threads' place is gone; what was written so far is whole.
    """
    path, account = Path(path), Account(progress)
    with writing(path) as db, Batches(db) as batches:
        number, threads = gather(
            backend, thread_ids, readers=readers, ask=ask, waiting=batches.waiting, secrets=secrets
        )
        for thread in threads:
            error, new = thread.error, False
            try:
                if error is None:
                    pieces = packed(thread.record, thread.states)
                    with batches.part():
                        if thread.pruned:
                            keep_older(db, path, pieces)
                        new = stored(db, path, pieces, thread.namespaces)
            except ArchiveDamaged as damage:
                if damage.details.get("path") == str(path):
                    raise
                error = damage
            except ForkbookError as refused:
                error = refused
            account.add(thread, error, number, new=new)
    return account.report(path, backend, ask, listed=thread_ids is None, name=path)
