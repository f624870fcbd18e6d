"""What is written to the shared memory while a block runs."""

from __future__ import annotations

from collections.abc import Callable

from ..aio import in_thread
from ..errors import InvalidInput
from ..model.text import shown
from .snapshot import Snapshot, StoreDiff


class Recording:
    """What is written to the memory while a block runs.

    Args:
        snapshot: Gives what the memory holds now.
        diff: Compares two snapshots; None: the memory as it is now.

    Attributes:
        before: The memory as the block began.
        after: The memory as it ended; None: it has not.
    """

    def __init__(
        self, snapshot: Callable[[], Snapshot], diff: Callable[[Snapshot, Snapshot | None], StoreDiff]
    ) -> None:
        self._snapshot, self._diff = snapshot, diff
        self.before: Snapshot | None = None
        self.after: Snapshot | None = None

    def __enter__(self) -> Recording:
        self.before = self._snapshot()
        return self

    def __exit__(self, *exception: object) -> None:
        self.after = self._snapshot()

    async def __aenter__(self) -> Recording:
        return await in_thread(self.__enter__)

    async def __aexit__(self, *exception: object) -> None:
        await in_thread(self.__exit__)

    @property
    def diff(self) -> StoreDiff:
        """What was written; while the block runs, so far."""
        if self.before is None:
            raise InvalidInput("nothing is recorded yet: use it as in `with book.store.recording() as recording:`")
        return self._diff(self.before, self.after)

    @shown
    def __repr__(self) -> str:
        return "<Recording that has not begun>" if self.before is None else repr(self.diff)
