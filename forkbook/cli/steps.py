"""The steps of a migration: back up, migrate, compare."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from .reports import export_document, say_export, say_migration
from .screen import DIFFERENT, INTERRUPTED, OK, UNREACHABLE, Screen

if TYPE_CHECKING:
    from ..book import Book

STOPPING = b"\nStopping: what is under way is brought to its end ...\n"
STOPPED = {
    "back up": "Nothing was migrated.",
    "migrate": "The same command goes on, and nothing is there twice.",
    "compare": "Only the comparison was stopped, which writes nothing: --validate compares both places again.",
}
CONFLICTING = {
    "skip": "another thread has the id: --on-conflict compare compares the two, new_id writes this one under a new id",
    "compare": "another thread has the id, and differs: --on-conflict new_id writes this one under a new id",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be moved, and how; see `forkbook.migrate`."""

    threads: list[str] | None
    limit: int | None
    dry_run: bool
    on_conflict: str
    concurrency: int
    graph: str | None


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

    def told(self, steps: Mapping[str, Callable[[], int]]) -> int:
        """Take the steps, until one is stopped, and say their document; the exit code."""
        codes = [OK]
        for number, (name, step) in enumerate(steps.items(), 1):
            if codes[-1] in (INTERRUPTED, UNREACHABLE):
                break
            if len(steps) > 1:
                self._screen.note(f"step {number} of {len(steps)}: {name}", "bold")
            try:
                codes.append(step())
            except KeyboardInterrupt as interrupt:
                interrupt.add_note(STOPPED[name])
                raise
        self._screen.document(self._document | {"ok": not any(codes)})
        return max(codes)

    def backup(self, path: Path) -> int:
        """Export the threads to a file."""
        from ..transfer.writing import writer_for

        writer_for(self._target.backend)  # refuses what nothing can be written to
        with stopping_is_told():
            report = self._source.export(path, self._ids)
        self._document["backup"] = export_document(self._source, report)
        say_export(self._screen, report)
        return OK if report else DIFFERENT

    def move(self) -> int:
        """Migrate the threads."""
        from ..sources import migrate

        plan = self._plan
        with stopping_is_told():
            report = migrate(
                self._source,
                self._target,
                self._ids,
                dry_run=plan.dry_run,
                on_conflict=plan.on_conflict,
                concurrency=plan.concurrency,
                graph_id=plan.graph,
            )
        self._document["migration"] = report.json()
        return say_migration(self._screen, report, hint=CONFLICTING.get(plan.on_conflict, ""))

    def compare(self) -> int:
        """Compare both places."""
        from ..transfer.verifying import verify_places

        report = verify_places(self._source.backend, self._target.backend, self._ids)
        told = self._document["migration"] is not None
        self._document["validation"] = report.json()
        return say_migration(self._screen, report, compared=True, not_kept=not told)

    def _chosen(self) -> list[str] | None:
        """The same threads for every step; None: all."""
        plan = self._plan
        if plan.threads is not None:
            return plan.threads[: plan.limit]
        if plan.limit is None:
            return None
        return [str(record["thread_id"]) for record in self._source.backend.threads(limit=plan.limit)]


@contextmanager
def stopping_is_told() -> Iterator[None]:
    """Answer Ctrl-C at once, where what is under way has to be ended first."""
    in_charge = threading.current_thread() is threading.main_thread()
    if not in_charge or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def told(number: int, frame: FrameType | None) -> None:
        os.write(2, STOPPING)  # a stream may be in the middle of a write
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def limit_of(limit: int | None, single: bool) -> int | None:
    """The most threads to move; None: all.

    Raises:
        InvalidInput: One thread and another number were asked for.
    """
    if single and limit not in (None, 1):
        raise InvalidInput(f"--test-single is one thread, --limit {limit} is not: give one of the two")
    return 1 if single else limit
