"""What is done in one sitting at an explorer: its acts, one job at a time, and what each of them led to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ..acts.act import Act
from ..checkpoint import Checkpoint
from ..history import History
from ..model.text import cut, visible
from ..snippets.steps import Write
from ..tokens import amount
from ..transfer import CopyReport
from .answers import Shows
from .codes_of_acts import Kept, kept, line_of
from .jobs import Jobs, Result, failure
from .labelling import Labelled, Labelling

Done = Act[History, Checkpoint]
COUNTED = 10_000  # checkpoints of a thread whose tokens are counted unasked: it takes seconds beyond
TITLES = {
    "edit": "wrote an edit",
    "fork": "wrote an edit and ran on",
    "resume": "ran again",
    "answer": "answered",
}


class Stage(Shows, Labelled, Protocol):
    """An explorer, as far as a sitting changes what it shows."""

    selected: Any

    def undraft(self, id_: str, edits: Sequence[Any]) -> None:
        """Take away drafts of a checkpoint that were written."""

    def show(self, history: History, position: int | None) -> None:
        """Show a history, with a position picked; None: what is picked stays, or else the newest."""


class Sitting:
    """The acts of a sitting.

    Args:
        shows: The explorer.
        jobs: Runs them.
        say: Tells a result that is no job's.

    Attributes:
        acts: What was done, oldest first.
        copy_report: The last copy's report.
    """

    def __init__(self, shows: Stage, jobs: Jobs, say: Callable[[Result], object]) -> None:
        self.shows, self.jobs = shows, jobs
        self.labelling = Labelling(shows, lambda error: say(failure(error)))
        self.acts: list[Done | CopyReport] = []
        self.copy_report: CopyReport | None = None
        self._led_to: str | None = None

    @property
    def last(self) -> Done | None:
        """The last edit, fork, resume or answer."""
        return next((done for done in reversed(self.acts) if isinstance(done, Act)), None)

    def act(
        self,
        doing: str,
        checkpoint: Checkpoint,
        act: Callable[[], Done],
        options: Mapping[str, Any],
        answer: Mapping[str, Any] | None = None,
        edits: tuple[str, Sequence[Any]] = ("", ()),
    ) -> None:
        """Begin an act.

        Args:
            doing: What it does, in a few words.
            checkpoint: Where.
            act: Does it.
            options: The keywords that it is given, for its code.
            answer: The answer, if it is one: `value` or `by_id`.
            edits: The id of a checkpoint, and its edits that the act writes: they are no drafts then.
        """
        picked = self.shows.selected
        self._led_to = picked.id if picked is not None else None

        def job() -> Result:
            done = act()
            self.shows.undraft(*edits)
            line = _line(done, checkpoint, options, answer)
            self._keep(done, kept(f"{TITLES.get(done.kind, done.kind)} at {checkpoint.short_id}", line, done))
            self.follow(done.history, done.checkpoint.position)
            return self._result(done)

        self.jobs.start(doing, job, after_failure=self.reload)

    def copied(self, report: CopyReport, line: str) -> int:
        """Keep a copy's report; its number among what was done."""
        self.copy_report = report
        return self._keep(report, kept("copied the thread", line, report))

    def _keep(self, done: Done | CopyReport, code: Kept) -> int:
        self.acts.append(done)
        self.shows.kept.append(code)
        self.shows.coming = None
        return len(self.acts) - 1

    def follow(self, history: History, position: int) -> None:
        """Show a history and pick a position, unless the user picked another checkpoint since the last time."""
        picked = self.shows.selected
        stays = picked is not None and picked.id != self._led_to and picked.id in history
        self.shows.show(history, None if stays else position)
        if not stays:
            self._led_to = history[position].id

    def reload(self) -> int:
        """Show the thread as it is now; how many checkpoints are new."""
        before = len(self.shows.history)
        fresh = self.shows.history.refreshed()
        self.shows.show(fresh, None)
        return len(fresh) - before

    def _result(self, done: Done) -> Result:
        """What an act did, coloured by how its run ended."""
        stopped = self.jobs.stopping and done.status in ("pending", "unknown")
        kinds = {"error": "failed", "waiting": "waiting"}
        kind = "stopped" if stopped else "ok" if done.kind == "edit" else kinds.get(done.status, "ok")
        said = [f"Branch {done.spot.branch}", "stopped" if stopped else _ended(done)]
        details = repr(done).splitlines()
        return Result(
            kind, " · ".join(said), tuple(line.strip() for line in details), len(self.acts) - 1, done.spot.position
        )


def _ended(done: Done) -> str:
    """How an act ended, in a few words."""
    following = ", ".join(done.spot.next or ())
    if done.kind == "edit":
        return f"written, nothing ran yet; next: {following}" if following else "written, nothing ran"
    if done.status == "error":
        return f"failed: {cut(visible(done.error), 200)}" if done.error else "failed"
    if done.status == "pending":
        return f"stopped before {following}"
    if done.status == "waiting":
        return "waits for an answer"
    spent = _spent(done)
    return f"{done.status}, {spent}" if spent else done.status


def _spent(done: Done) -> str:
    """Tokens that the act's run spent, and how they are known, if not by the models' reports."""
    facts = done.spot.facts
    if len(facts.tree) > COUNTED and "ledger" not in vars(facts):
        return ""
    mine = [at for at in range(len(facts.tree)) if done.run_id is not None and facts.run_id(at) == done.run_id]
    sums = facts.ledger.totals(mine)
    method = facts.ledger.method(sums)
    how = "" if method == "reported" else f" ({method})"
    return "" if sums.is_nothing else f"{amount(sums.total, sums.known.total)} tokens{how}"


def _line(done: Done, checkpoint: Checkpoint, options: Mapping[str, Any], answer: Mapping[str, Any] | None) -> str:
    """forkbook's own line for an act."""
    given: Any = ...
    named = dict(options)
    steps = done.gesture.steps if done.gesture else ()
    if answer is not None:
        given = answer.get("value", ...)
        named = {"by_id": answer.get("by_id"), **named}
    elif steps and isinstance(written := steps[0], Write):
        given = written.values if isinstance(written.values, Mapping) else {"__root__": written.values}
        named = {"as_node": written.as_node, **named}
    return line_of(checkpoint.thread_id, checkpoint.id, done.kind, given, named)
