"""`forkbook report`: write a thread's report, one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..arguments import ApiKey, Bounds, EnvFile, Insecure, Json, Source, ThreadId, budget_of
from ..places import Keys, opened
from ..screen import OK, Screen


def report(
    ctx: typer.Context,
    source: Source,
    thread_id: ThreadId,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The HTML file; replaced if there.")],
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    bounds: Bounds = None,
    as_json: Json = False,
) -> int:
    """Write a thread's report: one HTML file that needs no network.

    The tree as a picture, what each branch spent, how the context grew, and what was said.

    \b
    Examples:
      forkbook report http://localhost:2024 thread-1 -o thread.html
      forkbook report study.forkbook thread-1 -o thread.html
    """
    screen: Screen = ctx.obj
    screen.json = as_json
    with opened(screen, source, Keys(api_key, env_file=env_file, insecure=insecure), budget_of(bounds)) as book:
        history = book.history(thread_id)
        history.report(output)
    screen.document({"thread_id": history.thread_id, "file": str(output), "checkpoints": len(history)})
    screen.note(f"{output}: {history.summary()}")
    return OK
