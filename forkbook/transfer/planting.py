"""Threads written exactly, ids and all, into the checkpointer of a graph in this process."""

from collections.abc import Mapping
from typing import Any

from ..backends.whole import everything
from ..errors import Unsupported
from .copying import place
from .exactness import known_differences
from .originals import Original
from .verifying import UNHELD
from .writing import Writer


class Planter(Writer):
    """Writes threads checkpoint by checkpoint, as they are; again what is there already, which changes nothing."""

    exact = True

    def left(self, original: Original, thread_id: str) -> int | None:
        there, _ = everything(self.backend, thread_id)
        mine = {place(state) for state in original.states}
        if any(place(state) not in mine for state in there):
            return None
        found = {place(state) for state in there}
        part = [state for state in original.states if place(state) in found]
        if any(known_differences(part, there, original.thread_id, thread_id)):
            return None
        return len(mine) - len(found)

    def write(self, original: Original, thread_id: str, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        if not original.states:
            raise Unsupported(
                f"thread {original.thread_id} has no checkpoint, and {self.backend.address} holds nothing else of a "
                "thread",
                thread_id=original.thread_id,
            )
        self.backend.tag(thread_id, metadata)
        notes = self.backend.plant(thread_id, original.states)
        return (*notes, UNHELD) if original.metadata.keys() - {"graph_id"} else notes
