"""A sweep: many variants tried from one checkpoint, a branch each, and what became of them."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any, Generic, Protocol

from ..acts.act import BookOf, C, H
from ..backends.labels import delete_thread
from ..errors import ForkbookError, Refused, ThreadNotFound
from ..facts import Facts, read, reread
from ..frames import frame, with_prices
from ..marks import SWEEP, SWEEP_AT, SWEEP_OF
from ..model.text import escape, shown, visible_lines
from ..tokens import Totals
from ..tokens.prices import TABLE, rate_of
from .rows import Place, Row, columns, listed, marked, numeric_scores, placed, points, records
from .scores import checked, failed, judged
from .variants import packed, unpacked

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


class Run(Protocol):
    """A sweep under way."""

    over: Event
    done: Event
    stopping: Event

    def stop(self) -> None:
        """Cancel what runs, start nothing more; returns at once."""

    def budgeted(self) -> str:
        """The budget and what was spent of it, in words."""


class Sweep(Generic[H, C]):
    """Many variants from one checkpoint; `df()` has one row per branch.

    Attributes:
        book (Book): Where the threads are.
        thread_id (str): The thread that it set out from.
        checkpoint_id (str): The checkpoint.
        id (str): Its id, which the metadata of its checkpoints carry.
        started (str): When, in UTC as ISO 8601.
        rows (list[Row]): Its branches, variant by variant.
        runner (Run | None): What runs it; None where it was found again.
    """

    def __init__(
        self,
        book: BookOf[H, C],
        thread_id: str,
        checkpoint_id: str,
        id: str,
        started: str,
        rows: list[Row],
        *,
        base: Facts | None = None,
        planned: int | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.book, self.thread_id, self.checkpoint_id = book, thread_id, checkpoint_id
        self.id, self.started, self.rows, self._notes = id, started, rows, notes
        self.runner: Run | None = None
        self._base, self._planned, self._read = base, planned or len(rows), dict[str, Facts]()

    @property
    def notes(self) -> tuple[str, ...]:
        """What else one should know."""
        return (*self._notes, *failed(self.rows))

    @property
    def done(self) -> bool:
        """Whether nothing of it runs any more, and all is scored."""
        return self.runner is None or self.runner.done.is_set()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self.runner is not None and self.runner.stopping.is_set()

    def stop(self) -> None:
        """Cancel the runs under way and start no more; returns at once, finished branches stay whole.

        A node that runs in this process cannot be cancelled from outside: the sweep then ends after it.
        """
        if self.runner:
            self.runner.stop()

    def wait(self, seconds: float | None = None) -> Sweep[H, C]:
        """Wait for its end, and give it back.

        Args:
            seconds: The longest to wait; None: as long as it takes.

        Raises:
            TimeoutError: It is still under way.
        """
        if self.runner and not self.runner.done.wait(seconds):
            raise TimeoutError(f"sweep {self.id} is still under way after {seconds} s")
        return self

    def _reread(self, thread_id: str) -> Facts:
        """What a thread of it holds now; of a copy only what it has beyond the original is fetched."""
        known, backend = self._read.get(thread_id), self.book.backend
        if known is None and self._base is not None:
            known = self._base if thread_id == self.thread_id else moved(self._base, thread_id)
        found = read(backend, thread_id, self.book.counter) if known is None else reread(backend, known)
        self._read[thread_id] = found
        return found

    def _facts(self, thread_id: str) -> Facts:
        running = self.runner is not None and not self.runner.over.is_set()
        return self._reread(thread_id) if running or thread_id not in self._read else self._read[thread_id]

    @property
    def histories(self) -> list[H]:
        """The histories of its threads, with all branches: of its copies, or of the one thread."""
        ran = [row.thread_id for row in self.rows if row.outcome != "not run"]
        return [self.book.history_of(self._facts(id_)) for id_ in dict.fromkeys(ran or [self.thread_id])]

    @property
    def history(self) -> H:
        """The history of the thread that it set out from, with its branches where they are in that thread."""
        return self.book.history_of(self._facts(self.thread_id))

    @property
    def checkpoints(self) -> list[C | None]:
        """For each row the last checkpoint of its branch; None where there is none."""
        return [tip for _, tip in self._tips()]

    def _tips(self) -> list[tuple[Place, C | None]]:
        """For each row where its branch is, and its last checkpoint."""
        places = self._places()
        threads = {place.facts.thread_id: place.facts for place in places if place.facts is not None}
        histories = {thread_id: self.book.history_of(facts) for thread_id, facts in threads.items()}
        return [
            (
                place,
                None
                if place.facts is None or place.tip is None
                else self.book.checkpoint_of(histories[place.facts.thread_id], place.tip),
            )
            for place in places
        ]

    def _places(self) -> list[Place]:
        """For each row where its branch is; a copy that was deleted since is nowhere."""
        index = {}
        for thread_id in dict.fromkeys(row.thread_id for row in self.rows if row.outcome != "not run"):
            with suppress(ThreadNotFound):
                facts = self._facts(thread_id)
                index[thread_id] = facts, marked(facts)
        return [placed(row, self._marks(row)[SWEEP], *index.get(row.thread_id, (None, {}))) for row in self.rows]

    def spent(self) -> int:
        """Spent tokens of its own branches, as far as they were read and are known."""
        return self.totals().known.total

    def totals(self) -> Totals:
        """The sums over its own branches, as far as they were read."""
        total = Totals()
        for thread_id, facts in list(self._read.items()):
            marks = {self._marks(row)[SWEEP] for row in self.rows if row.thread_id == thread_id}
            own = [at for mark, found in marked(facts).items() if mark in marks for at in found]
            total = total.both(facts.ledger.totals(own))
        return total

    def df(self, prices: Any = None) -> pd.DataFrame:
        """One row per branch; see `forkbook.sweep.rows.records` for the columns.

        Args:
            prices: As in `History.tokens_df`; adds `cost` and `unpriced_tokens` of what the branch itself spent.

        Raises:
            InvalidInput: These are no such prices.
        """
        rate = None if prices is None else rate_of(prices)
        return frame(list(records(self.rows, self._places(), rate)), with_prices(columns(self.rows), prices))

    def figure(self, prices: Any = None) -> go.Figure:
        """A plotly Figure: one row per variant, with its score left and what it spent right.

        Args:
            prices: As in `df`: draws money instead of tokens. Of a dict of scores the first one with numbers is drawn.

        Raises:
            InvalidInput: These are no such prices.
        """
        from .show_sweep import figure

        rate, places = None if prices is None else rate_of(prices), self._places()
        scores, notes = numeric_scores(self.rows), list(failed(self.rows))
        if len(scores) > 1:
            notes.append(f"{scores[0]} is drawn; df() has {', '.join(scores[1:])}, too")
        unpriced = sum(place.bill(rate).unpriced for place in places) if rate else 0
        if unpriced:
            notes.append(f"{unpriced:,} tokens have no price and are left out: df(prices) has them as unpriced_tokens")
        return figure(
            points(self.rows, places, rate),
            title=self.summary(),
            score=next(iter(scores), "score").removeprefix("score."),
            money=rate and ("US dollars" if prices == TABLE else "the unit of your prices"),
            notes=notes,
        )

    def scored(self, score: Callable[[C], Any]) -> Sweep[H, C]:
        """The same sweep with other scores.

        Args:
            score: Takes a branch's last checkpoint; gives a number (NaN: none), bool, text, or a dict of them, a column
                each. Where it raises or gives something else, `score_error` in the row says so, and a note and a
                warning how often. Failed and cancelled branches have no score.

        Raises:
            InvalidInput: This is no function.
        """
        checked(score)
        twin = copy.copy(self)
        twin.rows = [replace(row, score=None, score_error=None) for row in self.rows]
        twin._judge(score)
        return twin

    def _judge(self, score: Callable[[C], Any]) -> None:
        """Fill in the scores; warn if some failed."""
        self.rows = judged(self.rows, self._tips(), score)
        for note in failed(self.rows):
            warnings.warn(visible_lines(note), stacklevel=4)

    def delete(self) -> int:
        """Delete the copies that this sweep made, with whatever was done in them since; the thread itself stays.

        What was read before stays in `df()` and the picture. In the thread itself, a sweep has no copies to delete.

        Returns:
            How many copies were deleted: those of its rows whose metadata say that this sweep made them.

        Raises:
            Refused: It is still under way.
        """
        if not self.done:
            raise Refused(f"sweep {self.id} is under way: stop() it and wait() for its end, then delete its copies")
        deleted = 0
        for thread_id in dict.fromkeys(row.thread_id for row in self.rows):
            with suppress(ThreadNotFound):
                if self._made(thread_id):
                    delete_thread(self.book.backend, thread_id)
                    deleted += 1
        return deleted

    def _made(self, thread_id: str) -> bool:
        """Whether a thread is a copy that this sweep made: not the thread itself, nor a copy of such a copy."""
        metadata = self.book.backend.thread(thread_id).get("metadata") or {}
        ours = metadata.get(SWEEP_OF) == self.thread_id and unpacked(metadata.get(SWEEP)).get("sweep") == self.id
        return thread_id != self.thread_id and ours and metadata.get(SWEEP_AT) == thread_id

    def _marks(self, row: Row) -> dict[str, str]:
        """The metadata that the checkpoints of a row's runs carry."""
        header = {"sweep": self.id, "checkpoint": self.checkpoint_id, "started": self.started, "rows": self._planned}
        return {SWEEP: packed(header | {"repeat": row.repeat} | row.variant.record()), SWEEP_OF: self.thread_id}

    def _journal(self) -> str:
        """What the thread's metadata keep of it: everything but the scores."""
        kept = ("repeat", "thread_id", "outcome", "start_id", "error", "deviation", "seconds")
        rows = [row.variant.record() | {name: getattr(row, name) for name in kept} for row in self.rows]
        return packed({"of": self.thread_id, "checkpoint": self.checkpoint_id, "started": self.started, "rows": rows})

    def _warn_if_cut(self) -> None:
        """Warn where it ended early."""
        left = sum(row.outcome in ("cancelled", "not run") for row in self.rows)
        stopped = any(row.outcome == "cancelled" for row in self.rows)
        if left:
            why = "was stopped" if stopped else "has spent its tokens"
            note = (
                f"the sweep {why}: {left} of {len(self.rows)} branches did not run to their end; the others are whole"
            )
            if not stopped and self.runner is not None:
                note += f"; {self.runner.budgeted()}"
            self._notes = (*self._notes, note)
            warnings.warn(visible_lines(note), stacklevel=4)

    @shown
    def summary(self) -> str:
        """One line: variants, branches, and how they ended."""
        counts: dict[str, int] = {}
        for row in self.rows:
            counts[row.outcome] = counts.get(row.outcome, 0) + 1
        words = {"ended": "done", "error": "failed"}
        ends = [f"{number} {words.get(outcome, outcome)}" for outcome, number in counts.items()]
        n_variants = len({row.variant.number for row in self.rows})
        times = f" × {len(self.rows) // n_variants}" if len(self.rows) > n_variants else ""
        place = f"from checkpoint {self.checkpoint_id[-6:]}"
        if len(self.rows) < self._planned:
            ends.append(f"{len(self.rows)} of {self._planned} branches found")
        ends += [note.partition(": ")[0] for note in failed(self.rows)]
        return f"sweep {self.id} · {n_variants} variants{times} {place} · {', '.join(ends)}"

    @shown
    def __repr__(self) -> str:
        return f"<{self.summary()}>"

    @shown
    def __str__(self) -> str:
        lines = [self.summary()]
        if not self.done:
            return lines[0]
        try:
            lines += listed(self.rows, self._places())
        except ForkbookError as error:
            lines.append(f"  its branches cannot be read: {error}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        plain = str(self)
        result = {"text/html": "<pre>" + "\n".join(map(escape, plain.splitlines())) + "</pre>", "text/plain": plain}
        if self.done:
            from ..plot.bundle import bundle

            result |= bundle(self.figure())
        return result


def moved(facts: Facts, thread_id: str) -> Facts:
    """The facts of a thread as a fresh copy of it has them: the same checkpoints under another thread's id.

    Reading the copy gives just this; so what a copy shares with its thread need not be fetched again.
    """

    def there(address: Any) -> Any:
        return address | {"thread_id": thread_id} if address and "thread_id" in address else address

    states = {
        id_: state
        | {key: there(state[key]) for key in ("checkpoint", "parent_checkpoint", "metadata")}
        | {
            "tasks": state["tasks"]
            and [task | {"checkpoint": there(task.get("checkpoint"))} for task in state["tasks"]]
        }
        for id_, state in facts.by_id.items()
    }
    return Facts.of(thread_id, states, facts.counter, complete=facts.complete, subgraphs=facts.subgraphs)
