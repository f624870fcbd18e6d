"""What the facts of a thread say, as values, frames, sums, a graph and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import frames
from .model.text import shown

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    import plotly.graph_objects as go

    from .facts import Facts
    from .model.label import Label
    from .model.states import State
    from .model.tree import Tree
    from .tokens import Counter


class HistoryViews:
    """The frames and the picture of a history, which says where its `facts` are."""

    facts: Facts

    @property
    def thread_id(self) -> str:
        """The thread's id.

        >>> history.thread_id in book
        True
        """
        return self.facts.thread_id

    @property
    def complete(self) -> bool:
        """Whether every checkpoint was read that the place has; False only where `limit` asked for fewer.

        What was pruned there cannot be read: see `pruned`.

        >>> history.complete
        True
        """
        return self.facts.complete

    @property
    def subgraphs(self) -> bool:
        """Whether the checkpoints of subgraphs were read, too, each inside the one whose task ran it.

        >>> history.subgraphs
        False
        """
        return self.facts.subgraphs

    @property
    def counter(self) -> Counter | None:
        """What counts its tokens; None: the default.

        >>> history.counter is None
        True
        """
        return self.facts.counter

    @property
    def tree(self) -> Tree:
        """The bare tree of positions.

        >>> history.tree.parents
        [-1, 0, 1, 2, 2, 4]
        """
        return self.facts.tree

    @property
    def states(self) -> dict[str, State]:
        """The states by checkpoint id, oldest first; shared, so look, but do not change.

        >>> len(history.states)
        6
        """
        return self.facts.by_id

    @property
    def branches(self) -> list[str]:
        """The labels of the branches: A, B, C …

        >>> history.branches
        ['A', 'B']
        """
        return list(self.tree.numbers[""])

    @shown
    def summary(self) -> str:
        """One line: thread, checkpoints, branches, and whether that is all.

        >>> "6 checkpoints" in history.summary()
        True
        """
        return self.facts.summary()

    def checkpoints_df(self, prices: Any = None) -> pd.DataFrame:
        """One row per checkpoint, oldest first.

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
            hold messages which cannot be seen: then counts are null), label (that somebody gave it; null: none).

        >>> history.checkpoints_df().title.tolist()[-1]
        'write_joke'
        """
        rows = frames.checkpoints_rows(self.facts, prices, self._labels_at_hand())
        return frames.frame(list(rows), frames.with_prices(frames.CHECKPOINTS, prices))

    def _labels_at_hand(self) -> Mapping[str, Label]:
        """The labels of checkpoints by id, as far as they can be known; facts alone know none."""
        return {}

    def messages_df(self, prices: Any = None) -> pd.DataFrame:
        """One row per message version, at the checkpoint where it is new; tokens stand where they are spent.

        Args:
            prices: As in `tokens_df`; adds `cost` and `unpriced_tokens`.

        Returns:
            Columns: thread_id, checkpoint_ns, checkpoint_id, message_id, created_at (of the checkpoint), role, name,
            model (that the message names), text, tool_calls (a dict a call), branches (labels of those that hold it),
            input_tokens, output_tokens, total_tokens, method, cache_read_tokens, cache_creation_tokens,
            reasoning_tokens, unknown_blocks.

        >>> len(history.messages_df())
        2
        """
        rows = frames.messages_rows(self.facts, prices)
        return frames.frame(list(rows), frames.with_prices(frames.MESSAGES, prices))

    def tasks_df(self) -> pd.DataFrame:
        """One row per task, under the checkpoint it starts from.

        Returns:
            Columns: thread_id, checkpoint_ns, checkpoint_id, task_id, name (of the node; null: a task that asked or
            failed, whose node a store does not know), path, error, interrupts,
            writes (the channels it wrote; null: nothing yet), seconds (that it took; null where several tasks ran side
            by side, or people's time may be among it; see `frames.tasks_rows`).

        >>> history.tasks_df().name.tolist()[-1]
        'write_joke'
        """
        return frames.frame(list(frames.tasks_rows(self.facts)), frames.TASKS)

    def branches_df(self, *, subgraphs: bool = False) -> pd.DataFrame:
        """One row per branch; with `subgraphs` of every namespace.

        Returns:
            Columns: thread_id, checkpoint_ns, branch, tip_id, fork_point_id, n_checkpoints (from the root to the tip),
            n_own (of these on the branch itself), status (of the tip), started_at, ended_at.

        >>> history.branches_df().n_own.tolist()
        [4, 2]
        """
        return frames.frame(list(frames.branches_rows(self.facts, subgraphs)), frames.BRANCHES)

    def tokens_df(self, prices: Any = None, *, subgraphs: bool = False) -> pd.DataFrame:
        """One row per tip's path, its spent tokens shared and own.

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

        >>> history.tokens_df().branch.tolist()
        ['A', 'B']
        """
        rows = frames.tokens_rows(self.facts, prices, subgraphs)
        df = frames.frame(list(rows), frames.with_prices(frames.TOKENS, prices))
        df.attrs["total_tokens"] = frames.PER_PATH
        return df

    @property
    def total_tokens(self) -> int | None:
        """What the thread spent in all, each checkpoint once; None where that is unknown: see `known_tokens`.

        >>> history.total_tokens > 0
        True
        """
        return self.facts.ledger.total.total

    @property
    def known_tokens(self) -> int:
        """The least that the thread spent: `total_tokens`, less what cannot be known.

        >>> history.known_tokens == history.total_tokens
        True
        """
        return self.facts.ledger.total.known.total

    @property
    def graph(self) -> nx.DiGraph[str]:
        """The tree as a networkx DiGraph, parent to child; its attributes: `forkbook.plot.tree.network.digraph`.

        >>> history.graph.number_of_edges()
        5
        """
        from .plot.tree.network import digraph

        return digraph(self.facts)

    def figure(self, color: str = "source", *, fold: bool = False) -> go.Figure:
        """The tree as a plotly Figure: a lane a branch, time downwards; subgraphs have dotted lanes of their own.

        Args:
            color: `source`, `branch`, `run` or `tokens` (spent).
            fold: Leave subgraphs out; the checkpoints whose tasks ran them show how many checkpoints are inside.

        >>> len(history.figure(color="branch").data) > 0
        True
        """
        from .plot.still_figure import with_still
        from .plot.tree.figure import figure
        from .plot.tree.from_facts import marks

        drawn = figure(self.facts.tree, marks(self.facts), color=color, title=self.summary(), fold=fold)
        facts, labels = self.facts, self._labels_at_hand

        def still() -> str:
            from .face.svg import still_html

            return still_html(facts, labels())

        return with_still(drawn, still)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        from .face.svg import still_html
        from .plot.bundle import bundle

        html = still_html(self.facts, self._labels_at_hand())
        result: dict[str, Any] = {"text/html": html, "text/plain": repr(self)}
        if len(self.tree):
            result |= bundle(self.figure())
        return result

    def svg(self) -> str:
        """The tree as an SVG document: a picture for pages, slides and papers, which needs no program to be seen.

        It is 900 px wide and has at most about 60 rows: long stretches are folded, and of a large thread the first and
        the last rows are shown, and between them open questions, stars and failures. It is readable on light and dark
        pages and in black and white, and has no script, font or link.

        >>> history.svg()[:5]
        '<svg '
        """
        from .face.svg import svg

        return svg(self.facts, self._labels_at_hand())
