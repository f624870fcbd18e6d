"""Threads written exactly, ids and all, into the checkpointer of a graph in this process."""

import re
from collections.abc import Mapping
from typing import Any

from ..backends.read import everything
from ..errors import Unsupported
from ..model.states import key_of
from .compare_by_id import known_differences
from .equality import Difference
from .original import Original
from .target import Writer
from .verify import UNHELD

RESULT = re.compile(r"tasks\[\d+\]\.result")


class CheckpointerTarget(Writer):
    """Writes threads checkpoint by checkpoint, as they are; again what is there already, which changes nothing."""

    exact = True

    def left(self, original: Original, thread_id: str) -> int | None:
        there, _ = everything(self.backend, thread_id)
        mine, found = ({key_of(state) for state in states} for states in (original.states, there))
        if found - mine:
            return None
        part = [state for state in original.states if key_of(state) in found]
        differences = list(known_differences(part, there, original.thread_id, thread_id))
        gone_on = {(state["parent_checkpoint"] or {}).get("checkpoint_id") for state in there}
        if any(each.checkpoint_id in gone_on or not _is_new_result(each) for each in differences):
            return None
        return len(mine - found) + len({each.checkpoint_id for each in differences})

    def write(self, original: Original, thread_id: str, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        if not original.states:
            raise Unsupported(
                f"thread {original.thread_id} has no checkpoint, and {self.backend.address} holds nothing else of a "
                "thread",
                thread_id=original.thread_id,
            )
        self.backend.tag(thread_id, metadata)
        notes = self.backend.plant(thread_id, original.states, original.classes)
        return (*notes, UNHELD) if original.metadata.keys() - {"graph_id"} else notes


def _is_new_result(difference: Difference) -> bool:
    """Whether a task has come to its end that waited when its checkpoint was written."""
    return difference.copied is None and RESULT.fullmatch(difference.field) is not None
