"""Whether two histories with the same ids say the same, wherever both say anything. Pure.

Places differ in what they know and show: a store alone does not know every task's id, names no subgraph that has not
run and no channel that was never written to; JSONB forgets the order of parallel tasks; a server repeats ids at the
top of a state.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ..backends.classes import ObjectSearch
from ..model.reserved import ROOT
from ..model.states import State, key_of
from .equality import Difference, differences
from .original import Original

UNNAMED = "channels that hold nothing ([], '', 0 and the like): one place shows them, the other leaves them out"
UNKNOWABLE = ("next", "tasks", "interrupts", "created_at")
FIELDS = ("values", "metadata", "checkpoint", "parent_checkpoint", *UNKNOWABLE)


def known_differences(
    originals: Sequence[State], others: Sequence[State], thread_id: str, other_id: str
) -> Iterator[Difference]:
    """Every field in which two histories differ, of those that both know; thread ids aside.

    Args:
        originals: One history, of all its namespaces.
        others: The other one.
        thread_id: The thread's id in the one.
        other_id: The thread's id in the other.
    """
    mine, theirs = ({key_of(state): state for state in states} for states in (originals, others))
    pairs = [_both_known(mine[at], theirs[at]) for at in mine.keys() & theirs.keys()]
    alone = [
        [state for at, state in states.items() if at not in held] for states, held in ((mine, theirs), (theirs, mine))
    ]
    yield from differences([a for a, _ in pairs] + alone[0], [b for _, b in pairs] + alone[1], thread_id, other_id)


def unnamed(originals: Sequence[State], others: Sequence[State]) -> int:
    """How many channels that hold nothing one of two histories shows and the other one leaves out."""
    mine, theirs = ({key_of(state): bare(state["values"]) for state in states} for states in (originals, others))
    pairs = [(mine[at], theirs[at]) for at in mine.keys() & theirs.keys()]
    return sum(len(_unnamed(a, b)) + len(_unnamed(b, a)) for a, b in pairs)


def _both_known(a: State, b: State) -> tuple[State, State]:
    """Two states of one checkpoint, less what one of them does not know."""
    names = [name for name in FIELDS if name not in UNKNOWABLE or None not in (a.get(name), b.get(name))]
    if (a.get("next") is None) != (b.get("next") is None):  # then one of them knows a part of the tasks at most
        names = [name for name in names if name not in ("tasks", "interrupts")]
    one: State = {name: a.get(name) for name in names}
    other: State = {name: b.get(name) for name in names}
    for state in (one, other):
        state["checkpoint"], state["parent_checkpoint"] = map(
            _address, (state["checkpoint"], state["parent_checkpoint"])
        )
        state["metadata"] = _listed(state["metadata"])
        if "next" in state:
            state["next"] = sorted(state["next"])
        if "tasks" in state:
            state["tasks"] = sorted(state["tasks"], key=order)
        if "interrupts" in state:
            state["interrupts"] = sorted(state["interrupts"], key=lambda item: str(item.get("id")))
    values = bare(one["values"]), bare(other["values"])
    one["values"], other["values"] = _written(*values), _written(*reversed(values))
    if "tasks" in one and len(one["tasks"]) == len(other["tasks"]):
        pairs = [_known_tasks(*pair) for pair in zip(one["tasks"], other["tasks"], strict=True)]
        one["tasks"], other["tasks"] = [list(tasks) for tasks in zip(*pairs, strict=True)] or [[], []]
    return one, other


def _address(checkpoint: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if checkpoint is None:
        return None
    return {"checkpoint_id": checkpoint.get("checkpoint_id"), "checkpoint_ns": checkpoint.get("checkpoint_ns") or ""}


def _listed(metadata: Mapping[str, Any] | None) -> Any:
    """Metadata with tuples as lists: most places keep it as JSON."""
    if isinstance(metadata, list):
        return [_listed(item) for item in metadata]
    if not isinstance(metadata, dict):
        return metadata
    return (
        _listed(metadata["value"])
        if metadata.get("__type__") == "tuple"
        else {k: _listed(v) for k, v in metadata.items()}
    )


def order(task: Mapping[str, Any]) -> tuple[str, str]:
    """By what the tasks of a checkpoint are sorted, so that places with another order agree."""
    return str(task["name"]), str(task.get("path"))


def bare(values: Any) -> Any:
    """A state that is no mapping as it is, without the name that some places give to it."""
    return values[ROOT] if isinstance(values, dict) and values.keys() == {ROOT} else values


def _written(values: Any, others: Any) -> Any:
    """The values, less channels that hold nothing and that the other place does not name."""
    left_out = _unnamed(values, others)
    return {name: value for name, value in values.items() if name not in left_out} if left_out else values


def _unnamed(values: Any, others: Any) -> list[str]:
    """Channels that hold nothing and that the other place does not name."""
    if not (isinstance(values, dict) and isinstance(others, dict)):
        return []
    return [name for name, value in values.items() if name not in others and value in EMPTY]


# Before the first write a channel with a reducer holds `int()`, `bool()` and so on: graphs show that, stores have none
EMPTY: tuple[Any, ...] = ([], {}, "", 0, False, *({"__type__": kind, "value": []} for kind in ("set", "tuple")))


def _known_tasks(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two accounts of one task, less what one of them does not know."""
    unknown = {name for name in ("id", "path", "checkpoint") if None in (a.get(name), b.get(name))} | {"state"}
    one, other = ({name: value for name, value in task.items() if name not in unknown} for task in (a, b))
    for task in (one, other):
        if "checkpoint" in task:
            task["checkpoint"] = task["checkpoint"].get("checkpoint_ns")
    return one, other


PLAIN = "a plain dict or value"
AN_OBJECT = "an object of class {}"
WHY = (
    "objects: the target's graph names no such class in the type of the channel, so that a dict of the object's fields "
    "was written; name the class there"
)
SENT = "objects of class {}: a server is sent their fields, so that a node finds a dict where it does not make them"


def class_differences(original: Original, other: Original, known: Collection[Difference]) -> Iterator[Difference]:
    """Where one of two histories with the same ids has an object, and the other none of its class.

    Args:
        original: The one.
        other: The other.
        known: Differences that were found already; they are not given a second time.
    """
    if "unknown" in (original.classes, other.classes):
        return
    search, there = ObjectSearch(), {key_of(state): state for state in other.states}
    fields = {(each.checkpoint_id, each.field) for each in known}
    for state in original.states:
        if (copied := there.get(key_of(state))) is None:
            continue
        mine, theirs = _objects(state, search), _objects(copied, search)
        id_ = state["checkpoint"]["checkpoint_id"]
        for path in sorted(mine.keys() | theirs.keys()):
            if mine.get(path) != theirs.get(path) and not any(id_ == at and path.startswith(f) for at, f in fields):
                yield Difference(id_, path, _in_words(mine.get(path)), _in_words(theirs.get(path)))


def objects_sent(original: Original) -> dict[str, int]:
    """The classes of a thread's objects, in words for a target that takes JSON, with the number of checkpoints."""
    search, found = ObjectSearch(), dict[str, int]()
    for state in original.states:
        for of in set(_objects(state, search).values()):
            words = SENT.format(of)
            found[words] = found.get(words, 0) + 1
    return found


def _objects(state: State, search: ObjectSearch) -> dict[str, str]:
    """The classes of the objects in a state, by field as in a difference."""
    parts = {"values": bare(state["values"])}
    for index, task in enumerate(sorted(state["tasks"] or (), key=order)):
        parts |= {f"tasks[{index}].result": task["result"], f"tasks[{index}].interrupts": _asked(task)}
    return {part + path: of for part, value in parts.items() for path, of in search.objects(value).items()}


def _asked(task: Mapping[str, Any]) -> list[Any]:
    return list(task.get("interrupts") or ())


def _in_words(of: str | None) -> str:
    return PLAIN if of is None else AN_OBJECT.format(of)
