"""The history of one thread as users hold it: thin, each method one call into a room below."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from . import frames
from .aio import heard, in_thread
from .checkpoint import Checkpoint
from .errors import CheckpointNotFound, InvalidInput
from .facts import Facts
from .model.secrets import hide_in_metadata
from .model.states import State, head_of
from .model.text import escape, short, shown, visible
from .model.tree import Tree, completeness
from .tokens import Counter, counter_of

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    import plotly.graph_objects as go

    from .book import Book
    from .compare.two import Comparison
    from .transfer import CopyReport
    from .widgets.explorer import Explorer


LEAST_DIGITS = 4  # of a piece of an id: "B" is a branch, and a hex digit


class History:
    """Every checkpoint of a thread, as a tree. Iterating gives checkpoints, oldest first.

    `history[key]` finds one by id, by a unique prefix or suffix of it (4 hex digits or more), by a branch's label, that
    is its tip, or by position (0 is the oldest, -1 the newest).

    Attributes:
        book (Book): The place it was read from.
        thread_id (str): The thread's id.
        complete (bool): Whether every checkpoint was read that the place has; False only where `limit` asked for
            fewer. What was pruned there cannot be read: see `pruned`.
        subgraphs (bool): Whether the checkpoints of subgraphs were read, too, each inside the one whose task ran it.
        counter (Counter | None): What counts its tokens; None: the default.
        facts (Facts): What follows from its states, by position.
    """

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
        self.subgraphs = subgraphs
        self.thread_id = thread_id
        self.counter = counter or book.counter
        self.complete = complete
        self._read: History | None = None  # before a run's events added to it
        hide_in_metadata(states.values())
        tree = Tree([head_of(state) for state in states.values()])
        self.facts = Facts(self.thread_id, tree, [states[head.id] for head in tree.heads], self.counter)

    @property
    def tree(self) -> Tree:
        """The bare tree of positions."""
        return self.facts.tree

    @property
    def states(self) -> dict[str, State]:
        """The states by checkpoint id, oldest first; shared, so look, but do not change."""
        return dict(zip(self.tree.index, self.facts.states, strict=True))

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
        if isinstance(key, str):
            return Checkpoint(self, self._find(key))
        try:
            return Checkpoint(self, self.tree.heads[operator.index(key)].id)
        except IndexError:
            raise CheckpointNotFound(
                f"no checkpoint at position {key}: thread {self.thread_id} has {len(self)}", thread_id=self.thread_id
            ) from None
        except TypeError:
            raise InvalidInput(f"a checkpoint is found by id or position, not by {short(key)}") from None

    def __contains__(self, key: object) -> bool:
        key = key.id if isinstance(key, Checkpoint) else key
        return isinstance(key, str) and key in self.tree.index

    def _find(self, key: str) -> str:
        if key in self.tree.index:
            return key
        if key in self.tree.numbers[""]:
            return self.at(branch=key).id
        if len(key) < LEAST_DIGITS:
            raise CheckpointNotFound(
                f"no branch {key!r} in thread {self.thread_id}: it has {', '.join(self.branches) or 'none'}; a "
                f"piece of an id needs at least {LEAST_DIGITS} hex digits",
                thread_id=self.thread_id,
                candidates=self.branches,
            )
        wanted = key.lower()
        fits = [id_ for id_ in self.tree.index if id_.startswith(wanted) or id_.endswith(wanted)]
        if len(fits) == 1:
            return fits[0]
        some = ", ".join(fits[:5]) + (", …" if len(fits) > 5 else "")
        raise CheckpointNotFound(
            f"no checkpoint {key!r} in thread {self.thread_id}: "
            + (f"{len(fits)} fit ({some})" if fits else f"none of its {len(self)} ids starts or ends so"),
            thread_id=self.thread_id,
            checkpoint_id=key,
            candidates=fits,
        )

    def at(self, step: int | None = None, branch: str | None = None, *, ns: str = "") -> Checkpoint:
        """The checkpoint at a step of a branch's path from the root; without a step the branch's tip.

        Args:
            step: LangGraph's superstep.
            branch: The branch's label.
            ns: The namespace of a subgraph, whose steps and labels are its own; "" is the root graph.

        Raises:
            InvalidInput: Neither was given, or there is no such branch.
            CheckpointNotFound: None fits, or several do.
        """
        if step is None and branch is None:
            raise InvalidInput("at() needs a step, a branch, or both")
        if (numbers := self.tree.numbers.get(ns)) is None:
            known = [found for found in self.tree.numbers if found]
            raise InvalidInput(
                f"no subgraph {ns!r} in this history of thread {self.thread_id}: it has {', '.join(known) or 'none'}"
                + ("" if self.subgraphs else "; book.history(thread_id, subgraphs=True) reads them"),
                thread_id=self.thread_id,
                candidates=known,
            )
        if branch is not None and branch not in numbers:
            raise InvalidInput(
                f"no branch {branch!r} in thread {self.thread_id}: it has {', '.join(numbers) or 'none'}",
                thread_id=self.thread_id,
                candidates=list(numbers),
            )
        if step is None:
            return self[self.tree.tips_by_branch[numbers[str(branch)]]]
        if not isinstance(step, int):
            raise InvalidInput(f"a step is a number, not {short(step)}")
        path = self if branch is None else self.at(branch=branch, ns=ns).lineage
        found = [cp for cp in path if cp.step == step and cp.namespace == ns]
        if len(found) == 1 or (found and branch is not None):
            return found[-1]
        raise CheckpointNotFound(
            f"{len(found) or 'no'} checkpoints at step {step}{f' of branch {branch}' if branch else ''}: "
            + (
                f"{', '.join(f'{cp.short_id} on {cp.branch}' for cp in found)}; add branch="
                if found
                else f"there are {_steps(cp.step for cp in path if cp.namespace == ns)}"
            ),
            thread_id=self.thread_id,
            candidates=[cp.id for cp in found],
        )

    @property
    def tips(self) -> list[Checkpoint]:
        """The ends of the branches, in the order of their labels."""
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
        """
        return [self[position] for position in self.tree.pruned] if self.complete else []

    @property
    def fork_points(self) -> list[Checkpoint]:
        """The checkpoints with two or more children."""
        return [self[position] for position in self.tree.fork_points if not self.tree.heads[position].ns]

    @property
    def branches(self) -> list[str]:
        """The labels of the branches: A, B, C …"""
        return list(self.tree.numbers[""])

    @cached_property
    def graph_id(self) -> str | None:
        """The graph that the thread belongs to: the only one there is, or what the thread's own record says."""
        if self.book.backend.assistant:
            return self.book.backend.assistant
        found = (self.book.backend.thread(self.thread_id).get("metadata") or {}).get("graph_id")
        return None if found is None else str(found)

    def common_ancestor(self, a: Any, b: Any) -> Checkpoint | None:
        """The youngest checkpoint that is on both lineages; None under different roots, as those of two threads are."""
        found = self.compare(a, b).ancestor
        return None if found is None else self[found]

    def pick(self, key: Any) -> Checkpoint:
        """A checkpoint by anything that names one, as `history[key]`; a branch's label names its tip."""
        found: Checkpoint = self[key]
        return found

    def counted_by(self, counter: Any) -> History:
        """A new history of the same states, its tokens counted by a function or a model's tokenizer; this one stays.

        Args:
            counter: A function from a message (a dict) to its tokens, images included, or a name as in "gpt-4"; see
                `forkbook.tokens.counter_of`. The function's name is the method, so give it one: lambdas look the same.

        Raises:
            InvalidInput: No such tokenizer is on this machine.
        """
        how = {"complete": self.complete, "subgraphs": self.subgraphs}
        return History(self.book, self.thread_id, self.states, counter=counter_of(counter), **how)

    def checkpoints_df(self, prices: Any = None) -> pd.DataFrame:
        """A row a checkpoint, oldest first.

        Args:
            prices: As in `tokens_df`; adds `cost` and `unpriced_tokens`.

        Returns:
            Columns: thread_id, checkpoint_ns, checkpoint_id, parent_id, step, source, title (what made it), created_at,
            run_id, next (a list of nodes; null: unknown), branch, is_tip, is_fork_point, interrupted, error,
            n_messages, context_tokens (of its messages), context_method (how those were counted), spent_tokens (null
            where no AI message was spent; they add up), method (how those were got), seconds (since the parent,
            people's time left out), cache_read_tokens, cache_creation_tokens, reasoning_tokens, unknown_blocks (images
            and others that context_tokens lacks), inside_id and inside_task_id (where its subgraph ran), known_tokens
            (the least that spent_tokens can be, where they are unknown and so null), unknown_channels (those that may
            hold messages which cannot be seen: then counts are null).
        """
        rows = frames.checkpoints_rows(self.facts, prices)
        return frames.frame(list(rows), frames.with_prices(frames.CHECKPOINTS, prices))

    def messages_df(self, prices: Any = None) -> pd.DataFrame:
        """A row a message version, at the checkpoint where it is new; its tokens where it spends, so that they add up.

        Args:
            prices: As in `tokens_df`; adds `cost` and `unpriced_tokens`.

        Returns:
            Columns: thread_id, checkpoint_ns, checkpoint_id, message_id, created_at (of the checkpoint), role, name,
            model (that the message names), text, tool_calls (a dict a call), branches (labels of those that hold it),
            input_tokens, output_tokens, total_tokens, method, cache_read_tokens, cache_creation_tokens,
            reasoning_tokens, unknown_blocks.
        """
        rows = frames.messages_rows(self.facts, prices)
        return frames.frame(list(rows), frames.with_prices(frames.MESSAGES, prices))

    def tasks_df(self) -> pd.DataFrame:
        """A row a task, under the checkpoint it starts from.

        Returns:
            Columns: thread_id, checkpoint_ns, checkpoint_id, task_id, name (of the node; null: a task that asked or
            failed, of which a store does not tell the node), path, error, interrupts,
            writes (the channels it wrote; null: nothing yet), seconds (that it took; null where several tasks ran side
            by side, or people's time may be among it; see `frames.tasks_rows`).
        """
        return frames.frame(list(frames.tasks_rows(self.facts)), frames.TASKS)

    def branches_df(self, *, subgraphs: bool = False) -> pd.DataFrame:
        """A row a branch; with `subgraphs` of every namespace.

        Returns:
            Columns: thread_id, checkpoint_ns, branch, tip_id, fork_point_id, n_checkpoints (from the root to the tip),
            n_own (of these on the branch itself), status (of the tip), started_at, ended_at.
        """
        return frames.frame(list(frames.branches_rows(self.facts, subgraphs)), frames.BRANCHES)

    def tokens_df(self, prices: Any = None, *, subgraphs: bool = False) -> pd.DataFrame:
        """A row a tip's path, its spent tokens shared and own.

        Shared is what any other tip's path holds, too; in a comparison it is what the compared ones have in common.

        Args:
            prices: Money for a million tokens by model, as in `{"gpt-4o": {"input": 2.5, "output": 10}}`, or
                "genai-prices" (`pip install 'forkbook[prices]'`); see `forkbook.tokens.prices.rate_of`. Adds `cost` of
                the whole path, `shared_cost` + `own_cost` = `cost`, and `unpriced_tokens`, those without a price.
            subgraphs: Have rows for the tips of subgraphs, too; what these spent is in the root graph's rows as well.

        Returns:
            Columns: thread_id, checkpoint_ns, branch, tip_id, shared_tokens, own_tokens, total_tokens (shared + own),
            input_tokens, output_tokens, reported_tokens, estimated_tokens, method, context_tokens and context_method
            (at the tip), cache_read_tokens, cache_creation_tokens, reasoning_tokens, unknown_blocks (at the tip),
            known_tokens (the least that total_tokens can be). Paths overlap: do not sum total_tokens over branches,
            `total_tokens` of the history is the thread's. Null: unknown, as states on the path are not known as a
            whole, or older ones are gone.

        Raises:
            InvalidInput: These are no such prices.
        """
        rows = frames.tokens_rows(self.facts, prices, subgraphs)
        df = frames.frame(list(rows), frames.with_prices(frames.TOKENS, prices))
        df.attrs["total_tokens"] = frames.PER_PATH
        return df

    @property
    def total_tokens(self) -> int | None:
        """What the thread spent in all, each checkpoint once; None where that is unknown: see `known_tokens`."""
        return self.facts.ledger.total.total

    @property
    def known_tokens(self) -> int:
        """The least that the thread spent: `total_tokens`, less what cannot be known."""
        return self.facts.ledger.total.known.total

    @property
    def graph(self) -> nx.DiGraph[str]:
        """The tree as a networkx DiGraph, parent to child; its attributes: `forkbook.plot.tree.network.digraph`."""
        from .plot.tree.network import digraph

        return digraph(self.facts)

    def figure(self, color: str = "source", *, fold: bool = False) -> go.Figure:
        """The tree as a plotly Figure: a lane a branch, time downwards; subgraphs have dotted lanes of their own.

        Args:
            color: `source`, `branch` or `tokens` (spent).
            fold: Leave subgraphs out; the checkpoints whose tasks ran them tell how many checkpoints are inside.
        """
        from .plot.tree.figure import figure
        from .plot.tree.from_facts import marks

        return figure(self.tree, marks(self.facts), color=color, title=self.summary(), fold=fold)

    def tokens_figure(self, branches: Sequence[Any] | None = None) -> go.Figure:
        """Spent tokens as a plotly Figure: a bar a branch, shared and own, reported and estimated, as in `tokens_df`.

        Args:
            branches: Those to draw, in this order, by anything that names a checkpoint; by default all.
        """
        from .plot.tokens import tokens_figure

        return tokens_figure(self.facts, self._positions(branches), title=self.summary())

    def context_figure(self, branches: Sequence[Any] | None = None) -> go.Figure:
        """Context tokens as a plotly Figure: a line a branch, from where it was forked to its tip.

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

        return write_report(self, Path(path))

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
        """
        from .compare.side import Side
        from .compare.two import compare

        sides = [key if isinstance(key, Checkpoint) else self.pick(key) for key in (a, b)]
        return compare(*(Side(side.history.facts, side.position) for side in sides))

    def copy(
        self, checkpoint: Any = None, metadata: Mapping[str, Any] | None = None, verify: bool = True
    ) -> CopyReport:
        """Copy the thread, or only what led to a checkpoint, and verify the copy; see `Book.copy`."""
        return self.book.copy(self.thread_id, checkpoint, metadata, verify)

    def refresh(self) -> History:
        """Fetch what is new, and what may have changed; this history then has it."""
        new = self.refreshed()
        self.facts, self.complete, self._read = new.facts, new.complete, None
        return self

    def refreshed(self) -> History:
        """A new history with what is new; this one stays as it is."""
        return self.book.reread(self._read or self)

    def follow(
        self,
        on_checkpoint: Callable[[Checkpoint], object] | None = None,
        *,
        poll: float = 1.0,
        seconds: float | None = None,
        until_idle: bool = True,
    ) -> list[Checkpoint]:
        """Watch a thread that somebody else drives: this history is refreshed whenever something new is there.

        A look is cheap, the history is read only where something changed. A checkpointer does not tell whether a run is
        under way: there a thread is idle once nothing is left to run, or an interrupt waits; a bare store does not tell
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

        return follow(self, on_checkpoint, poll, seconds, until_idle)

    async def afollow(
        self, on_checkpoint: Callable[[Checkpoint], object] | None = None, **how: Any
    ) -> list[Checkpoint]:
        """`follow` for async code; `on_checkpoint` is called on this loop and may be async."""
        given = heard({"on_event": on_checkpoint})["on_event"]
        return await in_thread(self.follow, given, **how)

    def grown(self, *streamed: State) -> History:
        """A new history that has checkpoints that a run has just told of (`event.state`); `refreshed` reads them anew.

        Results of tasks and times are not known of such a checkpoint before.
        """
        states = self.states | {state["checkpoint"]["checkpoint_id"]: state for state in streamed}
        more = History(self.book, self.thread_id, states, complete=self.complete, counter=self.counter)
        more._read = self._read or self
        return more

    async def arefresh(self) -> History:
        """`refresh` for async code."""
        return await in_thread(self.refresh)

    @shown
    def summary(self) -> str:
        """One line: thread, checkpoints, branches, and whether that is all."""
        nested = sum(1 for head in self.tree.heads if head.ns)
        number, id_ = len(self) - nested, self.thread_id
        parts = [
            visible(f"thread {id_[:8]}…{id_[-4:]}" if len(id_) > 16 else id_ or "''"),
            f"{number:,} checkpoint{'' if number == 1 else 's'}"
            + (f" and {nested:,} inside {_counted(len(self.tree.numbers) - 1, 'subgraph')}" if self.subgraphs else ""),
            f"{len(self.branches)} branch{'' if len(self.branches) == 1 else 'es'}",
            *(completeness(self.tree) if self.complete else ["the newest only, older ones were not read"]),
        ]
        if self.facts.rebuilt:
            parts.append(f"{', '.join(self.facts.rebuilt)} rebuilt from writes")
        if unseen := self.facts.unseen():
            parts.append(unseen)
        return " · ".join(parts)

    @shown
    def __repr__(self) -> str:
        from .plot.tree.from_facts import text

        return f"{self.summary()}\n{text(self.facts)}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        from .plot.bundle import bundle

        plain = repr(self)
        result = {"text/html": "<pre>" + "\n".join(map(escape, plain.splitlines())) + "</pre>", "text/plain": plain}
        if len(self):
            result |= bundle(self.figure())
        return result


def _steps(steps: Iterable[int | None]) -> str:
    """Steps as text: `steps -1 to 4`, which may lack some in between."""
    known = {step for step in steps if step is not None}
    return f"steps {min(known)} to {max(known)}" if known else "none"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
