"""A thread as it was read at its source, whole, and what names its content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import orjson
import xxhash

from ..backends.classes import Classes
from ..backends.contract import Backend
from ..backends.read import everything
from ..model.redaction import states_without_secrets, thread_without_secrets
from ..model.states import State, Thread, head_of, nodes_seen
from ..model.tree import Tree

PRUNED = "older checkpoints: they were pruned at the source, or never kept there"
DIGESTED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


@dataclass(frozen=True)
class Original:
    """A thread as its source has it.

    Attributes:
        record: The thread's record.
        states: The states of every namespace, as the backends give them.
        classes: What the source tells of the classes of objects in them.
    """

    record: Thread
    states: Sequence[State]
    classes: Classes = "unknown"

    @property
    def thread_id(self) -> str:
        """The thread's id at its source."""
        return str(self.record["thread_id"])

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The thread's own metadata."""
        return self.record.get("metadata") or {}

    @cached_property
    def tree(self) -> Tree:
        """The checkpoints of the root namespace."""
        return Tree([head_of(state) for state in self.states if not state["checkpoint"].get("checkpoint_ns")])

    @cached_property
    def roots(self) -> list[State]:
        """The states of the root namespace, by position in the tree."""
        by_id = {s["checkpoint"]["checkpoint_id"]: s for s in self.states if not s["checkpoint"].get("checkpoint_ns")}
        return [by_id[head.id] for head in self.tree.heads]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The graph's nodes as far as its checkpoints name them."""
        return nodes_seen(self.roots)

    def without_secrets(self) -> tuple["Original", tuple[str, ...]]:
        """It without the secrets in its settings and metadata, and the names of these; itself where it has none."""
        record, states, names = thread_without_secrets(self.record, self.states)
        return (replace(self, record=record, states=states) if names else self), names

    @cached_property
    def holds_secrets(self) -> bool:
        """Whether there are secrets in its settings and metadata."""
        return bool(self.without_secrets()[1])

    @cached_property
    def digest(self) -> str:
        """A name for this thread's id and content, secrets aside, in hex; the same wherever and whenever it is read."""
        content = sorted(
            (s["checkpoint"].get("checkpoint_ns") or "", s["checkpoint"]["checkpoint_id"], s)
            for s in states_without_secrets(self.states)
        )
        packed = orjson.dumps([self.thread_id, [state for _, _, state in content]], option=DIGESTED, default=repr)
        return xxhash.xxh3_128_hexdigest(packed)


def read(backend: Backend, record: Thread) -> Original:
    """A thread read whole, subgraphs too."""
    states, _ = everything(backend, record["thread_id"])
    if not states:
        record = backend.thread(record["thread_id"])  # tells a thread without checkpoints from one that is gone
    return Original(record, [proven(state) for state in states], backend.classes)


def pruned(states: Sequence[State]) -> dict[str, int]:
    """What was pruned of a thread before it was read, in words, with the number of roots that it is missing at."""
    roots = Tree([head_of(state) for state in states]).pruned
    return {PRUNED: len(roots)} if roots else {}


def proven(state: State) -> State:
    """A state without tasks that are a part of its tasks at most: nothing can be written or compared by these."""
    return {**state, "tasks": None, "interrupts": None} if state["next"] is None and state["tasks"] else state
