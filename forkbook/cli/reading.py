"""Commands that look: threads, show, diff."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InvalidInput
from ..model.text import cut, short
from .options import ApiKey, EnvFile, Insecure, Json, Limit, Source, ThreadId, metadata_of
from .places import Keys, opened
from .reports import none_found
from .screen import DIFFERENT, OK, Screen, here

if TYPE_CHECKING:
    from rich.text import Text

    from ..history import History

LEAST_TITLE = 8
ROWS, CHANGES = 40, 100
SAID = ("status", "created_at", "updated_at")  # of a thread; of what is none in a file, nothing
TREE_LINE = re.compile(
    r"^(?P<graph>[●◆■│┊─┬╮ ]*?)(?P<sign> [?✗])? +(?P<id>[0-9a-f]{6})  (?P<step>step (?:\?|-?\d+)) +.*?"
    r"(?P<tip>  tip [A-Z]+)?$"
)
TREE_STYLES = {"graph": "blue", "sign": "bold red", "id": "yellow", "step": "dim", "tip": "bold green"}
CHANGE_STYLES = {"+": "green", "−": "red"}

PICKED = "a checkpoint's id, its beginning or end; or a branch, as in A, which means its tip"
First = Annotated[str, typer.Argument(metavar="A", help=f"What to begin with: {PICKED}.")]
Second = Annotated[str, typer.Argument(metavar="B", help="What to compare it with, named in the same way.")]


def threads(
    ctx: typer.Context,
    source: Source,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only threads with this in their metadata; may be given again."),
    ] = None,
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="Only threads that are idle, busy, interrupted or error.")
    ] = None,
    limit: Limit = None,
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> int:
    """List the threads of a place, newest first.

    \b
    Examples:
      forkbook threads http://localhost:2024
      forkbook threads https://my.langgraph.app --env-file .env --status idle
      forkbook threads study.forkbook --json
    """
    from ..book import THREAD_STATUSES
    from ..frames import threads_rows
    from .threads import faults_of, told

    screen: Screen = ctx.obj
    screen.json = as_json
    if status not in (None, *THREAD_STATUSES):
        known = ", ".join(THREAD_STATUSES)
        raise InvalidInput(
            f"no thread has the status {short(status)}: --status takes {known}", candidates=THREAD_STATUSES
        )
    search = {"metadata": metadata_of(metadata), "status": status, "limit": limit}
    with opened(screen, source, Keys(api_key, env_file=env_file, insecure=insecure)) as book:
        found = book.backend.threads(**{name: value for name, value in search.items() if value is not None})
        rows = [{**row, **{name: row.get(name) for name in SAID}} for row in threads_rows(list(islice(found, limit)))]
        faults = faults_of(book.backend, rows)
    screen.document({"source": book.backend.address, "threads": rows, "total": len(rows), "faults": faults})
    if not as_json:
        cells = [
            (row["thread_id"], row["status"] or "", (row["updated_at"] or "")[:16].replace("T", " "), told(row))
            for row in rows
        ]
        screen.table(("thread", "status", "updated", "metadata"), cells)
    if faults:
        screen.words(f"{len(faults):,} of these cannot be read:")
        screen.some([here(fault) for fault in faults.values()], "red")
    screen.note(f"{len(rows):,} thread{'' if len(rows) == 1 else 's'}")
    if not rows and metadata is None and status is None and limit != 0:
        screen.note(none_found(book.backend.address))
    return DIFFERENT if faults else OK


def show(
    ctx: typer.Context,
    source: Source,
    thread_id: ThreadId,
    rows: Annotated[int, typer.Option(min=0, metavar="N", help="Draw at most so many checkpoints; 0: all.")] = ROWS,
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
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
    screen: Screen = ctx.obj
    screen.json = as_json
    with opened(screen, source, Keys(api_key, env_file=env_file, insecure=insecure)) as book:
        history = book.history(thread_id)
        if as_json:
            screen.document(_plain(history))
            return OK
        screen.words(history.summary(), "bold")
        for line in tree(history, screen.width, rows or None).split("\n"):
            screen.line(coloured(screen.shown(line)))
    return OK


def report(
    ctx: typer.Context,
    source: Source,
    thread_id: ThreadId,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The HTML file; replaced if there.")],
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
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
    with opened(screen, source, Keys(api_key, env_file=env_file, insecure=insecure)) as book:
        history = book.history(thread_id)
        history.report(output)
    screen.document({"thread_id": history.thread_id, "file": str(output), "checkpoints": len(history)})
    screen.note(f"{output}: {history.summary()}")
    return OK


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
    with opened(screen, source, Keys(api_key, env_file=env_file, insecure=insecure)) as book:
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


def tree(history: History, width: int, rows: int | None) -> str:
    """The text tree with its titles cut so that a line fits a terminal.

    Args:
        history: The thread.
        width: Columns of the terminal.
        rows: The most checkpoints to draw; None: all.
    """
    from rich.cells import cell_len

    from ..plot.tree.from_facts import SIGNS, status
    from ..plot.tree.plain_text import text_tree

    facts = history.facts
    places = range(len(history))
    signs = [SIGNS.get(status(facts, place), "") for place in places]
    bare = text_tree(facts.tree, [""] * len(history), signs, rows)
    room = max(width - max(map(cell_len, bare.split("\n"))), LEAST_TITLE)
    return text_tree(facts.tree, [cut(facts.title(place), room) for place in places], signs, rows)


def coloured(line: str) -> Text:
    """A line of the tree with its parts told apart."""
    from rich.text import Text

    text = Text(line)
    if parts := TREE_LINE.match(line):
        for name, style in TREE_STYLES.items():
            text.stylize(style, *parts.span(name)) if parts[name] else None
    return text


def _plain(history: History) -> dict[str, Any]:
    from ..frames import branches_rows, checkpoints_rows

    return {
        "thread_id": history.thread_id,
        "complete": history.complete,
        "pruned": [root.id for root in history.pruned],
        "branches": list(branches_rows(history.facts)),
        "checkpoints": list(checkpoints_rows(history.facts)),
    }
