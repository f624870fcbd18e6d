"""Threads written exactly, ids and all, into the checkpointer of a graph in this process."""

from collections.abc import Mapping
from typing import Any

from ..errors import Unsupported
from .originals import Original
from .writing import Writer

METADATA = "the thread's own metadata: a checkpointer keeps none, so they last as long as this book is open"


class Planter(Writer):
    """Writes threads checkpoint by checkpoint, as they are; again what is there already, which changes nothing."""

    exact = True

    def write(self, original: Original, thread_id: str, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        if not original.states:
            raise Unsupported(
                f"thread {original.thread_id} has no checkpoint, and {self.backend.address} holds nothing else of a "
                "thread",
                thread_id=original.thread_id,
            )
        self.backend.tag(thread_id, metadata)
        notes = self.backend.plant(thread_id, original.states)
        return (*notes, METADATA) if original.metadata.keys() - {"graph_id"} else notes
