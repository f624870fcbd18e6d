"""Labels in a file of ours, where a place has no memory to write to: beside its file, or with the user's data."""

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from ..errors import ForkbookError, SourceError
from ..files import FOLDER_FOR_ONE_USER, by_one_at_a_time, new_file
from ..model.label import Label
from .contract import Backend
from .typed_place import no_file

FORMAT = "labels of forkbook"
SUFFIX = ".labels.json"
LARGEST = 64 * 1024**2  # bytes of a file that is read
Threads = dict[str, dict[str, Label]]


class LabelFile:
    """A JSON file of labels, by thread and checkpoint; it is there as long as there is a label.

    Args:
        path: The file.
        place: Whose labels they are, as the file says it to people.
    """

    def __init__(self, path: Path, place: str) -> None:
        self.path, self._place = path, place

    def labels(self, thread_id: str) -> Mapping[str, Label]:
        """Those of a thread, by checkpoint id.

        Raises:
            SourceError: Something else has the file's name, or it cannot be read.
        """
        return self._read().get(thread_id, {})

    def put(self, thread_id: str, checkpoint_id: str, label: Label | None) -> None:
        """Write a checkpoint's label; None: the file is to have none.

        Raises:
            SourceError: It cannot be written, or something else has its name.
        """

        def change(threads: Threads) -> None:
            labels = threads.setdefault(thread_id, {})
            labels.pop(checkpoint_id, None)
            if label is not None:
                labels[checkpoint_id] = label

        self._change(change)

    def forget(self, thread_id: str) -> None:
        """Take the labels of a thread out."""
        if thread_id in self._read():
            self._change(lambda threads: threads.pop(thread_id, None))

    def is_barred(self, error: ForkbookError) -> bool:
        """Whether this user may not write in the folder, or there is no room."""
        return isinstance(error.__cause__, OSError)

    def _change(self, change: Callable[[Threads], object]) -> None:
        try:
            self.path.parent.mkdir(FOLDER_FOR_ONE_USER, parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(f"{self.path} cannot be written: {error}", path=str(self.path)) from error
        with by_one_at_a_time(self.path.parent):
            change(threads := self._read())
            kept = {id_: labels for id_, labels in threads.items() if labels}
            if kept:
                with new_file(self.path) as file:
                    file.place.write(self._content(kept))
            else:
                self.path.unlink(missing_ok=True)

    def _content(self, threads: Threads) -> bytes:
        said = {
            id_: {checkpoint_id: label.as_json() for checkpoint_id, label in labels.items()}
            for id_, labels in threads.items()
        }
        content = {"format": FORMAT, "version": 1, "place": self._place, "threads": said}
        return orjson.dumps(content, option=orjson.OPT_INDENT_2)

    def _read(self) -> Threads:
        try:
            with open(self.path, "rb", opener=_without_waiting) as file:
                mode = os.fstat(file.fileno()).st_mode
                if not stat.S_ISREG(mode):
                    raise self._wrong(no_file(mode))
                content = file.read(LARGEST + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise SourceError(f"{self.path} cannot be read: {error}", path=str(self.path)) from error
        if len(content) > LARGEST:
            raise self._wrong(f"larger than {LARGEST:,} bytes")
        try:
            said = orjson.loads(content)
        except orjson.JSONDecodeError:
            raise self._wrong("not whole JSON") from None
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            raise self._wrong("another file")
        return {
            id_: {checkpoint_id: Label.of(value) for checkpoint_id, value in labels.items()}
            for id_, labels in _mapping(said.get("threads")).items()
            if isinstance(labels, dict)
        }

    def _wrong(self, what: str) -> SourceError:
        return SourceError(
            f"labels of {self._place} are kept in {self.path}, but that is {what}: move it away to have labels here",
            path=str(self.path),
        )


def files_of(backend: Backend) -> list[LabelFile]:
    """Where labels of a place may be in files; what can be written to the first is not written to the second."""
    if (path := backend.file) is None:
        return [LabelFile(_data_folder() / _name(backend.kind, backend.address), backend.address)]
    whole = path.resolve()
    beside = LabelFile(whole.with_name(whole.name + SUFFIX), whole.name)
    return [beside, LabelFile(_data_folder() / _name("file", str(whole)), str(whole))]


def _data_folder() -> Path:
    """Where this system keeps what programs write for a user."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        given = os.environ.get("XDG_DATA_HOME", "")
        base = Path(given) if os.path.isabs(given) else home / ".local" / "share"
    return base / "forkbook" / "labels"


def _name(*place: str) -> str:
    """The name of a file for a place, of which some characters could be in no file's name."""
    return hashlib.sha256("\0".join(place).encode(errors="backslashreplace")).hexdigest()[:32] + SUFFIX


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; at a pipe nobody waits for who writes to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
