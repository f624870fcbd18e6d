"""The shared memory as a terminal and a notebook show it. Pure; all foreign text is escaped."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..backends.store import Item, text_of
from ..compare.change import LINE_SHOWN, shorter
from ..model.meaning import line
from ..model.text import visible
from ..plot.html import GREY, esc, lines, table

Written = tuple[str, Item | None, Item | None]  # what happened to an item, the item before, the item after

SHOWN, VALUE_SHOWN = 100, 500
MARKS = {"added": "+", "removed": "−", "changed": "±", "rewritten": "="}
NOT_FORKED = (
    "The store is not forked: every branch and every thread reads and writes this same memory. It shows what is known "
    "now, not what was known at the checkpoint's time."
)


def said(value: Any) -> str:
    """A value in one line; of a dict with one entry that is text, the text: most memories are one sentence."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(only := next(iter(value.values())), str):
        return only
    return line(value)


def change_text(kind: str, old: Item | None, new: Item | None) -> str:
    """One item's change in one line."""
    items = [item for item in (old, new) if item]
    sides = [shorter(line(item.value), LINE_SHOWN) for item in items]
    shown = sides[-1:] if kind == "rewritten" else sides
    where = f"{text_of(items[-1].namespace)} · {items[-1].key}"
    return f"{MARKS[kind]} {visible(where)}: {visible(' → '.join(shown))}"


def diff_text(source: str, changes: Sequence[Written]) -> str:
    """A summary, then one line per item; after the first 100, how many more there are."""
    rest = len(changes) - SHOWN
    more = [f"… {rest:,} more"] if rest > 0 else []
    return "\n".join([summary(source, changes), *(f"  {change_text(*each)}" for each in changes[:SHOWN]), *more])


def summary(source: str, changes: Sequence[Written]) -> str:
    """How much was written to the store of a place, in one line."""
    counts = Counter(kind for kind, _, _ in changes)
    kinds = [f"{counts[kind]:,} {kind}" for kind in MARKS if counts[kind]]
    return f"the store of {source}: {', '.join(kinds) or 'nothing was written'}"


def diff_html(source: str, changes: Sequence[Written]) -> str:
    """A summary, then a table of the items; after the first 100, how many more there are."""
    rows = [
        (kind, text_of(item.namespace), item.key, *(line(side.value) if side else "" for side in (old, new)))
        for kind, old, new in changes[:SHOWN]
        if (item := new or old)
    ]
    shown = table(("", "namespace", "key", "before", "after"), rows) if rows else ""
    return lines(f"<p class='forkbook-store'>{esc(summary(source, changes))}</p>{shown}{_more(len(changes))}")


def when(item: Item, since: datetime | None) -> str:
    """When an item was last written, and whether that was after a checkpoint of this time."""
    time = (item.updated_at or "at an unknown time")[:19].replace("T", " ")
    return f"{time}, after this checkpoint" if is_after(item, since) else time


def is_after(item: Item, since: datetime | None) -> bool | None:
    """Whether an item was last written after a time; None: unknown."""
    if item.updated_at is None or since is None:
        return None
    return datetime.fromisoformat(item.updated_at) > since


def _more(count: int) -> str:
    return f"<i style='{GREY}'>… {count - SHOWN:,} more</i>" if count > SHOWN else ""
