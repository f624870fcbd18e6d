"""Files and folders that appear under their name when they are whole, for their owner alone unless they are told apart.

What is new is for this user alone (0600, 0700); what takes the place of another keeps the mode of that one.
"""

import os
import re
import shutil
import stat
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Generic, TypeVar

from .errors import InvalidInput, SourceError

LEFT_BEHIND = 3600.0  # seconds; where files have no locks, an unfinished one this old has no maker any more
FOR_ONE_USER, FOLDER_FOR_ONE_USER = 0o600, 0o700
LONGEST_TURN = 10.0  # seconds
NOT_RUN = 0o666  # what a file may have of the mode of its folder
NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
T = TypeVar("T")
_one_here = threading.Lock()


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
    with new_name(path) as new:
        if path.is_dir():
            raise SourceError(f"{path} cannot be written: it is a folder", path=str(path))
        with new.open("r+b") as file:
            yield (unfinished := Unfinished[IO[bytes]](file, path))
            file.flush()
            os.fsync(file.fileno())
        if unfinished.name is not None:
            new.chmod(_mode(unfinished.name, new))
            new.replace(unfinished.name)
            sync(path.parent)


@contextmanager
def new_folder(path: Path, mark: str) -> Iterator[Unfinished[Path]]:
    """A folder to be filled; takes its name when the block ends well, and is gone otherwise.

    Args:
        path: Its name; a folder that is there is replaced, if a file `mark` is in it or it is empty.
        mark: The name of a file that shows that forkbook made it.
    """
    with new_name(path, _make_folder) as new:
        if path.exists() and not (path.is_dir() and ((path / mark).exists() or not any(path.iterdir()))):
            raise InvalidInput(f"{path} is something else already: give the name of a new folder", path=str(path))
        yield (unfinished := Unfinished(new, path))
        if unfinished.name is None:
            return
        _finish(new, _mode(unfinished.name, new))
        _swap(new, unfinished.name)
        sync(path.parent)


@contextmanager
def written_elsewhere(path: Path) -> Iterator[Path]:
    """A path of the same name in a folder of its own, for a library to write a file to, which then takes its name."""
    with new_name(path, _make_folder) as folder:
        yield (new := folder / path.name)
        new.chmod(_mode(path, folder) & NOT_RUN)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.replace(path)
        sync(path.parent)


def _make_file(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FOR_ONE_USER))


def _make_folder(path: Path) -> None:
    path.mkdir(FOLDER_FOR_ONE_USER)


def _mode(path: Path, new: Path) -> int:
    """Who may do what with a file or folder: as it was, or as with the new one where there was none."""
    return stat.S_IMODE((path if path.exists() else new).stat().st_mode) & 0o777


def _finish(folder: Path, mode: int) -> None:
    """Give all in a folder its mode, and see to it that all is on the disk."""
    for place, _, files in os.walk(folder, topdown=False):
        for file in files:
            sync(Path(place, file))
            os.chmod(Path(place, file), mode & NOT_RUN)
        sync(Path(place))
        os.chmod(place, mode)


def sync(path: Path) -> None:
    """See to it that a file, or the names in a folder, are on the disk, where the system can do that."""
    with suppress(OSError):
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _swap(new: Path, path: Path) -> None:
    """Give a folder its name; one that has it is removed."""
    old = _beside(path, "old")
    with ExitStack() as kept:
        with suppress(OSError, ImportError):
            kept.callback(os.close, _locked(path))  # nobody is to put it back meanwhile
        with suppress(FileNotFoundError):
            path.rename(old)
        try:
            new.rename(path)
        except OSError:
            old.rename(path)
            raise
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def new_name(path: Path, make: Callable[[Path], None] = _make_file) -> Iterator[Path]:
    """An empty file or folder beside a path; what is left of it in the end is removed.

    Args:
        path: The name that it is to take.
        make: Makes it.

    Raises:
        InvalidInput: There is no folder for it, or it cannot be a name.
        SourceError: It cannot be written.
    """
    try:
        if not path.parent.is_dir():
            raise InvalidInput(f"there is no folder {path.parent} to write {path.name} into", path=str(path))
        clear(path)
        with _unfinished(path, make) as new:
            try:
                yield new
            finally:
                with suppress(OSError):  # the next writer clears it away
                    _remove(new)
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {error}", path=str(path)) from error


@contextmanager
def _unfinished(path: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """A file or folder that is locked as long as its maker lives: what is not locked may be cleared away."""
    with ExitStack() as kept:
        while True:
            new = _beside(path, "new")
            try:
                make(new)
            except ValueError as error:
                raise InvalidInput(f"{str(path)!r} cannot be the name of a file: {error}", path=str(path)) from error
            try:
                lock = _locked(new)
            except (BlockingIOError, FileNotFoundError):  # it is being cleared away
                continue
            except (OSError, ImportError):  # there are no locks here
                break
            kept.callback(os.close, lock)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), new.stat()):
                    break
        yield new


def _locked(path: Path) -> int:
    """Lock a file or folder until this is closed or this process ends.

    Raises:
        BlockingIOError: Another process has it.
        OSError: It is gone, or there are no locks here.
        ImportError: The system has no such locks.
    """
    import fcntl

    opened = os.open(path, os.O_RDONLY | NO_WAIT)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(opened)
        raise
    return opened


@contextmanager
def by_one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process after the other, and one thread after the other, change the files of a folder.

    Where another one takes longer than some seconds, or there are no locks, it is not waited for.
    """
    with _one_here, ExitStack() as kept:
        until = time.monotonic() + LONGEST_TURN
        while True:
            try:
                kept.callback(os.close, _locked(folder))
            except BlockingIOError:
                if time.monotonic() < until:
                    time.sleep(0.01)
                    continue
            except (OSError, ImportError):
                pass
            break
        yield


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.{kind}")


def clear(path: Path) -> None:
    """Put back the folder that a killed process had moved away, and remove what else it left; not what one writes."""
    ours = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{12}}\.(new|old)")
    for left in [item for item in path.parent.iterdir() if ours.fullmatch(item.name)]:
        with suppress(OSError), ExitStack() as kept:
            try:
                kept.callback(os.close, _locked(left))
            except BlockingIOError:
                continue
            except (OSError, ImportError):
                if time.time() - left.lstat().st_mtime < LEFT_BEHIND:
                    continue
            if left.name.endswith(".old") and not path.exists():
                left.rename(path)
            else:
                _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
