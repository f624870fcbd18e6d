"""What is known of one checkpoint: the facts of its thread, at its position. Pure."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .model.questions import waiting_for
from .model.secrets import masking
from .model.states import State

if TYPE_CHECKING:
    from .facts import Facts


class CheckpointFacts:
    """What is known of one checkpoint; `Checkpoint` and `Spot` say where it is, by `facts` and `position`."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def facts(self) -> Facts: ...

        @property
        def position(self) -> int: ...

    @property
    def id(self) -> str:
        """The checkpoint's id.

        >>> checkpoint.id == history.tips[0].id
        True
        """
        return self.facts.tree.heads[self.position].id

    @property
    def thread_id(self) -> str:
        """The thread's id.

        >>> checkpoint.thread_id == history.thread_id
        True
        """
        return self.facts.thread_id

    @property
    def state(self) -> State:
        """The state as LangGraph's `ThreadState`: shared with the history, so look, but do not change.

        >>> sorted(checkpoint.state)[0]
        'checkpoint'
        """
        return self.facts.states[self.position]

    @property
    def namespace(self) -> str:
        """Its namespace, LangGraph's `checkpoint_ns`: "" in the root graph, else the tasks that ran its subgraph.

        >>> checkpoint.namespace
        ''
        """
        return self.facts.tree.heads[self.position].ns

    @property
    def task(self) -> dict[str, Any] | None:
        """Of a subgraph's checkpoint the task that ran it; None: root graph, or unknown. A copy.

        >>> checkpoint.task is None
        True
        """
        return copy.deepcopy(self.facts.ran_by(self.position))

    @property
    def short_id(self) -> str:
        """The last six hex digits of the id: those are random, the first eight stay the same for 27 s.

        >>> len(checkpoint.short_id)
        6
        """
        return self.id[-6:]

    @property
    def step(self) -> int | None:
        """LangGraph's superstep; -1 for an input. Not unique across branches.

        >>> checkpoint.step
        2
        """
        return self.facts.tree.heads[self.position].step

    @property
    def source(self) -> str | None:
        """`input`, `loop`, `update` or `fork`.

        >>> checkpoint.source
        'loop'
        """
        return self.facts.tree.heads[self.position].source

    @property
    def run_id(self) -> str | None:
        """The run that wrote it; None after an edit by hand.

        >>> checkpoint.run_id == history[0].run_id
        True
        """
        return self.facts.run_id(self.position)

    @property
    def created_at(self) -> datetime | None:
        """When it was written.

        >>> checkpoint.created_at.tzinfo is not None
        True
        """
        return self.facts.created_at(self.position)

    @property
    def metadata(self) -> dict[str, Any]:
        """LangGraph's metadata; a copy. Secrets in it show as `***`.

        >>> checkpoint.metadata["step"]
        2
        """
        return masking(copy.deepcopy(self.state["metadata"] or {}))  # type: ignore[no-any-return]

    @property
    def values(self) -> dict[str, Any]:
        """The state's channels; a copy that may be changed.

        Whatever the place, a message is a dict, as an Agent Server sends it: `values["messages"][-1]["content"]`.

        >>> checkpoint.values["topic"]
        'cats'
        """
        return copy.deepcopy(self.state["values"] or {})

    @property
    def rebuilt(self) -> dict[str, str]:
        """The channels that the store does not hold as they are here, each with the rule by which it was rebuilt.

        >>> checkpoint.rebuilt
        {}
        """
        return dict(self.state.get("rebuilt") or {})

    @property
    def next(self) -> tuple[str, ...] | None:
        """The nodes that run next; empty: finished; None: unknown.

        >>> checkpoint.parent.next
        ('write_joke',)
        """
        following = self.state["next"]
        return None if following is None else tuple(following)

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The tasks that start from here, each with id, name, error, interrupts and result; a copy.

        >>> [task["name"] for task in checkpoint.parent.tasks]
        ['write_joke']
        """
        return copy.deepcopy(self.state["tasks"] or [])

    @property
    def interrupts(self) -> list[dict[str, Any]]:
        """The interrupts that its tasks raised, answered or not; a copy.

        >>> checkpoint.interrupts
        []
        """
        return copy.deepcopy(self.facts.interrupts(self.position))

    @property
    def waiting_for(self) -> list[dict[str, Any]]:
        """The interrupts that were open here when the history was read, each with id, value, node, task_id; a copy.

        >>> checkpoint.waiting_for
        []
        """
        return copy.deepcopy(waiting_for(self.state))

    @property
    def title(self) -> str:
        """What made it, in a few words.

        >>> checkpoint.title
        'write_joke'
        """
        return self.facts.title(self.position)

    @property
    def status(self) -> str:
        """finished, waiting, pending, error or unknown.

        >>> checkpoint.status
        'finished'
        """
        return self.facts.status(self.position)

    @property
    def branch(self) -> str:
        """Its branch's label.

        >>> checkpoint.branch
        'A'
        """
        return self.facts.tree.label(self.position)

    @property
    def is_tip(self) -> bool:
        """Whether it has no children.

        >>> checkpoint.is_tip
        True
        """
        return not self.facts.tree.children[self.position]

    @property
    def is_fork_point(self) -> bool:
        """Whether it has two or more children.

        >>> checkpoint.parent.is_fork_point
        True
        """
        return len(self.facts.tree.children[self.position]) > 1
