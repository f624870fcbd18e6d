"""`forkbook export`: write threads to an archive, JSON or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...transfer.formats import FORMATS, SUFFIXES
from ..arguments import ApiKey, Bounds, EnvFile, Insecure, Json, Secrets, Source, Threads, budget_of, check_name, ids
from ..exporting import exported
from ..places import Keys, opened
from ..screen import DIFFERENT, OK, Screen

FILES = "; ".join(f"x{row.suffix}, {row.about}" for row in FORMATS.values())


def export(
    ctx: typer.Context,
    source: Source,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help=f"What to write: {FILES}.")],
    threads: Threads = None,
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    bounds: Bounds = None,
    secrets: Secrets = False,
    as_json: Json = False,
) -> int:
    """Write threads to an archive, JSON or Parquet.

    A .forkbook archive holds every byte of every branch, each value once; stopped and run again, it goes on where it
    was. A .json file is the plain list of threads that migration scripts know, .parquet a folder of tables, which needs
    `pip install 'forkbook[parquet]'`; these appear when they are whole, and begin anew.

    \b
    Examples:
      forkbook export http://localhost:2024 -o study.forkbook
      forkbook export https://my.langgraph.app --env-file .env -o backup.json
      forkbook export study.forkbook -o study.parquet --threads thread-1,thread-2
    """
    screen: Screen = ctx.obj
    screen.json = as_json
    check_name("--output", output, SUFFIXES)
    with opened(screen, source, Keys(api_key, env_file=env_file, insecure=insecure), budget_of(bounds)) as book:
        document = exported(screen, book, output, ids(threads), secrets)
    screen.document(document)
    return OK if document["ok"] else DIFFERENT
