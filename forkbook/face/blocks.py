"""What a view is made of: plain JSON that `blocks.js` draws. Pure."""

from collections.abc import Sequence
from typing import Any

from ..model.states import is_placeholder
from ..model.text import json_text

Block = dict[str, Any]


def note(text: str, tone: str = "") -> Block:
    """A sentence; its tone is "", "warn" or "error"."""
    return {"kind": "note", "text": text, "tone": tone}


def heading(text: str) -> Block:
    """A heading."""
    return {"kind": "heading", "text": text}


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    numeric: Sequence[int] = (),
    *,
    marked: int = -1,
    positions: Sequence[int] | None = None,
) -> Block:
    """A table.

    Args:
        columns: Names.
        rows: Cells: text, a number, or None for what is not known.
        numeric: Columns of numbers, which stand at the right.
        marked: The row of the checkpoint that is shown; -1: none.
        positions: For each row the checkpoint that it leads to.
    """
    return {
        "kind": "table",
        "columns": list(columns),
        "numeric": list(numeric),
        "rows": [list(row) for row in rows],
        "marked": marked,
        "positions": None if positions is None else list(positions),
    }


def value_block(
    channel: str, value: Any, most: int, *, path: Sequence[str | int] = (), editable: bool = True, unknown: str = ""
) -> Block:
    """A value as JSON text of at most so many characters.

    Args:
        channel: Its channel, or what it is called.
        value: The value; of a placeholder the block says why the value is not known.
        most: Characters of the text.
        path: Keys and indexes within the channel.
        editable: Whether the page may offer to change it.
        unknown: Why it is not known.
    """
    if not unknown and is_placeholder(value):
        unknown = str(value.get("reason") or value["__type__"])
    text = "" if unknown else json_text(value, pretty=True)
    return {
        "kind": "json",
        "channel": channel,
        "path": list(path),
        "text": text[:most],
        "size": len(text),
        "cut": len(text) > most,
        "unknown": unknown,
        "editable": editable and not unknown,
    }


def shorter(text: str, most: int) -> str:
    """A text, or its beginning and how much more there is."""
    rest = len(text) - most
    return text if rest <= 0 else f"{text[:most]} … {rest:,} more characters"


def counted(number: int, what: str) -> str:
    """A number of things: `1 message`, `1,234 messages`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
