"""Export by suffix: an archive, a JSON file, or a folder of Parquet tables."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..backends.archive.export import ExportReport
from ..backends.contract import Backend
from ..backends.retry import Retry
from ..errors import InvalidInput
from ..model.text import short

FORMATS = {"archive": ".forkbook", "json": ".json", "parquet": ".parquet"}


def format_of(path: Path, asked: str | None) -> str:
    """The name of a format: the one that was asked for, else that of the path's suffix.

    Raises:
        InvalidInput: There is no such format, or the suffix names none.
    """
    if asked is not None:
        if asked not in FORMATS:
            raise InvalidInput(f"format {short(asked)}: there is {', '.join(FORMATS)}", candidates=tuple(FORMATS))
        return asked
    for name, suffix in FORMATS.items():
        if path.suffix.lower() == suffix:
            return name
    raise InvalidInput(
        f"{path} does not say in which format: give a name that ends in {', '.join(FORMATS.values())}, or format=…",
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
    counter: Any = None,
    secrets: bool = False,
) -> ExportReport:
    """Write threads to a file or folder; requests that fail in passing are made again.

    Args:
        path: Where to.
        backend: Where the threads are.
        threads: Which ones; None for all.
        progress: Called with the number of threads that are done, and of all.
        format: "archive", "json" or "parquet"; None: what the suffix says.
        readers: Threads that are read side by side; None: what the place allows, at most 6.
        counter: What counts the tokens in Parquet tables; None: the default.
        secrets: Whether to write the secrets in settings and metadata, too.

    Raises:
        InvalidInput: The format or the path cannot be right.
        MissingExtra: Parquet was asked for, and pyarrow is not installed.
        SourceError: It cannot be written, or the threads' place is gone.
        KeyboardInterrupt: It was stopped; a note of it says what is left.
    """
    which = format_of(path, format)
    how: dict[str, Any] = {"readers": readers, "ask": Retry().read, "secrets": secrets}
    try:
        if which == "archive":
            from ..backends.archive import write

            return write(path, backend, threads, progress, **how)
        if which == "json":
            from .formats.json import write as write_json

            return write_json(path, backend, threads, progress, **how)
        from .formats.parquet import write as write_tables

        return write_tables(path, backend, threads, progress, **how, counter=counter)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(_left(path, which))
        raise


def _left(path: Path, which: str) -> str:
    """In words, what an export that was stopped leaves, and what the next one will do."""
    if not path.exists():
        return f"{path} was not written: the same export begins anew."
    if which == "archive":
        return f"{path} keeps the threads that it has: the same export goes on from there."
    return f"{path} is as it was before: the same export begins anew."
