"""Results of tasks that asked something, as langgraph 1.2.13 and later tell them.

Up to langgraph 1.2.12 an answered question counts as something that its task wrote: a task that asks its next question
then has the result {}, as if it had ended and written nothing. Which of the two it is, its writes tell.
"""

from collections.abc import Callable, Iterable
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple

from ...model.states import State
from ..databases.rows import MARKS


def corrected(state: State, saved: Callable[[State], CheckpointTuple | None]) -> State:
    """The state, with no result of a task that has not ended; in place.

    Args:
        state: What LangGraph says of a checkpoint.
        saved: Reads the checkpoint as its saver has it; called only where a task asked and has an empty result.
    """
    doubtful = [task for task in state["tasks"] or () if task["interrupts"] and task["result"] == {}]
    if doubtful and (found := saved(state)) is not None:
        ended = _ended(found.pending_writes or ())
        for task in doubtful:
            if task["id"] not in ended:
                task["result"] = None
    return state


def _ended(writes: Iterable[Any]) -> set[str]:
    """The tasks that wrote something, be it that they had nothing to write."""
    return {task_id for task_id, channel, _ in writes if channel not in MARKS}
