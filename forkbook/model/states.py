"""What a state says of itself: its key and head, what of its values is unknown, which nodes it names. Pure.

A state is a dict in the shape of LangGraph's `ThreadState`, a thread one in the shape of an Agent Server's record.

A place that does not hold a value, or cannot read it, puts a placeholder where the value belongs:
`{"__type__": "not stored" | "opaque", "reason": …}`, see `backends.values.plain`. It may stand for the whole
state, for a channel, or for a part of one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .tree import Head

State = dict[str, Any]
Thread = dict[str, Any]
LARGEST_STEP = 2**63  # no frame can hold a larger one, so such a step is unknown
PLACEHOLDERS = frozenset({"not stored", "opaque"})
TEXT_CLASSES = frozenset({"pydantic.types.SecretStr", "pydantic.types.SecretBytes"})
DEEPEST = 100  # nested lists and dicts that are looked into; a decoded value has no more


def id_of(state: Mapping[str, Any]) -> str:
    """The id of a state's checkpoint."""
    return str(state["checkpoint"]["checkpoint_id"])


def namespace(state: Mapping[str, Any]) -> str:
    """The namespace of a state's checkpoint; "" is the root graph's."""
    return str(state["checkpoint"].get("checkpoint_ns") or "")


def key_of(state: Mapping[str, Any]) -> tuple[str, str]:
    """What a thread has one state for: namespace and checkpoint id."""
    return namespace(state), id_of(state)


def head_of(state: Mapping[str, Any]) -> Head:
    """The tree's part of a state."""
    metadata = state["metadata"] or {}
    step, source = metadata.get("step"), metadata.get("source")
    return Head(
        id=id_of(state),
        parent_id=(state["parent_checkpoint"] or {}).get("checkpoint_id") or None,
        step=step if isinstance(step, int) and not isinstance(step, bool) and abs(step) < LARGEST_STEP else None,
        source=source if isinstance(source, str) else None,
        ns=(ns := namespace(state)),
        inside=_host(metadata.get("parents"), ns),
    )


def _host(parents: Any, ns: str) -> str | None:
    """Of the checkpoints within whose tasks a namespace is, as LangGraph's metadata have them, the nearest."""
    outer = [name for name in parents if name != ns] if ns and isinstance(parents, Mapping) else []
    return str(parents[max(outer, key=len)]) if outer else None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part of a state's values that is not known.

    Attributes:
        path: The keys and indices that lead to it, the channel first; empty: the whole state.
        placeholder: What stands there.
    """

    path: tuple[str | int, ...]
    placeholder: Mapping[str, Any]

    @property
    def channel(self) -> str | None:
        """The channel that it is in; None: the whole state is unknown."""
        return str(self.path[0]) if self.path else None

    @property
    def reason(self) -> str:
        """Why it is unknown, in words."""
        return str(self.placeholder.get("reason") or self.placeholder["__type__"])

    @property
    def may_hold_messages(self) -> bool:
        """Whether there may be messages in it; there are none in a secret text."""
        return hides_messages(self.placeholder)


def is_placeholder(value: Any) -> bool:
    """Whether this stands for a value that is not known."""
    if not isinstance(value, Mapping) or "value" in value:
        return False
    kind = value.get("__type__")
    return isinstance(kind, str) and kind in PLACEHOLDERS


def hides_messages(placeholder: Mapping[str, Any]) -> bool:
    """Whether the value that a placeholder stands for may hold messages: its class may say that it does not."""
    named = placeholder.get("class")
    return not isinstance(named, str) or named not in TEXT_CLASSES


def unknown_parts(values: Any) -> list[Unknown]:
    """Every part of a state's values that is not known, in their order.

    Args:
        values: A state's `values`: a dict of channels, or the bare value of a graph with one channel.
    """
    return [Unknown(path, placeholder) for path, placeholder in _walk(values, (), DEEPEST)]


def holds_placeholder(value: Any) -> bool:
    """Whether a value is not known, or a part of it is not."""
    return Search().holds_placeholder(value)


class Search:
    """Looks for placeholders in values that share parts, as the states of a thread do: into each part only once.

    It remembers lists and dicts by identity, so do not change them while it is in use.
    """

    def __init__(self) -> None:
        self._known: dict[int, Any] = {}  # the part itself stays, or its identity would go to another

    def holds_placeholder(self, value: Any, depth: int = DEEPEST) -> bool:
        """Whether a value is not known, or a part of it is not."""
        if not isinstance(value, list | Mapping) or id(value) in self._known:
            return False
        if is_placeholder(value):
            return True
        parts = value if isinstance(value, list) else value.values()
        if depth and any(self.holds_placeholder(part, depth - 1) for part in parts):
            return True
        self._known[id(value)] = value
        return False


def nodes_seen(states: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The graph's nodes as far as some states name them, for where the graph itself is not shown."""
    named = (
        name
        for state in states
        for name in (*(task.get("name") for task in state["tasks"] or ()), *(state["next"] or ()))
    )
    return tuple(dict.fromkeys(str(name) for name in named if name is not None and not str(name).startswith("__")))


def _walk(
    value: Any, path: tuple[str | int, ...], depth: int
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    if is_placeholder(value):
        yield path, value
    elif depth and isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, Mapping | list):
                yield from _walk(item, (*path, key), depth - 1)
    elif depth and isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, Mapping | list):
                yield from _walk(item, (*path, index), depth - 1)
