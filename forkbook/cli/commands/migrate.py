"""`forkbook migrate`: write the threads of one place to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...errors import InvalidInput
from ...model.held import Secret
from ...transfer.formats import BACKUPS
from ..arguments import (
    ApiKey,
    Assistant,
    Bounds,
    Concurrency,
    DryRun,
    EnvFile,
    Insecure,
    Json,
    Limit,
    OnConflict,
    SameKey,
    Secrets,
    Source,
    SourceKey,
    TargetKey,
    TestSingle,
    Threads,
    budget_of,
    check_name,
    ids,
)
from ..places import Keys, backup_of, opened_both
from ..screen import Screen
from ..steps import Plan, Run, limit_of


def migrate(
    ctx: typer.Context,
    source: Source,
    target: Annotated[
        Secret, typer.Argument(metavar="DST", parser=Secret, help="The server to write to: its address.")
    ],
    full: Annotated[
        bool, typer.Option("--full", help="Three steps: a backup file, the migration, a comparison of both places.")
    ] = False,
    validate: Annotated[
        bool, typer.Option("--validate", help="Only compare both places, checkpoint by checkpoint; write nothing.")
    ] = False,
    dry_run: DryRun = False,
    secrets: Secrets = False,
    test_single: TestSingle = False,
    threads: Threads = None,
    limit: Limit = None,
    backup_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Export the threads to this file first, .forkbook or .json; not .parquet, which cannot be read back. "
            "With --full always; by default to one named after SRC, as in threads_backup-localhost-2024.forkbook, with "
            "which the same command goes on.",
        ),
    ] = None,
    on_conflict: OnConflict = "skip",
    concurrency: Concurrency = 4,
    assistant: Assistant = None,
    source_api_key: SourceKey = None,
    target_api_key: TargetKey = None,
    api_key: ApiKey = None,
    same_key: SameKey = False,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    bounds: Bounds = None,
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
    screen: Screen = ctx.obj
    screen.json = as_json
    plan = Plan(ids(threads), limit_of(limit, test_single), dry_run, on_conflict, concurrency, assistant, secrets)
    if validate and full:
        raise InvalidInput("--full compares both places at its end, --validate only compares them: give one of the two")
    if validate and backup_file is not None:
        raise InvalidInput("--validate writes nothing: leave out --backup-file")
    if backup_file is not None:
        check_name("--backup-file", backup_file, BACKUPS)
    keys = Keys(api_key, source_api_key, target_api_key, env_file, same_key, insecure)
    first, second = opened_both(screen, source, target, keys, budget_of(bounds), writes=not (dry_run or validate))
    with first, second:
        run = Run(screen, first, second, plan)
        if validate:
            return run.take({"compare": run.compare})
        steps = {"migrate": run.move}
        if (backup_file or full) and not dry_run:
            steps = {"back up": lambda: run.backup(backup_file or backup_of(source)), **steps}
        if full and not dry_run:
            steps["compare"] = run.compare
        return run.take(steps)
