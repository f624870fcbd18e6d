"""The steps of a migration: back up, migrate, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from ..model.text import visible_lines
from .exporting import exported
from .places import none_found
from .say_migration import BEGINS_ANEW, conflict_hints, say_migration
from .screen import DIFFERENT, INTERRUPTED, OK, STOPPING, UNREACHABLE, Screen, say_when_stopping

if TYPE_CHECKING:
    from ..book import Book
    from ..transfer import MigrateReport

ENDING = "Stopping: the threads under way are brought to their end ..."
CUTTING = "Stopping: the thread under way is left half-made, and the same command goes on with it ..."
STOPPED = {
    "back up": "Nothing was migrated.",
    "migrate": "It was before the first thread or after the last one. The same command goes on, and nothing is there "
    "twice.",
    "compare": "Only the comparison was stopped, which writes nothing: --validate compares both places again.",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be moved, and how; see `forkbook.migrate`."""

    threads: list[str] | None
    limit: int | None
    dry_run: bool
    on_conflict: str
    concurrency: int
    assistant: str | None
    secrets: bool = False


class Run:
    """The steps of a migration; each gives its exit code.

    Args:
        screen: Where they say what they did.
        source: Is read.
        target: Is written to.
        plan: What is to be moved.
    """

    def __init__(self, screen: Screen, source: Book, target: Book, plan: Plan) -> None:
        self._screen, self._source, self._target, self._plan = screen, source, target, plan
        self._document: dict[str, Any] = {"ok": False, "backup": None, "migration": None, "validation": None}
        self._ids = self._chosen()

    def take(self, steps: Mapping[str, Callable[[], int]]) -> int:
        """Take the steps, until one is stopped, and say their document; the exit code."""
        codes = [OK]
        for number, (name, step) in enumerate(steps.items(), 1):
            if codes[-1] in (INTERRUPTED, UNREACHABLE):
                break
            if len(steps) > 1:
                self._screen.note(f"step {number} of {len(steps)}: {name}", "bold")
            self._screen.known = self._document if len(steps) > 1 else {}
            try:
                codes.append(step())
            except KeyboardInterrupt as interrupt:
                where = f"Step {number} of {len(steps)}, {name}, was not done. " if len(steps) > 1 else ""
                interrupt.add_note(visible_lines(where + STOPPED[name]))
                raise
        self._screen.document(self._document | {"ok": not any(codes)})
        return max(codes)

    def backup(self, path: Path) -> int:
        """Export the threads to a file."""
        from ..transfer.migrate import writer_for

        writer_for(self._target.backend)  # refuses what nothing can be written to
        self._document["backup"] = exported(self._screen, self._source, path, self._ids, self._plan.secrets)
        return OK if self._document["backup"]["ok"] else DIFFERENT

    def move(self) -> int:
        """Migrate the threads."""
        from ..connect import migrate

        plan = self._plan
        side_by_side = plan.concurrency > 1 and self._source.backend.parallel and self._target.backend.parallel
        with say_when_stopping(STOPPING if plan.dry_run else ENDING if side_by_side else CUTTING):
            report = migrate(
                self._source,
                self._target,
                self._ids,
                dry_run=plan.dry_run,
                on_conflict=plan.on_conflict,
                concurrency=plan.concurrency,
                assistant=plan.assistant,
                secrets=plan.secrets,
            )
        self._document["migration"] = report.json()
        return say_migration(
            self._screen,
            report,
            hints=[*self._none_found(report), *conflict_hints(report, plan.on_conflict)],
            stopped=BEGINS_ANEW if plan.dry_run else "",
        )

    def compare(self) -> int:
        """Compare both places."""
        from ..transfer.verify import verify_places

        report = verify_places(self._source.backend, self._target.backend, self._ids)
        is_after_migration = self._document["migration"] is not None
        self._document["validation"] = report.json()
        return say_migration(
            self._screen,
            report,
            compared=True,
            not_kept=not is_after_migration,
            hints=() if is_after_migration else self._none_found(report),
            stopped=STOPPED["compare"] if is_after_migration else BEGINS_ANEW,
        )

    def _none_found(self, report: MigrateReport) -> list[str]:
        """A hint where all threads were wanted, and there are none."""
        looked = self._plan.threads is None and self._plan.limit != 0 and report.stopped is None
        return [none_found(self._source.backend.address)] if looked and not report.moves else []

    def _chosen(self) -> list[str] | None:
        """The same threads for every step; None: all."""
        plan = self._plan
        if plan.threads is not None:
            return plan.threads[: plan.limit]
        if plan.limit is None:
            return None
        return [str(record["thread_id"]) for record in self._source.backend.threads(limit=plan.limit)]


def limit_of(limit: int | None, single: bool) -> int | None:
    """The most threads to move; None: all.

    Raises:
        InvalidInput: One thread and another number were asked for.
    """
    if single and limit not in (None, 1):
        raise InvalidInput(f"--test-single is one thread, --limit {limit} is not: give one of the two")
    return 1 if single else limit
