"""Threads to write into a place under test: trees of checkpoints with values of many kinds, the same at every call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ..model.states import State, Thread, id_of, namespace

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ThreadSample:
    """A thread that the place under test holds.

    Attributes:
        thread_id: Its id.
        parents: Of each checkpoint of the root namespace, oldest first, the position of its parent; None: a root.
        record: The thread's record, as `Backend.thread` gives it; only for who writes it into a place.
        states: Every state of the thread, of all namespaces, oldest first, if the place is to give exactly these.
            Empty: only the shape is known.
    """

    thread_id: str
    parents: Sequence[int | None]
    record: Thread = field(default_factory=dict)
    states: Sequence[State] = ()


def sample_threads() -> list[ThreadSample]:
    """Five threads to write into a place: branches, a subgraph, an open question, a plain line, and no checkpoint yet.

    Among their values are a message, nested data and a value that is not known. Their metadata differ, so that they can
    be searched. Everything is plain JSON, and the same at every call; the newest thread is the last.

    Example:
        >>> from forkbook.testing import sample_threads
        >>> [len(sample.parents) for sample in sample_threads()]
        [7, 3, 2, 4, 0]
    """
    opaque = {"__type__": "opaque", "reason": "a pickle, which forkbook never loads", "size": 12}
    question = {"id": "q1", "value": {"question": "Publish this?"}}
    branches = _Thread(1, owner="ada", purpose="study")
    for number, parent in enumerate((None, 0, 1, 2, 1, 4, 2)):
        said = [_message(n) for n in range(number)]
        branches.add(parent, {"messages": said, "draft": {"title": f"Draft {number}", "tags": ["a", {"b": None}]}})
    nested = _Thread(2, owner="ada lovelace", purpose="study")
    nested.add(None, {"topic": "tea"})
    nested.add(0, {"topic": "tea", "secret": opaque}, next_=["research"], ns="research:7f1c2d")
    nested.add(1, {"topic": "tea", "found": 2})
    for step in (-1, 0):
        nested.add_inside("research:7f1c2d", {"found": step + 1})
    waiting = _Thread(3, owner="ada")
    waiting.add(None, {"text": "the study"})
    waiting.add(0, {"text": "the study"}, next_=["approve"], question=question)
    line = _Thread(4, owner="grace")
    for number in range(4):
        line.add(number - 1 if number else None, {"count": number}, next_=["count"] if number < 3 else [])
    return [thread.sample() for thread in (branches, nested, waiting, line, _Thread(5))]


class _Thread:
    """A sample that is being made, checkpoint by checkpoint; a second lies between two of them."""

    def __init__(self, number: int, **metadata: Any) -> None:
        self._id = f"00000000-0000-4000-8000-{number:012x}"
        self._number, self._metadata = number, metadata
        self._states, self._parents = list[State](), list[int | None]()

    def add(
        self,
        parent: int | None,
        values: dict[str, Any],
        *,
        next_: Sequence[str] = (),
        ns: str | None = None,
        question: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a checkpoint of the root graph; `ns` is the namespace of the subgraph that its task runs."""
        roots = [state for state in self._states if not namespace(state)]
        at = None if parent is None else id_of(roots[parent])
        step = -1 if parent is None else roots[parent]["metadata"]["step"] + 1
        inner = None if ns is None else {"thread_id": self._id, "checkpoint_ns": ns}
        asked = [dict(question)] if question else []
        tasks = [
            {"id": f"task-{len(roots)}", "name": name, "path": ["__pregel_pull", name], "error": None, "result": None}
            | {"interrupts": asked, "checkpoint": inner, "state": None}
            for name in next_
        ]
        self._parents.append(parent)
        self._state("", at, step, values, next=list(next_), tasks=tasks, interrupts=asked)

    def add_inside(self, ns: str, values: dict[str, Any]) -> None:
        """Add a checkpoint of a subgraph, below the last one of it, that the second checkpoint of the root ran."""
        above = [state for state in self._states if namespace(state) == ns]
        host = id_of([state for state in self._states if not namespace(state)][1])
        self._state(ns, id_of(above[-1]) if above else None, len(above) - 1, values, parents={"": host})

    def _state(
        self,
        ns: str,
        parent: str | None,
        step: int,
        values: Any,
        *,
        parents: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        place = {"thread_id": self._id, "checkpoint_ns": ns}
        id_ = f"1f1e{self._number:04x}-{len(self._states):04x}-6000-8000-000000000000"
        state = {
            "values": values,
            "next": [],
            "tasks": [],
            "metadata": {"source": "loop" if step >= 0 else "input", "step": step, "parents": dict(parents or {})},
            "created_at": self._time(),
            "checkpoint": {**place, "checkpoint_id": id_},
            "parent_checkpoint": {**place, "checkpoint_id": parent} if parent else None,
            "interrupts": [],
        }
        self._states.append(state | more)

    def _time(self) -> str:
        return (BEGUN + timedelta(days=self._number, seconds=len(self._states))).isoformat()

    def sample(self) -> ThreadSample:
        """The thread as it is now."""
        times = [state["created_at"] for state in self._states] or [self._time()]
        record = {
            "thread_id": self._id,
            "status": None,
            "created_at": times[0],
            "updated_at": times[-1],
            "metadata": self._metadata,
        }
        return ThreadSample(self._id, tuple(self._parents), record, tuple(self._states))


def _message(number: int) -> dict[str, Any]:
    return {"type": "human" if number % 2 == 0 else "ai", "content": f"Message {number}", "id": f"message-{number}"}
