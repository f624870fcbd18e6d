"""What a format of an export is: how it is named, what it keeps, and how it is written."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from ...backends.gather import Gathered
from ...errors import InvalidInput
from ...tokens import Counter


class ThreadWriter(ABC):
    """Writes threads to one file or folder that is open.

    Attributes:
        name: The name that the file or folder takes when all is written; None: it is not to stay.
        notes: What the report of the export is to say besides.
    """

    def __init__(self, path: Path) -> None:
        self.name: Path | None = path
        self.notes: list[str] = []

    @abstractmethod
    def add(self, thread: Gathered) -> int | None:
        """Write one thread, whole or not at all.

        Returns:
            How many checkpoints were written; None: the thread is there already, and identical.

        Raises:
            ForkbookError: It cannot be written.
        """

    def waiting(self) -> float | None:
        """Do what is due while the next thread is read; the seconds until there is more to do, or None."""
        return None


Opened = AbstractContextManager[ThreadWriter]


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        name: As in `book.export(…, format=name)`.
        suffix: The end of a file's name that means this format.
        about: What it is, as in a list of the formats.
        open: Opens a file or folder of a name to be written; the second argument counts tokens. When the block ends
            well, all is in place.
        held: The ids of the threads in a file or folder; None: it cannot be read.
        adds: Whether an export adds to a file that is there, so that the next one goes on where one was stopped. Else
            it takes the place of that file when it is whole.
        is_backup: Whether `fb.connect` reads it back.
    """

    name: str
    suffix: str
    about: str
    open: Callable[[Path, Counter | None], Opened]
    held: Callable[[Path], Collection[str] | None]
    adds: bool = field(default=False, kw_only=True)
    is_backup: bool = field(default=True, kw_only=True)


def refused(thread: Gathered, form: str, error: Exception) -> InvalidInput:
    """The error of a thread that a format has no word for.

    Args:
        thread: The thread.
        form: What it was to become, as in "JSON".
        error: The reason.
    """
    return InvalidInput(f"thread {thread.thread_id} cannot be written as {form}: {error}", thread_id=thread.thread_id)
