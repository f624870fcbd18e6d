"""`forkbook verify`: prove an archive, or compare two places."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import InvalidInput
from ...model.held import Secret, masked_address
from ..arguments import (
    PLACE,
    ApiKey,
    Bounds,
    EnvFile,
    Insecure,
    Json,
    SameKey,
    SourceKey,
    TargetKey,
    Threads,
    budget_of,
    ids,
)
from ..places import Keys, is_address, none_found, opened_both
from ..say_migration import BEGINS_ANEW, say_migration
from ..screen import DIFFERENT, OK, Screen, here

if TYPE_CHECKING:
    from ...backends.archive import VerifyReport

MOST_SAVED = 20  # ids in a command


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
    bounds: Bounds = None,
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
        from ...connect import verify as verify_archive

        report = verify_archive(source, budget=budget_of(bounds))
        screen.document(verify_document(report))
        say_verdicts(screen, report)
        return OK if report else DIFFERENT
    keys = Keys(api_key, source_api_key, target_api_key, env_file, same_key, insecure)
    first, second = opened_both(screen, source, target, keys, budget_of(bounds))
    with first, second:
        from ...transfer.verify import verify_places

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


def verify_document(report: VerifyReport) -> dict[str, Any]:
    """The verdicts on an archive as plain data."""
    return {"ok": bool(report), **dataclasses.asdict(report), "path": str(report.path)}


def say_verdicts(screen: Screen, report: VerifyReport) -> None:
    """Say whether an archive is whole; if not, what is damaged, what can still be read, and what to do next."""
    from ...backends.archive.verification import ADVICE

    whole, found = len(report.whole), len(report.threads)
    screen.words(str(report.path), "bold")
    screen.counts([("whole", whole), ("damaged", found - whole), ("found" if report.faults else "total", found)])
    screen.some([here(damage) for damage in report.damage], "red")
    if report:
        return
    screen.words(ADVICE, indent=2)
    if not whole:
        screen.words("No thread of it can be read.", indent=2)
    else:
        screen.words("The whole threads can still be read; this saves them:", indent=2)
        ids = ",".join(report.whole) if whole <= MOST_SAVED else f"ID,…  ({whole:,} ids: --json has them)"
        screen.command(f"forkbook export {shlex.quote(str(report.path))} -o saved.forkbook --threads {ids}")
