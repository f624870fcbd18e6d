"""A thread as it was read at its source, whole, and what names its content."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import orjson
import xxhash

from ..backends.classes import Classes
from ..backends.contract import Backend
from ..backends.read import everything
from ..errors import Refused
from ..model.redaction import states_without_secrets, thread_without_secrets
from ..model.states import Search, State, Thread, head_of, is_placeholder, nodes_seen
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
