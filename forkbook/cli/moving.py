"""Commands that write threads: migrate, import, copy."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InvalidInput
from .options import (
    PLACE,
    ApiKey,
    Concurrency,
    DryRun,
    EnvFile,
    Graph,
    Insecure,
    Json,
    Limit,
    OnConflict,
    SameKey,
    Source,
    SourceKey,
    TargetKey,
    TestSingle,
    ThreadId,
    Threads,
    ids,
)
from .places import Keys, opened, opened_both
from .screen import DIFFERENT, INTERRUPTED, OK, UNREACHABLE, Screen

if TYPE_CHECKING:
    from ..book import Book
    from ..transfer import MigrateReport

BACKUP = Path("threads_backup.forkbook")
ALWAYS = ("created", "already there", "error", "total")
NAMES = {"error": "errors", "conflict": "conflicts"}
COPY_STOPPED = "Stopped. A copy that was made meanwhile may be left: `forkbook threads` lists the newest first."


def migrate(
    ctx: typer.Context,
    source: Source,
    target: Annotated[str, typer.Argument(metavar="DST", help="The server to write to: its address.")],
    full: Annotated[
        bool, typer.Option("--full", help="Three steps: a backup file, the migration, a comparison of both places.")
    ] = False,
    validate: Annotated[
        bool, typer.Option("--validate", help="Only compare both places, checkpoint by checkpoint; write nothing.")
    ] = False,
    dry_run: DryRun = False,
    test_single: TestSingle = False,
    threads: Threads = None,
    limit: Limit = None,
    backup_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"Export the threads to this file first (.forkbook, .json, .parquet). With --full: {BACKUP}.",
        ),
    ] = None,
    on_conflict: OnConflict = "skip",
    concurrency: Concurrency = 4,
    graph: Graph = None,
    source_api_key: SourceKey = None,
    target_api_key: TargetKey = None,
    api_key: ApiKey = None,
    same_key: SameKey = False,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> int:
    """Write the threads of one place to another.

    The whole tree goes, with ids and metadata, the owner, too; each thread is read back and compared checkpoint by
    checkpoint. Nothing is there twice: stopped or broken off, the same command goes on.

    \b
    Examples:
      forkbook migrate http://localhost:2024 http://localhost:2025 --dry-run
      forkbook migrate https://a.langgraph.app https://b.langgraph.app --full \\
        --env-file .env --source-api-key env:PROD --target-api-key env:DEV
      forkbook migrate https://a.langgraph.app https://b.langgraph.app \\
        --full --test-single --env-file .env --same-key
      forkbook migrate study.forkbook http://localhost:2024 --validate
    """
    from ..transfer.exporting import format_of

    screen: Screen = ctx.obj
    screen.json = as_json
    plan = Plan(ids(threads), _limit(limit, test_single), dry_run, on_conflict, concurrency, graph)
    if validate and not full and backup_file is not None:
        raise InvalidInput("--validate alone writes nothing: leave out --backup-file, or say --full")
    if backup_file is not None:
        format_of(backup_file, None)
    keys = Keys(api_key, source_api_key, target_api_key, env_file, same_key, insecure)
    only_compare = validate and not full
    first, second = opened_both(screen, source, target, keys, writes=not (dry_run or only_compare))
    with first, second:
        run = Run(screen, first, second, plan)
        if only_compare:
            return run.told({"compare": run.compare})
        steps = {"migrate": run.move}
        if (backup_file or full) and not dry_run:
            steps = {"back up": lambda: run.backup(backup_file or BACKUP), **steps}
        if full and not dry_run:
            steps["compare"] = run.compare
        return run.told(steps)


def import_(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="An archive, a JSON file of ours or of a migration script, a store.")
    ],
    to: Annotated[str, typer.Option("--to", metavar="DST", help="The server to write to: its address.")],
    dry_run: DryRun = False,
    test_single: TestSingle = False,
    threads: Threads = None,
    limit: Limit = None,
    on_conflict: OnConflict = "skip",
    concurrency: Concurrency = 4,
    graph: Graph = None,
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> int:
    """Write the threads of a file to a server.

    As `forkbook migrate FILE DST`: the whole tree goes, with ids and metadata, and each thread is compared. Nothing is
    there twice: stopped or broken off, the same command goes on.

    \b
    Examples:
      forkbook import study.forkbook --to http://localhost:2024
      forkbook import threads_backup.json --to http://localhost:2024 --graph agent
      forkbook import threads_backup.json --to http://localhost:2024 --dry-run --json
    """
    screen: Screen = ctx.obj
    screen.json = as_json
    if "://" in file:
        raise InvalidInput(f"import is for files; `forkbook migrate SRC DST` moves between servers ({PLACE})")
    plan = Plan(ids(threads), _limit(limit, test_single), dry_run, on_conflict, concurrency, graph)
    keys = Keys(api_key, env_file=env_file, insecure=insecure)
    first, second = opened_both(screen, file, to, keys, writes=not dry_run)
    with first, second:
        run = Run(screen, first, second, plan)
        return run.told({"migrate": run.move})


def copy(
    ctx: typer.Context,
    source: Source,
    thread_id: ThreadId,
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> int:
    """Copy a thread and prove the copy.

    Every branch goes to a new thread at the same place; then each checkpoint of both is compared.

    \b
    Examples:
      forkbook copy http://localhost:2024 5868deb3-45e8-5a33-8463-371a0092cf84
    """
    screen: Screen = ctx.obj
    screen.json, screen.stopped = as_json, COPY_STOPPED
    with opened(screen, source, Keys(api_key, env_file=env_file, insecure=insecure), writes=True) as book:
        report = book.copy(thread_id)
    screen.document({"ok": bool(report), **dataclasses.asdict(report)})
    screen.words(repr(report))
    return OK if report else DIFFERENT


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
            codes.append(step())
        self._screen.document(self._document | {"ok": not any(codes)})
        return max(codes)

    def backup(self, path: Path) -> int:
        """Export the threads to a file."""
        from .files import export_document, say_export

        report = self._source.export(path, self._ids)
        self._document["backup"] = export_document(self._source, report)
        say_export(self._screen, report)
        return OK if report else DIFFERENT

    def move(self) -> int:
        """Migrate the threads."""
        from ..sources import migrate

        plan = self._plan
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
        return say_report(self._screen, report)

    def compare(self) -> int:
        """Compare both places."""
        from ..transfer.verifying import verify_places

        report = verify_places(self._source.backend, self._target.backend, self._ids)
        told = self._document["migration"] is not None
        self._document["validation"] = report.json()
        return say_report(self._screen, report, compared=True, not_kept=not told)

    def _chosen(self) -> list[str] | None:
        """The same threads for every step; None: all."""
        plan = self._plan
        if plan.threads is not None:
            return plan.threads[: plan.limit]
        if plan.limit is None:
            return None
        return [str(record["thread_id"]) for record in self._source.backend.threads(limit=plan.limit)]


def say_report(screen: Screen, report: MigrateReport, *, compared: bool = False, not_kept: bool = True) -> int:
    """Say what a migration or a comparison did; the exit code.

    Args:
        screen: Where.
        report: What it did.
        compared: Whether it only compared.
        not_kept: Whether to say what the target cannot keep.
    """
    arrow = "↔" if compared else "→"
    screen.words(f"{'dry run: ' if report.dry_run else ''}{report.source} {arrow} {report.target}", "bold")
    counts = report.counts
    if compared:
        verdicts = Counter(move.verdict for move in report.moves if move.verdict)
        counted = [*verdicts.items()] + [(name, counts[name]) for name in ("missing", "error") if counts[name]]
        screen.counts([*((NAMES.get(name, name), number) for name, number in counted), ("total", counts["total"])])
    else:
        screen.counts((NAMES.get(name, name), number) for name, number in counts.items() if number or name in ALWAYS)
    said = []
    for move in report.moves:
        if not move and move.outcome != "not reached":
            said += [str(move), *(f"  {difference}" for difference in move.differences[:3])]
    screen.some(said, "red")
    lost = Counter[str]()
    for move in report.moves if not_kept else ():
        lost.update(move.not_kept)
    screen.some([f"not kept ({count:,}): {words}" for words, count in lost.items()], "dim")
    if report.stopped:
        screen.note(f"Stopped: {report.stopped}", "yellow")
        return INTERRUPTED if report.stopped.startswith("interrupted") else UNREACHABLE
    return OK if report else DIFFERENT


def _limit(limit: int | None, single: bool) -> int | None:
    if single and limit not in (None, 1):
        raise InvalidInput(f"--test-single is one thread, --limit {limit} is not: give one of the two")
    return 1 if single else limit
