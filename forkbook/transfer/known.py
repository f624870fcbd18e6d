"""The part of a thread that is known: what is written to another place, where a placeholder would be taken for a value.

A channel of which a part is unknown is left out as a whole: from the values of the checkpoint, and from what a task
wrote. The comparison afterwards is with the thread as it was read, so it tells each of these as a difference.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from ..errors import Refused
from ..model.states import Search, State, is_placeholder
from .original import DIGESTED, Original

VALUES = "channel {}, of which the source does not hold every value or cannot read it: left out of these checkpoints"
WRITES = "what tasks wrote to channel {}, unknown at the source: left out"
WHOLE = "the whole state, which cannot be read at the source: these checkpoints are empty"
RESULT = "what tasks returned, unknown at the source: left out"
QUESTIONS = "what interrupts asked, unknown at the source: their question is empty"
METADATA = "metadata {}, unknown at the source: left out"


def known_part(original: Original) -> tuple[Original, dict[str, int]]:
    """A thread without what is not known of it; and what was left out, in words, with the number of checkpoints.

    Raises:
        Refused: No state of the thread can be read.
    """
    known = KnownPart()
    if not any(map(known.lacks, original.states)):
        return original, {}
    if all(is_placeholder(state["values"]) for state in original.states):
        reason = original.states[-1]["values"].get("reason")
        raise Refused(
            f"no state of thread {original.thread_id} can be read ({reason}): nothing of it can be written elsewhere",
            thread_id=original.thread_id,
        )
    states = [known.state(state) for state in original.states]
    return replace(original, states=states), dict(known.lost)


class KnownPart:
    """Takes what is unknown out of the states of one thread.

    Attributes:
        lost: What was left out, in words, with the number of checkpoints.
    """

    def __init__(self) -> None:
        self.lost: Counter[str] = Counter()
        self._here: set[str] = set()  # what is left out of the state at hand
        self._is_unknown = Search().holds_placeholder

    def lacks(self, state: State) -> bool:
        """Whether a part of a state is unknown; a quick look spares a close one."""
        parts = [state["values"], state["metadata"], state["tasks"], state["interrupts"]]
        text = orjson.dumps(parts, option=DIGESTED, default=repr)
        return b'"__type__"' in text and any(map(self._is_unknown, parts))

    def state(self, state: State) -> State:
        """A state without what is unknown of it."""
        self._here = set()
        metadata = state["metadata"]
        known = {
            **state,
            "values": self._values(state["values"]),
            "metadata": metadata and self._without_unknown(metadata, METADATA),
            "tasks": state["tasks"] and [self._task(task) for task in state["tasks"]],
            "interrupts": state["interrupts"] and [self._question(item) for item in state["interrupts"]],
        }
        self.lost.update(self._here)
        return known

    def _values(self, values: Any) -> Any:
        if is_placeholder(values) or (not isinstance(values, Mapping) and self._is_unknown(values)):
            self._here.add(WHOLE)
            return None
        return self._without_unknown(values, VALUES) if isinstance(values, Mapping) else values

    def _task(self, task: Mapping[str, Any]) -> dict[str, Any]:
        result = task["result"]
        if isinstance(result, Mapping) and not is_placeholder(result):
            result = self._without_unknown(result, WRITES)
        elif self._is_unknown(result):
            self._here.add(RESULT)
            result = None
        asked = task.get("interrupts")
        return {**task, "result": result, "interrupts": asked and [self._question(item) for item in asked]}

    def _question(self, item: Any) -> Any:
        if not self._is_unknown(item):
            return item
        self._here.add(QUESTIONS)
        return {**item, "value": None} if isinstance(item, Mapping) and not is_placeholder(item) else {"value": None}

    def _without_unknown(self, channels: Mapping[str, Any], words: str) -> dict[str, Any]:
        unknown = {name for name, value in channels.items() if self._is_unknown(value)}
        self._here.update(words.format(name) for name in unknown)
        return {name: value for name, value in channels.items() if name not in unknown}
