"""Objects that are no longer what they were where a thread was written anew. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..backends.classes import ObjectSearch
from ..model.states import State
from .compare_by_id import bare, order
from .copy import place
from .equality import Difference
from .original import Original

PLAIN = "a plain dict or value"
AN_OBJECT = "an object of class {}"
WHY = (
    "objects: the target's graph names no such class in the type of the channel, so that a dict of the object's fields "
    "was written; name the class there"
)
SENT = "objects of class {}: a server is sent their fields, so that a node finds a dict where it does not make them"


def class_differences(original: Original, other: Original, told: Collection[Difference]) -> Iterator[Difference]:
    """Where one of two histories with the same ids has an object, and the other none of its class.

    Args:
        original: The one.
        other: The other.
        told: Where the two differ anyway, which is not said twice.
    """
    if "unknown" in (original.classes, other.classes):
        return
    search, there = ObjectSearch(), {place(state): state for state in other.states}
    fields = {(each.checkpoint_id, each.field) for each in told}
    for state in original.states:
        if (copied := there.get(place(state))) is None:
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
