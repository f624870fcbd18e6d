"""Export threads to a file or a folder: the format is a row of `formats.FORMATS`."""

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from ..backends.contract import Backend
from ..backends.gather import Ask, Gathered, Read, gather, moved_on
from ..backends.retry import Retry
from ..errors import ArchiveDamaged, ForkbookError, InvalidInput
from ..model.text import short, visible
from ..tokens import Counter
from .formats import FORMATS, SUFFIXES
from .formats.format import Format, ThreadWriter
from .outcome import ExportReport


def format_of(path: Path, asked: str | None) -> Format:
    """The format that was asked for, else that of the path's suffix.

    Raises:
        InvalidInput: There is no such format, or the suffix names none.
    """
    if asked is not None:
        if asked not in FORMATS:
            raise InvalidInput(f"format {short(asked)}: there is {', '.join(FORMATS)}", candidates=tuple(FORMATS))
        return FORMATS[asked]
    for row in FORMATS.values():
        if path.suffix.lower() == row.suffix:
            return row
    raise InvalidInput(
        f"{path} does not say in which format: give a name that ends in {', '.join(SUFFIXES)}, or format=…",
        candidates=tuple(FORMATS),
    )


def export(
    path: Path,
    backend: Backend,
    threads: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    format: str | None = None,
    readers: int | None = None,
    counter: Counter | None = None,
    secrets: bool = False,
    ask: Ask | None = None,
) -> ExportReport:
    """Write threads to a file or folder, each whole or not at all, in the order of the list.

    In memory are the threads that are being read, never the file.

    Args:
        path: Where to.
        backend: Where the threads are.
        threads: Which ones; None for all.
        progress: Called with the number of threads that are done, and of all.
        format: A key of `FORMATS`; None: what the suffix says.
        readers: Threads that are read side by side; None: what the place allows, at most 6.
        counter: What counts the tokens in Parquet tables; None: the default.
        secrets: Whether to write the secrets in settings and metadata, too.
        ask: Makes a request; None: it is made again where that may help.

    Raises:
        InvalidInput: The format or the path cannot be right.
        MissingExtra: Parquet was asked for, and pyarrow is not installed.
        SourceError: It cannot be written, or the threads' place is gone.
        KeyboardInterrupt: It was stopped; a note of it says what is left.
    """
    form, account = format_of(path, format), Account(progress)
    ask = ask or Retry().read
    try:
        with form.open(path, counter) as writer:
            number, found = gather(backend, threads, readers=readers, ask=ask, waiting=writer.waiting, secrets=secrets)
            for thread in found:
                account.add(thread, thread.error or _written(writer, thread, path), number)
            if not form.adds:
                writer.name = name_for(path, account, form.held)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(visible(_left(path, form)))
        raise
    account.notes += writer.notes
    return account.report(path, backend, ask, listed=threads is None, name=writer.name)


def export_with_bar(path: Path, backend: Backend, threads: Iterable[str] | None = None, **how: Any) -> ExportReport:
    """Export as `export` does, and show how far it is."""
    from tqdm.auto import tqdm

    with tqdm(desc="exporting threads", unit="", delay=1, leave=False) as bar:

        def progress(done: int, all_: int) -> None:
            bar.total = all_
            bar.update(done - bar.n)

        return export(path, backend, threads, progress, **how)


def _written(writer: ThreadWriter, thread: Gathered, path: Path) -> ForkbookError | int | None:
    """What came of writing a thread; damage of the archive that is written ends the export."""
    try:
        return writer.add(thread)
    except ForkbookError as error:
        if isinstance(error, ArchiveDamaged) and error.details.get("path") == str(path):
            raise
        return error


def _left(path: Path, form: Format) -> str:
    """In words, what an export that was stopped leaves, and what the next one will do."""
    if not path.exists():
        return f"{path} was not written: the same export begins anew."
    if form.adds:
        return f"{path} keeps the threads that it has: the same export goes on from there."
    return f"{path} is as it was before: the same export begins anew."


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

    def add(self, thread: Gathered, result: ForkbookError | int | None, all_: int) -> None:
        """Count one more thread.

        Args:
            thread: The thread.
            result: Why it could not be read or written; or the number of checkpoints that were written, None where
                all of them were there already.
            all_: How many threads there are.
        """
        self._done += 1
        self._left_out |= dict.fromkeys(thread.left_out)
        if thread.gone:
            self.gone.append(thread.thread_id)
        elif isinstance(result, ForkbookError):
            self.errors[thread.thread_id] = str(result)
        else:
            self.threads += result is not None
            self.checkpoints += result or 0
            self.skipped += result is None
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


def name_for(path: Path, account: Account, held: Callable[[Path], Collection[str] | None]) -> Path | None:
    """The name of a finished file or folder.

    A run that read all its threads takes the name that it was given. A run that could not read some of them takes the
    place of a file only if it read all threads which that file has; else the first such name beside it.

    Args:
        path: The name that was asked for.
        account: What was written.
        held: The ids of the threads in a file that is there; None: it cannot be read.

    Returns:
        `path`, a name beside it such as `threads.partial.json`, or None: no thread was written, so nothing is to stay.
    """
    written = account.heads.keys()
    if not written:
        is_free = not path.exists() or held(path) == set()
        return path if is_free and not account.errors else None
    if not account.errors:
        return path
    return next(name for name in _names(path) if not name.exists() or _is_covered(held(name), written))


def _names(path: Path) -> Iterator[Path]:
    yield path
    yield path.with_name(f"{path.stem}.partial{path.suffix}")
    for number in itertools.count(2):
        yield path.with_name(f"{path.stem}.partial-{number}{path.suffix}")


def _is_covered(held: Collection[str] | None, written: Collection[str]) -> bool:
    return held is not None and set(held) <= set(written)
