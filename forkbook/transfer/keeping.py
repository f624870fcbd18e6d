"""Which name a finished export takes: never that of a file with threads that the run could not read."""

import itertools
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from ..backends.archive.export import Account

Held = Callable[[Path], Collection[str] | None]


def name_for(path: Path, account: Account, held: Held) -> Path | None:
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
