"""What a place must offer so that threads can be written there.

A writer knows one kind of target. `migrate` checks whether the thread is there, settles conflicts, calls the writer,
reads the target back, compares, and reports; a writer only writes, and says what it could not write.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any

from ..backends.contract import Backend
from ..model.states import State, Thread
from .original import Original


class Writer(ABC):
    """Writes whole threads to one target.

    Attributes:
        backend: The target.
        exact: Whether checkpoints keep their ids, and every field can be kept.
    """

    exact: bool = False

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def new_id(self, thread_id: str) -> str:
        """The id that a thread gets there; its own unless the target cannot hold it. The same at every call."""
        return thread_id

    def prepare(self, thread_ids: Collection[str]) -> frozenset[str] | None:
        """Clear away what an earlier attempt left behind; called once, before anything is written.

        Args:
            thread_ids: What is to be written, by the source's ids.

        Returns:
            Other migrations that began a thread and ended before it was done, by what `by` in their marks says;
            None: all others.
        """
        return None

    def tidy(self, run: str) -> None:  # noqa: B027
        """Clear away what a fault of the line left behind; called once, when every thread had its turn.

        Args:
            run: The migration, as `by` in its marks.
        """

    def left(self, original: Original, thread_id: str) -> int | None:
        """How many checkpoints are yet to be written of a thread that may be there in part.

        Args:
            original: What is to be written.
            thread_id: A thread that is there; nothing marks who began it, or a migration of this thread when that had
                other checkpoints.

        Returns:
            0 if all of it is there; None if what is there is not a part of it, or nothing can tell.
        """
        return None

    def check(self, record: Thread, newest: State | None) -> None:  # noqa: B027
        """Check whether a thread can be written, as far as that is known without reading it.

        Args:
            record: The thread.
            newest: Its newest checkpoint.

        Raises:
            ForkbookError: It cannot.
        """

    @abstractmethod
    def write(self, original: Original, thread_id: str, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        """Write a thread, or the rest of it where an earlier call was cut short.

        Args:
            original: What to write.
            thread_id: Under which id; no other thread has it.
            metadata: The thread's metadata, with the import's mark.

        Returns:
            Notes, in words, on what this target cannot hold; what a comparison finds anyway is not repeated.

        Raises:
            ForkbookError: It could not be written; what is there bears the mark.
        """
