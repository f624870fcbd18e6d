"""Files and folders that appear under their name when they are whole."""

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ..errors import InvalidInput, SourceError

LEFT_BEHIND = 3600.0  # seconds; an unfinished one this old has no maker any more


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to be written; takes its name when the block ends well, and is gone otherwise."""
    with new_name(path) as new:
        with new.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


@contextmanager
def new_folder(path: Path, mark: str) -> Iterator[Path]:
    """A folder to be filled; takes its name when the block ends well, and is gone otherwise.

    Args:
        path: Its name; a folder that is there is replaced, if a file `mark` is in it or it is empty.
        mark: The name of a file that says that it is one of ours.
    """
    if path.exists() and not (path.is_dir() and ((path / mark).exists() or not any(path.iterdir()))):
        raise InvalidInput(f"{path} is something else already: give the name of a new folder", path=str(path))
    with new_name(path) as new:
        new.mkdir()
        yield new
        if hasattr(os, "sync"):
            os.sync()
        old = _beside(path, "old")
        with suppress(FileNotFoundError):
            path.rename(old)
        try:
            new.rename(path)
        except OSError:
            old.rename(path)
            raise
        shutil.rmtree(old, ignore_errors=True)


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
    """Remove what a killed process left."""
    for left in path.parent.iterdir():
        if left.name.startswith(f".{path.name}.") and left.name.endswith((".new", ".old")):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > LEFT_BEHIND:
                    _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
