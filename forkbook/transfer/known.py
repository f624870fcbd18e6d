"""The part of a thread that is known: what is written to another place, where a placeholder would be taken for a value.

A channel of which a part is unknown is left out as a whole: from the values of the checkpoint, and from what a task
wrote. The comparison afterwards is with the thread as it was read, so it tells each of these as a difference.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from ..backends.base import State
from ..errors import Refused
from ..model.states import holds_placeholder, is_placeholder
from .originals import DIGESTED, Original

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
    if not any(map(_has_unknown, original.states)):
        return original, {}
    if all(is_placeholder(state["values"]) for state in original.states):
        reason = original.states[-1]["values"].get("reason")
        raise Refused(
            f"no state of thread {original.thread_id} can be read ({reason}): nothing of it can be written elsewhere",
            thread_id=original.thread_id,
        )
    lost: Counter[str] = Counter()
    states = [_known_state(state, lost) for state in original.states]
    return replace(original, states=states), dict(lost)


def _has_unknown(state: State) -> bool:
    """Whether a part of a state is unknown; a quick look spares a close one."""
    parts = [state["values"], state["metadata"], state["tasks"], state["interrupts"]]
    return b'"__type__"' in orjson.dumps(parts, option=DIGESTED, default=repr) and holds_placeholder(parts)


def _known_state(state: State, lost: Counter[str]) -> State:
    here: set[str] = set()
    metadata = state["metadata"]
    known = {
        **state,
        "values": _known_values(state["values"], here),
        "metadata": metadata and _without_unknown(metadata, METADATA, here),
        "tasks": state["tasks"] and [_known_task(task, here) for task in state["tasks"]],
        "interrupts": state["interrupts"] and [_known_question(item, here) for item in state["interrupts"]],
    }
    lost.update(here)
    return known


def _known_values(values: Any, lost: set[str]) -> Any:
    if is_placeholder(values) or (not isinstance(values, Mapping) and holds_placeholder(values)):
        lost.add(WHOLE)
        return None
    return _without_unknown(values, VALUES, lost) if isinstance(values, Mapping) else values


def _known_task(task: Mapping[str, Any], lost: set[str]) -> dict[str, Any]:
    result = task["result"]
    if isinstance(result, Mapping) and not is_placeholder(result):
        result = _without_unknown(result, WRITES, lost)
    elif holds_placeholder(result):
        lost.add(RESULT)
        result = None
    asked = task.get("interrupts")
    return {**task, "result": result, "interrupts": asked and [_known_question(item, lost) for item in asked]}


def _known_question(item: Any, lost: set[str]) -> Any:
    if not holds_placeholder(item):
        return item
    lost.add(QUESTIONS)
    return {**item, "value": None} if isinstance(item, Mapping) and not is_placeholder(item) else {"value": None}


def _without_unknown(channels: Mapping[str, Any], words: str, lost: set[str]) -> dict[str, Any]:
    unknown = {name for name, value in channels.items() if holds_placeholder(value)}
    lost.update(words.format(name) for name in unknown)
    return {name: value for name, value in channels.items() if name not in unknown}
