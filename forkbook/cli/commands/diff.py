"""`forkbook diff`: say what changed between two checkpoints."""

from __future__ import annotations

from typing import Annotated

import typer

from ..arguments import ApiKey, Bounds, EnvFile, Insecure, Json, Source, ThreadId, budget_of
from ..places import Keys, opened
from ..screen import DIFFERENT, OK, Screen

CHANGES = 100
CHANGE_STYLES = {"+": "green", "−": "red"}

PICKED = "a checkpoint's id, its beginning or end; or a branch, as in A, which means its tip"
First = Annotated[str, typer.Argument(metavar="A", help=f"What to begin with: {PICKED}.")]
Second = Annotated[str, typer.Argument(metavar="B", help="What to compare it with, named in the same way.")]


def diff(
    ctx: typer.Context,
    source: Source,
    thread_id: ThreadId,
    a: First,
    b: Second,
    changes: Annotated[int, typer.Option(min=1, metavar="N", help="Say at most so many changes.")] = CHANGES,
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    bounds: Bounds = None,
    as_json: Json = False,
) -> int:
    """Tell what changed between two checkpoints.

    The states of A and B are compared, messages by their ids; exit code 1: they differ.

    With --json, `patch` is a JSON Patch (RFC 6902) that turns the values of A into those of B.

    \b
    Examples:
      forkbook diff http://localhost:2024 5868deb3-45e8-5a33-8463-371a0092cf84 A B
      forkbook diff study.forkbook thread-1 3ea310 fb9a37 --json
    """
    screen: Screen = ctx.obj
    screen.json = as_json
    with opened(screen, source, Keys(api_key, env_file=env_file, insecure=insecure), budget_of(bounds)) as book:
        history = book.history(thread_id)
        comparison = history.compare(a, b)
        found = comparison.diff
        screen.document(
            {
                "thread_id": history.thread_id,
                "a": comparison.a,
                "b": comparison.b,
                "common_ancestor": comparison.ancestor,
                "equal": not found,
                "patch": found.patch() if as_json else [],
            }
        )
        if not as_json:
            screen.words(repr(comparison), "bold")
            for line in found.text(changes).split("\n"):
                screen.words(line, CHANGE_STYLES.get(line[:1], ""))
    return DIFFERENT if found else OK
