"""`forkbook import`: write the threads of a file to a server."""

from __future__ import annotations

from typing import Annotated

import typer

from ...errors import InvalidInput
from ...model.held import Secret
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
    Secrets,
    TestSingle,
    Threads,
    budget_of,
    ids,
)
from ..places import Keys, is_address, opened_both
from ..screen import Screen
from ..steps import Plan, Run, limit_of


def import_(
    ctx: typer.Context,
    file: Annotated[
        Secret,
        typer.Argument(
            metavar="FILE", parser=Secret, help="An archive, a JSON file of ours or of a migration script, a store."
        ),
    ],
    to: Annotated[
        Secret, typer.Option("--to", metavar="DST", parser=Secret, help="The server to write to: its address.")
    ],
    dry_run: DryRun = False,
    secrets: Secrets = False,
    test_single: TestSingle = False,
    threads: Threads = None,
    limit: Limit = None,
    on_conflict: OnConflict = "skip",
    concurrency: Concurrency = 4,
    assistant: Assistant = None,
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    bounds: Bounds = None,
    as_json: Json = False,
) -> int:
    """Write the threads of a file to a server.

    As `forkbook migrate FILE DST`: the whole tree goes, with ids and metadata, and each thread is compared. Nothing is
    there twice: stopped or broken off, the same command goes on.

    \b
    Examples:
      forkbook import study.forkbook --to http://localhost:2024
      forkbook import backup.json --to http://localhost:2024 --assistant agent
      forkbook import backup.json --to http://localhost:2024 --dry-run --json
    """
    screen: Screen = ctx.obj
    screen.json = as_json
    if is_address(file):
        raise InvalidInput("import is for files: `forkbook migrate SRC DST` takes threads from any place")
    plan = Plan(ids(threads), limit_of(limit, test_single), dry_run, on_conflict, concurrency, assistant, secrets)
    keys = Keys(api_key, env_file=env_file, insecure=insecure)
    first, second = opened_both(screen, file, to, keys, budget_of(bounds), writes=not dry_run)
    with first, second:
        run = Run(screen, first, second, plan)
        return run.take({"migrate": run.move})
