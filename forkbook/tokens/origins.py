"""At which checkpoints people brought what is new, and not the graph's own work; and which messages. Pure.

An input is taken up one step after its own checkpoint, by the task `__start__`. An edit (`update`) is a person's, too.
Threads that were rebuilt from supersteps have `update` where the graph once ran: there no `loop` comes after the input.

A `Command` with an `update` that a run was started with, as beside the answer to an interrupt, adds to what the tasks
wrote: what none of them wrote came with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..model.holdings import Holdings
from ..model.messages import Message, canonical, role
from ..model.reserved import START
from ..model.tree import Tree
from .usage import report_of

Next = Sequence[str] | None


def brought(tree: Tree, nexts: Sequence[Next] | None = None) -> list[bool]:
    """For each position whether what is new there came with an input or an edit.

    Args:
        tree: The checkpoints.
        nexts: For each position the nodes that run next; None: unknown.
    """
    nexts = [None] * len(tree) if nexts is None else nexts
    rebuilt = _rebuilt(tree)
    return [
        head.source == "input"
        or _takes_input(tree, nexts, position)
        or (head.source == "update" and not rebuilt[position])
        for position, head in enumerate(tree.heads)
    ]


class Writings:
    """Tells the messages that tasks wrote from those that came with a command.

    Args:
        tree: The checkpoints.
        tasks: For each position the tasks of its checkpoint; None: unknown.
        held: For each position the messages that it holds.
    """

    def __init__(
        self, tree: Tree, tasks: Sequence[Sequence[Mapping[str, Any]] | None], held: Sequence[Holdings]
    ) -> None:
        self._tree, self._tasks, self._held = tree, tasks, held
        self._written: dict[int, frozenset[str]] = {}

    def brought(self, position: int, message: Message) -> bool:
        """Whether a message that is new at a position came with a command, as far as that is known."""
        return self._is_renamed(position, message) or self._is_unwritten(position, message)

    def _is_renamed(self, position: int, message: Message) -> bool:
        """Whether this very message, with its report, was there before under another id.

        A graph gives an id to what a command brought without one when it shows it, and another one in its next step.
        """
        gone = self._held[position].gone.values()
        return report_of(message) is not None and any({**each, "id": message.get("id")} == message for each in gone)

    def _is_unwritten(self, position: int, message: Message) -> bool:
        """Whether it is known of all tasks that led to a checkpoint that none of them wrote a message of its state.

        A reducer may make messages of anything that a task wrote. So one without a model's report counts as a task's,
        unless there is a question here or before, which a command may have answered.
        """
        parent = self._tree.parents[position]
        if parent < 0 or not self._led_by_known_tasks(parent, position):
            return False
        if report_of(message) is None and not (self._asked(parent) or self._asked(position)):
            return False
        if parent not in self._written:
            results = [task["result"] for task in self._tasks[parent] or ()]
            self._written[parent] = frozenset(_names(results))
        return self._written[parent].isdisjoint(_names_of(message))

    def _asked(self, position: int) -> bool:
        return any(task.get("interrupts") for task in self._tasks[position] or ())

    def _led_by_known_tasks(self, parent: int, position: int) -> bool:
        """Whether a checkpoint is the very next step of its parent's tasks, of each of which the writes are known."""
        tasks, steps = self._tasks[parent], (self._tree.heads[parent].step, self._tree.heads[position].step)
        if not tasks or None in steps or steps[0] + 1 != steps[1]:  # type: ignore[operator]
            return False
        return self._tree.heads[position].source == "loop" and all(task.get("result") is not None for task in tasks)


def _names(value: Any) -> Iterator[str]:
    """What identifies the messages in a task's writes: the ids of those that have one; else contents, and texts."""
    if isinstance(value, str):
        yield _content(value)
    elif isinstance(value, list):
        yield _content(value)
        for item in value:
            yield from _names(item)
    elif isinstance(value, Mapping) and role(value):
        yield f"id {value['id']}" if value.get("id") else _content(value["content"])
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _names(item)


def _names_of(message: Message) -> list[str]:
    """What identifies a message of a state among what tasks wrote; a reducer gives an id to one without."""
    return [f"id {message.get('id')}", _content(message["content"])]


def _content(content: Any) -> str:
    return f"content {canonical(content).decode()}"


def _takes_input(tree: Tree, nexts: Sequence[Next], position: int) -> bool:
    """Whether the step that led to a checkpoint was that of `__start__`."""
    head, parent = tree.heads[position], tree.parents[position]
    if head.source not in ("loop", "update", None):
        return False
    if parent < 0:
        return head.step == 0 and head.source == "loop" and head.parent_id is not None
    if (after := nexts[parent]) is not None:
        return START in after
    while parent >= 0 and tree.heads[parent].source == "fork":  # it repeats its parent
        parent = tree.parents[parent]
    return parent >= 0 and tree.heads[parent].source == "input"


def _rebuilt(tree: Tree) -> list[bool]:
    """For each position whether its path has an input, and no step that a graph took."""
    result: list[bool] = []
    ran: list[bool] = []
    for position, parent in enumerate(tree.parents):
        source = tree.heads[position].source
        ran.append(source == "loop" or (parent >= 0 and ran[parent]))
        result.append(not ran[position] and (source == "input" or (parent >= 0 and result[parent])))
    return result
