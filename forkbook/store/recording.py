"""What is written to the shared memory while a block runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..aio import in_thread
from ..errors import InvalidInput
from .snapshot import Snapshot, StoreDiff

if TYPE_CHECKING:
    from .memory import Store


class Recording:
    """What is written to the memory while a block runs.

    Attributes:
        before: The memory as the block began.
        after: The memory as it ended; None: it has not.
    """

    def __init__(self, store: Store, prefix: str | Iterable[str] | None) -> None:
        self._store, self._prefix = store, prefix
        self.before: Snapshot | None = None
        self.after: Snapshot | None = None

    def __enter__(self) -> Recording:
        self.before = self._store.snapshot(self._prefix)
        return self

    def __exit__(self, *exception: object) -> None:
        self.after = self._store.snapshot(self._prefix)

    async def __aenter__(self) -> Recording:
        return await in_thread(self.__enter__)

    async def __aexit__(self, *exception: object) -> None:
        await in_thread(self.__exit__)

    @property
    def diff(self) -> StoreDiff:
        """What was written; while the block runs, so far."""
        if self.before is None:
            raise InvalidInput("nothing is recorded yet: use it as in `with book.store.recording() as recording:`")
        return self._store.diff(self.before, self.after)

    def __repr__(self) -> str:
        return "<Recording that has not begun>" if self.before is None else repr(self.diff)
