"""Files and folders that appear under their name when they are whole."""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Generic, TypeVar

from .errors import InvalidInput, SourceError

LEFT_BEHIND = 3600.0  # seconds; an unfinished one this old has no maker any more
T = TypeVar("T")


@dataclass(slots=True)
class Unfinished(Generic[T]):
    """A file or folder that is being written.

    Attributes:
        place: The open file, or the folder's path.
        name: The name that it will take; another one in the same folder, or None (it is not to stay), may be set.
    """

    place: T
    name: Path | None


@contextmanager
def new_file(path: Path) -> Iterator[Unfinished[IO[bytes]]]:
    """A file to be written; takes its name when the block ends well, and is gone otherwise."""
    if path.is_dir():
        raise SourceError(f"{path} cannot be written: it is a folder", path=str(path))
    with new_name(path) as new:
        with new.open("xb") as file:
            yield (unfinished := Unfinished[IO[bytes]](file, path))
            file.flush()
            os.fsync(file.fileno())
        if unfinished.name is not None:
            new.replace(unfinished.name)


@contextmanager
def new_folder(path: Path, mark: str) -> Iterator[Unfinished[Path]]:
    """A folder to be filled; takes its name when the block ends well, and is gone otherwise.

    Args:
        path: Its name; a folder that is there is replaced, if a file `mark` is in it or it is empty.
        mark: The name of a file that shows that forkbook made it.
    """
    if path.exists() and not (path.is_dir() and ((path / mark).exists() or not any(path.iterdir()))):
        raise InvalidInput(f"{path} is something else already: give the name of a new folder", path=str(path))
    with new_name(path) as new:
        new.mkdir()
        yield (unfinished := Unfinished(new, path))
        if unfinished.name is None:
            return
        if hasattr(os, "sync"):
            os.sync()
        _swap(new, unfinished.name)


def _swap(new: Path, path: Path) -> None:
    """Give a folder its name; one that has it is removed."""
    old = _beside(path, "old")
    with suppress(FileNotFoundError):
        path.rename(old)
    try:
        new.rename(path)
    except OSError:
        old.rename(path)
        raise
    _remove(old)


@contextmanager
def new_name(path: Path) -> Iterator[Path]:
    """A name beside a path for what is to be put there; what is left of it in the end is removed.

    Raises:
        InvalidInput: There is no folder for it.
        SourceError: It cannot be written.
    """
    if not path.parent.is_dir():
        raise InvalidInput(f"there is no folder {path.parent} to write {path.name} into", path=str(path))
    _clear(path)
    new = _beside(path, "new")
    try:
        yield new
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {error}", path=str(path)) from error
    finally:
        _remove(new)


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.{kind}")


def _clear(path: Path) -> None:
    """Put back the folder that a killed process had moved away, and remove what else it left."""
    for left in [item for item in path.parent.iterdir() if item.name.startswith(f".{path.name}.")]:
        with suppress(OSError):
            if left.name.endswith(".old") and not path.exists():
                left.rename(path)
            elif left.name.endswith((".new", ".old")) and time.time() - left.stat().st_mtime > LEFT_BEHIND:
                _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir():
        import shutil  # its import takes a tenth of forkbook's

        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
