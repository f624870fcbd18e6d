"""Commands on files: export, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InvalidInput
from ..model.held import Secret, masked_address
from .options import (
    FORMATS,
    PLACE,
    ApiKey,
    EnvFile,
    Insecure,
    Json,
    SameKey,
    Secrets,
    Source,
    SourceKey,
    TargetKey,
    Threads,
    check_name,
    ids,
)
from .places import Keys, is_address, opened, opened_both
from .reports import BEGINS_ANEW, none_found, say_migration, say_verdicts, verify_document
from .screen import DIFFERENT, OK, Screen
from .steps import exported


def export(
    ctx: typer.Context,
    source: Source,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="What to write: x.forkbook, x.json or x.parquet.")
    ],
    threads: Threads = None,
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
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
    check_name("--output", output, FORMATS)
    with opened(screen, source, Keys(api_key, env_file=env_file, insecure=insecure)) as book:
        document = exported(screen, book, output, ids(threads), secrets)
    screen.document(document)
    return OK if document["ok"] else DIFFERENT


def verify(
    ctx: typer.Context,
    source: Annotated[
        Secret,
        typer.Argument(metavar="SRC", parser=Secret, help=f"An archive, x.forkbook; with DST any place: {PLACE}."),
    ],
    target: Annotated[
        Secret | None,
        typer.Argument(metavar="DST", parser=Secret, help="Where the same threads should be: any place, too."),
    ] = None,
    threads: Threads = None,
    source_api_key: SourceKey = None,
    target_api_key: TargetKey = None,
    api_key: ApiKey = None,
    same_key: SameKey = False,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> int:
    """Prove an archive, or compare two places.

    An archive is read back thread by thread and compared with its digests. With DST every checkpoint is compared with
    the one that stands for it there. Nothing is written; exit code 1: something is damaged or differs.

    \b
    Examples:
      forkbook verify study.forkbook
      forkbook verify study.forkbook http://localhost:2024
      forkbook verify backup.json https://my.langgraph.app --env-file .env
    """
    screen: Screen = ctx.obj
    screen.json = as_json
    if target is None:
        if threads is not None:
            raise InvalidInput("--threads is for comparing with another place: an archive alone is verified whole")
        if (wrong := _no_archive(source)) is not None:
            raise InvalidInput(wrong)
        from ..connect import verify as verify_archive

        report = verify_archive(source)
        screen.document(verify_document(report))
        say_verdicts(screen, report)
        return OK if report else DIFFERENT
    keys = Keys(api_key, source_api_key, target_api_key, env_file, same_key, insecure)
    first, second = opened_both(screen, source, target, keys)
    with first, second:
        from ..transfer.verify import verify_places

        compared = verify_places(first.backend, second.backend, ids(threads))
    screen.document(compared.json())
    empty = threads is None and not compared.moves and compared.stopped is None
    hints = [none_found(first.backend.address)] if empty else []
    return say_migration(screen, compared, compared=True, hints=hints, stopped=BEGINS_ANEW)


def _no_archive(source: Secret) -> str | None:
    """What to say where a place alone is no archive, without any password in its address; None: it is named as one."""
    text = str(source.reveal())
    if Path(text).suffix == ".forkbook":
        return None
    shown = masked_address(text)
    if not (is_address(source) or text == "demo" or _exists(text)):
        return f"there is no file {shown}"
    return f"{shown} is no archive, so it has no digests: compare it with a place, `forkbook verify SRC DST`"


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
