"""What the tasks of a checkpoint ask: its interrupts, each with its task, open or answered. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .text import short, shown

State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """An interrupt of a task.

    Attributes:
        id: The interrupt's id; a replay asks under another one. None: unknown, as some stores do not keep it.
        value: What is asked.
        node: The task's node; for an interrupt inside a subgraph the one that runs the subgraph. None: unknown.
        task_id: The task; None: unknown.
        path: The task's path, which tells parallel tasks of one node apart.
        open: Whether the task has neither a result nor an error. A task that failed after its answer has kept it.
    """

    id: str | None
    value: Any = field(hash=False)
    node: str | None
    task_id: str | None
    path: str
    open: bool

    @shown
    def __str__(self) -> str:
        return f"{self.id or 'an interrupt without an id'} ({self.node or 'a task'} asks {short(self.value)})"


def questions(state: State) -> list[Question]:
    """What the tasks of a checkpoint asked last, answered or not; a node's earlier interrupts are not kept."""
    return [
        Question(
            raised.get("id"),
            raised.get("value"),
            task["name"],
            task["id"],
            repr(task.get("path")),
            task.get("result") is None and not task.get("error"),
        )
        for task in state["tasks"] or ()
        for raised in task.get("interrupts") or ()
    ]


def waiting_for(state: State) -> list[dict[str, Any]]:
    """The open interrupts of a checkpoint, each with id, value, node and task_id; None where a store does not tell."""
    return [
        {"id": asked.id, "value": asked.value, "node": asked.node, "task_id": asked.task_id}
        for asked in questions(state)
        if asked.open
    ]
