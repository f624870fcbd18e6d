"""What each checkpoint of a history was made from: which one LangGraph began with, and which of its tasks ran. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.reserved import INPUT
from ...model.states import State
from ...model.tree import Tree
from ..databases.task_ids import PULL


@dataclass(frozen=True)
class Before:
    """What a checkpoint was made from.

    Attributes:
        position: Of the checkpoint that LangGraph began with, the parent or the one that was copied; None for a root.
        repeats: Whether it is that one again.
        ran: Names of that one's tasks that were run or given up.
        arrived: Names of those that wrote.
        finished: Tasks whose results are known.
    """

    position: int | None = None
    repeats: bool = False
    ran: Sequence[str] = ()
    arrived: Sequence[str] = ()
    finished: Sequence[Mapping[str, Any]] = ()


def before(tree: Tree, states: Sequence[State], position: int) -> Before:
    """What a checkpoint was made from: by its source and, of a fork, by the step, one after what it repeats."""
    above, source = tree.parents[position], tree.heads[position].source
    if source == "fork" and (original := _original(tree, states, position)) is not None:
        return Before(original, repeats=True)
    if above < 0:
        return Before(ran=[INPUT] if source == "input" else [])
    names = [name for name, _ in planned_of(states[above]) or ()]
    finished = finished_of(states[above])
    if source == "input":
        return Before(above, ran=[*names, INPUT])
    if source == "update":  # the results are its own unless the graph went on before it
        mine = finished if tree.children[above][0] == position else []
        return Before(above, arrived=[task["name"] for task in mine], finished=mine)
    return Before(above, ran=names, arrived=names, finished=finished)


def _original(tree: Tree, states: Sequence[State], position: int) -> int | None:
    """What a fork is a copy of: its parent, or an older child of its parent with the same values and next."""
    above, state = tree.parents[position], states[position]
    candidates = tree.roots if above < 0 else [above, *tree.children[above]]
    for other in candidates:
        steps = tree.heads[other].step, tree.heads[position].step
        follows = other < position and None not in steps and steps[0] + 1 == steps[1]  # type: ignore[operator]
        if follows and all(states[other][key] == state[key] for key in ("values", "next")):
            return other
    return None


def planned_of(state: State) -> list[tuple[str, Sequence[Any]]] | None:
    """Names and paths of the tasks that a checkpoint leads to; None: unknown."""
    if state["next"] is None:
        return None
    if state["tasks"] is not None:
        named = [task for task in state["tasks"] if task["name"] is not None]
        return [(task["name"], task.get("path") or (PULL, task["name"])) for task in named]
    return [(name, (PULL, name)) for name in state["next"]]


def finished_of(state: State) -> list[Mapping[str, Any]]:
    """The tasks of a checkpoint that came to an end, as far as their names are known."""
    return [task for task in state["tasks"] or () if task["result"] is not None and task["name"] is not None]
