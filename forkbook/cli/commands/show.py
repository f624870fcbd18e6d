"""`forkbook show`: draw a thread as a tree in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import ForkbookError
from ..arguments import ApiKey, Bounds, EnvFile, Insecure, Json, Source, ThreadId, budget_of
from ..places import Keys, opened
from ..screen import OK, Screen

if TYPE_CHECKING:
    from ...history import History
    from ...model.label import Label

ROWS = 40
STYLES = {"graph": "blue", "sign": "bold red", "id": "yellow", "step": "dim", "tip": "bold green"}


def show(
    ctx: typer.Context,
    source: Source,
    thread_id: ThreadId,
    rows: Annotated[int, typer.Option(min=0, metavar="N", help="Draw at most so many checkpoints; 0: all.")] = ROWS,
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    bounds: Bounds = None,
    as_json: Json = False,
) -> int:
    """Draw a thread as a tree in the terminal.

    Every checkpoint and every branch, oldest first: a circle is a checkpoint, a diamond a fork point, a square a tip;
    ? waits for an answer, ✗ failed.

    \b
    Examples:
      forkbook show http://localhost:2024 5868deb3-45e8-5a33-8463-371a0092cf84
      forkbook show checkpoints.sqlite thread-1 --rows 0
      forkbook show study.forkbook thread-1 --json
    """
    from rich.text import Text

    from ...plot.tree.from_facts import lines
    from ...plot.tree.plain_text import WIDTH

    screen: Screen = ctx.obj
    screen.json = as_json
    with opened(screen, source, Keys(api_key, env_file=env_file, insecure=insecure), budget_of(bounds)) as book:
        history = book.history(thread_id)
        if as_json:
            screen.document(_plain(history))
            return OK
        screen.words(history.summary(), "bold")
        for line in lines(history.facts, rows or None, min(screen.width, WIDTH)):
            screen.line(Text.assemble(*((screen.shown(text), STYLES.get(role, "")) for role, text in line)))
    return OK


def _labels(history: History) -> Mapping[str, Label]:
    """What people wrote on checkpoints, where the place says that."""
    try:
        return history.labels
    except ForkbookError:
        return {}


def _plain(history: History) -> dict[str, Any]:
    from ...frames import branches_rows, checkpoints_rows

    return {
        "thread_id": history.thread_id,
        "complete": history.complete,
        "pruned": [root.id for root in history.pruned],
        "branches": list(branches_rows(history.facts)),
        "checkpoints": list(checkpoints_rows(history.facts, labels=_labels(history))),
    }
