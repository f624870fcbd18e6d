"""The history of one thread as users hold it: thin, each method one call into a room below."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .acts.spot import graph_id_of
from .checkpoint import Checkpoint
from .errors import CheckpointNotFound, InvalidInput
from .facts import Facts, reread
from .history_labels import HistoryLabels
from .model.find import position_at, position_of
from .model.states import State
from .model.text import shown
from .tokens import Counter, counter_of
from .twins import twin

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from .book import Book
    from .compare.two import Comparison
    from .transfer import CopyReport
    from .widgets.explorer import Explorer


class History(HistoryLabels):
    """Every checkpoint of a thread, as a tree. Iterating gives checkpoints, oldest first.

    `history[key]` finds one by position (0 is the oldest, -1 the newest), by id, by a branch's letter, that is its tip,
    by a unique prefix or suffix of its id (4 hex digits or more), or by the label that somebody gave it (`label`).
    Where a text is several of these, the first in this order wins.

    Attributes:
        book (Book): The place it was read from.
        facts (Facts): What follows from its states, by position.
    """

    book: Book

    def __init__(
        self,
        book: Book,
        thread_id: str,
        states: Mapping[str, State],
        *,
        complete: bool = True,
        subgraphs: bool = False,
        counter: Counter | None = None,
    ) -> None:
        self.book = book
        self.facts = Facts.of(thread_id, states, counter or book.counter, complete=complete, subgraphs=subgraphs)

    @classmethod
    def of(cls, book: Book, facts: Facts) -> History:
        """The history of a thread that was read."""
        history = cls.__new__(cls)
        history.book, history.facts = book, facts
        return history

    def __len__(self) -> int:
        return len(self.tree)

    def __iter__(self) -> Iterator[Checkpoint]:
        return (Checkpoint(self, head.id) for head in self.tree.heads)

    @overload
    def __getitem__(self, key: int | str | Checkpoint) -> Checkpoint: ...
    @overload
    def __getitem__(self, key: slice) -> list[Checkpoint]: ...
    def __getitem__(self, key: int | str | slice | Checkpoint) -> Checkpoint | list[Checkpoint]:
        if isinstance(key, slice):
            return [Checkpoint(self, head.id) for head in self.tree.heads[key]]
        if isinstance(key, Checkpoint):
            if key.thread_id != self.thread_id and key.id not in self.tree.index:
                raise CheckpointNotFound(
                    f"checkpoint {key.short_id} is of thread {key.thread_id}, not of {self.thread_id}; "
                    "history.compare(a, b) and fb.compare([…]) take checkpoints of several threads",
                    thread_id=self.thread_id,
                    checkpoint_id=key.id,
                )
            key = key.id
        return Checkpoint(self, self.tree.heads[position_of(self.tree, self.thread_id, key, lambda: self.labels)].id)

    def __contains__(self, key: object) -> bool:
        key = key.id if isinstance(key, Checkpoint) else key
        return isinstance(key, str) and key in self.tree.index

    def at(self, step: int | None = None, branch: str | None = None, *, ns: str = "") -> Checkpoint:
        """The checkpoint at a step of a branch's path from the root; without a step the branch's tip.

        Args:
            step: LangGraph's superstep.
            branch: The branch's label.
            ns: The namespace of a subgraph, whose steps and labels are its own; "" is the root graph.

        Raises:
            InvalidInput: Neither was given, or there is no such branch.
            CheckpointNotFound: None fits, or several do.

        >>> history.at(step=1).title
        'generate_topic'
        """
        return self[position_at(self.tree, self.thread_id, step, branch, ns, subgraphs=self.subgraphs)]

    @property
    def tips(self) -> list[Checkpoint]:
        """The ends of the branches, in the order of their labels.

        >>> [cp.branch for cp in history.tips]
        ['A', 'B']
        """
        return [self[position] for position in self.tree.tips_by_branch[: self.tree.outer]]

    @property
    def roots(self) -> list[Checkpoint]:
        """The checkpoints without a parent in this history."""
        return [self[position] for position in self.tree.roots if not self.tree.heads[position].ns]

    @property
    def pruned(self) -> list[Checkpoint]:
        """The roots before which checkpoints are missing, in all namespaces that were read.

        They were pruned (keep_latest, a time to live), or never kept: a shallow checkpointer, `durability="exit"`, a
        backup of the newest ones alone. Empty where nothing is missing, and where not all was read.

        >>> history.pruned
        []
        """
        return [self[position] for position in self.tree.pruned] if self.complete else []

    @property
    def fork_points(self) -> list[Checkpoint]:
        """The checkpoints with two or more children.

        >>> [len(cp.children) for cp in history.fork_points]
        [2]
        """
        return [self[position] for position in self.tree.fork_points if not self.tree.heads[position].ns]

    @cached_property
    def graph_id(self) -> str | None:
        """The graph that the thread belongs to: the only one there is, or what the thread's own record says."""
        return graph_id_of(self.book.backend, self.thread_id)

    def common_ancestor(self, a: Any, b: Any) -> Checkpoint | None:
        """The youngest checkpoint that is on both lineages; None under different roots, as those of two threads are.

        >>> history.common_ancestor("A", "B").title
        'generate_topic'
        """
        found = self.compare(a, b).ancestor
        return None if found is None else self[found]

    def pick(self, key: Any) -> Checkpoint:
        """A checkpoint by anything that names one, as `history[key]`; a branch's label names its tip.

        >>> history.pick("B").title
        'write_joke'
        """
        found: Checkpoint = self[key]
        return found

    def counted_by(self, counter: Any) -> History:
        """A new history of the same states, its tokens counted by a function or a model's tokenizer; this one stays.

        Args:
            counter: A function from a message (a dict) to its tokens, images included, or a name as in "gpt-4"; see
                `forkbook.tokens.counter_of`. The function's name is the method, so give it one: lambdas look the same.

        Raises:
            InvalidInput: No such tokenizer is on this machine.

        >>> history.counted_by(lambda message: 1).tips[0].branch
        'A'
        """
        return History.of(self.book, dataclasses.replace(self.facts, counter=counter_of(counter)))

    def tokens_figure(self, branches: Sequence[Any] | None = None) -> go.Figure:
        """Spent tokens as a plotly Figure: one bar per branch, its parts as in `tokens_df`.

        Args:
            branches: Those to draw, in this order, by anything that names a checkpoint; by default all.

        >>> len(history.tokens_figure(["A"]).data) > 0
        True
        """
        from .plot.tokens import tokens_figure

        return tokens_figure(self.facts, self._positions(branches), title=self.summary())

    def context_figure(self, branches: Sequence[Any] | None = None) -> go.Figure:
        """Context tokens as a plotly Figure: one line per branch, from where it was forked to its tip.

        Args:
            branches: Those to draw, in this order, by anything that names a checkpoint; by default all.
        """
        from .plot.context import context_figure

        return context_figure(self.facts, self._positions(branches), title=self.summary())

    def _positions(self, branches: Sequence[Any] | None) -> list[int]:
        """The tips of all branches, or what was named, each once."""
        if branches is None:
            return self.tree.tips_by_branch[: self.tree.outer]
        keys = [branches] if isinstance(branches, str | Checkpoint) else list(branches)
        if not keys:
            raise InvalidInput("no branch is named here: give labels or checkpoints, or None for all")
        return list(dict.fromkeys(self.pick(key).position for key in keys))

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write one HTML file: the tree, what the branches spent and said; it needs no network and no kernel."""
        from .report import write_report

        return write_report(self.facts, Path(path))

    def explore(self) -> Explorer:
        """The widget: pick a checkpoint, look into it, edit, fork, copy, compare."""
        from .widgets.explorer import Explorer

        return Explorer(self)

    def compare(self, a: Any, b: Any) -> Comparison:
        """Two checkpoints side by side: where they parted, what each did since, at what cost; see `Comparison`.

        Args:
            a: A checkpoint, its id or position, or a branch's label, which names its tip. A checkpoint of another
                thread or book stays what it is.
            b: Another.

        >>> history.compare("A", "B").ancestor is not None
        True
        """
        from .compare.side import Side
        from .compare.two import compare

        sides = [key if isinstance(key, Checkpoint) else self.pick(key) for key in (a, b)]
        return compare(*(Side(side.history.facts, side.position) for side in sides))

    def copy(
        self, checkpoint: Any = None, metadata: Mapping[str, Any] | None = None, verify: bool = True
    ) -> CopyReport:
        """Copy the thread, or only what led to a checkpoint, and verify the copy; see `Book.copy`.

        >>> bool(history.copy())
        True
        """
        return self.book.copy(self.thread_id, checkpoint, metadata, verify)

    def refresh(self) -> History:
        """Fetch what is new, and what may have changed; this history then has it.

        >>> history.refresh() is history
        True
        """
        self.facts = reread(self.book.backend, self.facts)
        self._forget_labels()
        return self

    def refreshed(self) -> History:
        """A new history with what is new; this one stays as it is.

        >>> len(history.refreshed())
        6
        """
        return History.of(self.book, reread(self.book.backend, self.facts))

    def follow(
        self,
        on_checkpoint: Callable[[Checkpoint], object] | None = None,
        *,
        poll: float = 1.0,
        seconds: float | None = None,
        until_idle: bool = True,
    ) -> list[Checkpoint]:
        """Watch a thread that another program runs: this history is refreshed whenever something new is there.

        A look is cheap, the history is read only where something changed. A checkpointer does not say whether a run is
        under way: there a thread is idle once nothing is left to run, or an interrupt waits; a bare store does not say
        that either, so give `seconds`. An interrupt of the kernel ends the watch.

        Args:
            on_checkpoint: Called with each checkpoint that is new, in this thread, when the history has it.
            poll: Seconds between two looks.
            seconds: Watch no longer.
            until_idle: End where no run is under way; False: go on through quiet times.

        Returns:
            The checkpoints that are new, oldest first.
        """
        from .acts.live import follow

        def new() -> list[Checkpoint]:
            known = set(self.tree.index)
            return [checkpoint for checkpoint in self.refresh() if checkpoint.id not in known]

        return follow(self.book.backend, self.thread_id, new, on_checkpoint, poll, seconds, until_idle)

    def grown(self, *streamed: State) -> History:
        """A new history that also has the checkpoints of a run's events (`event.state`); `refreshed` reads them again.

        Results of tasks and times are not known of such a checkpoint before.
        """
        facts = self.facts
        states = facts.by_id | {state["checkpoint"]["checkpoint_id"]: state for state in streamed}
        as_read = facts.as_read or facts
        return History.of(
            self.book, Facts.of(facts.thread_id, states, facts.counter, complete=facts.complete, as_read=as_read)
        )

    afollow = twin(follow, "`on_checkpoint` is called on this loop and may be async.")
    arefresh = twin(refresh)

    @shown
    def __repr__(self) -> str:
        from .plot.tree.from_facts import text

        return f"{self.summary()}\n{text(self.facts)}"
