"""`forkbook copy`: copy a thread and prove the copy."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from ..arguments import (
    ApiKey,
    Bounds,
    EnvFile,
    Insecure,
    Json,
    Source,
    ThreadId,
    budget_of,
    metadata_of,
)
from ..places import Keys, opened
from ..screen import DIFFERENT, OK, Screen


def copy(
    ctx: typer.Context,
    source: Source,
    thread_id: ThreadId,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Copy only the conversation up to this checkpoint: its id, its beginning or end; or a branch, as in "
            "A, which means its tip. Default: the whole thread.",
        ),
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Give the copy this in its metadata, too; may be given again."),
    ] = None,
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    bounds: Bounds = None,
    as_json: Json = False,
) -> int:
    """Copy a thread and prove the copy.

    Every branch, or what led to one checkpoint, goes to a new thread at the same place; then each checkpoint of both
    is compared. If anything fails, or is stopped by Ctrl-C, the copy is deleted.

    \b
    Examples:
      forkbook copy http://localhost:2024 5868deb3-45e8-5a33-8463-371a0092cf84
      forkbook copy http://localhost:2024 5868deb3-45e8-5a33-8463-371a0092cf84 \\
        --checkpoint B --metadata purpose=template
    """
    screen: Screen = ctx.obj
    screen.json = as_json
    keys = Keys(api_key, env_file=env_file, insecure=insecure)
    with opened(screen, source, keys, budget_of(bounds), writes=True) as book:
        report = book.copy(thread_id, checkpoint, metadata_of(metadata))
    screen.document({"ok": bool(report), **dataclasses.asdict(report)})
    screen.words(repr(report))
    return OK if report else DIFFERENT
