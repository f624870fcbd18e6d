"""Comparisons as blocks, which the explorer's page draws: numbers in tables, then what each said. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from ..columns import Row
from ..face.blocks import Block, counted, heading, note, shorter, table
from ..frames import tokens
from ..model.text import cut, json_text
from ..tokens import amount
from .change import Change, moved, value_text, where, words
from .many import Overview
from .two import Comparison

MESSAGES_SHOWN, CHANGES_SHOWN, ROWS_SHOWN = 50, 100, 300
TEXT_SHOWN, SAID_SHOWN, AROUND = 2_000, 120, 120  # characters
OPS = {"equal": " ", "insert": "+", "delete": "-", "note": " "}
TOKENS, NUMBERS = ("shared tokens", "own tokens", "total tokens"), [2, 3, 4, 5, 6]


def blocks_of(found: Comparison | Overview) -> list[Block]:
    """A comparison of two checkpoints, or of any number."""
    return _two(found) if isinstance(found, Comparison) else _many(found)


def _two(found: Comparison) -> list[Block]:
    a, b = found.labels
    sides = {side: [row for row in found.rows if row["side"] == side] for side in ("shared", "a", "b")}
    names = ("both", f"only {a}", f"only {b}")
    spent = [
        [name, *map(amount, tokens(sums).values()), took]
        for name, sums, took in zip(names, found.totals.values(), ("", *map(_seconds, found.seconds)), strict=True)
    ]
    least = "at least " if any(found.unknown.values()) else ""
    return [
        note(str(found)),
        table(["", "input tokens", "output tokens", "total tokens", "seconds"], spent, [1, 2, 3, 4]),
        note(f"{least}{counted(len(sides['shared']), 'message')} in both"),
        {
            "kind": "columns",
            "titles": [f"only {a}", f"only {b}"],
            "columns": [list(_messages(sides[side])) for side in ("a", "b")],
        },
        heading(f"{counted(len(found.diff), 'difference')} between the states, {a} to {b}"),
        *change_blocks(found.diff.changes),
    ]


def change_blocks(changes: Sequence[Change], most: int = CHANGES_SHOWN) -> list[Block]:
    """Changes, what came and went marked; after so many, how many more there are."""
    shown: list[Block] = [
        {"kind": "change", "path": " · ".join(where(change)), "change": change.kind, "parts": _parts(change)}
        for change in changes[:most]
    ]
    return [*shown, *_more(len(changes) - most, "change")]


def _parts(change: Change) -> list[list[str]]:
    if change.kind == "moved":
        return [[" ", moved(change)]]
    if change.kind == "changed":
        if isinstance(change.old, str) and isinstance(change.new, str):
            return [[OPS[op], part] for op, part in words(change, TEXT_SHOWN, AROUND)]
        return [["-", _shorter(change.old)], ["+", _shorter(change.new)]]
    return [["+", _shorter(change.new)] if change.kind == "added" else ["-", _shorter(change.old)]]


def _shorter(value: Any) -> str:
    return shorter(value_text(value), TEXT_SHOWN)


def _messages(rows: Sequence[Row]) -> Iterator[Block]:
    for row in rows[:MESSAGES_SHOWN]:
        text = str(row["text"] or "")
        yield {
            "kind": "message",
            "index": -1,
            "id": row["message_id"],
            "role": row["role"],
            "name": None,
            "text": text[:TEXT_SHOWN],
            "size": len(text),
            "cut": len(text) > TEXT_SHOWN,
            "images": [],
            "tool_calls": [
                {"name": str(call.get("name")), "args": json_text(call.get("args")), "id": call.get("id")}
                for call in row["tool_calls"] or ()
            ],
            "tool_call_id": None,
            "failed": False,
            "tokens": row.get("total_tokens"),
            "node": None,
            "fresh": False,
            "editable": False,
        }
    yield from _more(len(rows) - MESSAGES_SHOWN, "message")
    if not rows:
        yield note("no messages of its own")


def _many(found: Overview) -> list[Block]:
    rows = [
        [
            row["label"],
            row["parted_at"] or "",
            *map(amount, (row["shared_tokens"], row["own_tokens"])),
            amount(row["total_tokens"], row["known_tokens"]),
            None if row["n_messages"] is None else f"{row['n_messages']:,}",
            _seconds(row["seconds"]),
            row["status"],
            row["method"],
            cut(row["text"] or "", SAID_SHOWN),
        ]
        for row in found.rows[:ROWS_SHOWN]
    ]
    names = ["", "parted at", *TOKENS, "messages", "seconds since", "status", "method", "said last"]
    bars = [
        [row["label"], [[row["shared_tokens"] or 0, "shared"], [row["own_tokens"] or 0, "own"]]]
        for row in found.rows[:ROWS_SHOWN]
    ]
    head = f"{len(found.rows):,} paths · {found.totals} tokens spent in all, what they share counted once"
    return [
        note(head),
        table(names, rows, NUMBERS, positions=[path.side.position for path in found.paths[:ROWS_SHOWN]]),
        *_more(len(found.rows) - ROWS_SHOWN, "path"),
        {"kind": "bars", "rows": bars},
    ]


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.2f}"


def _more(count: int, what: str) -> list[Block]:
    return [note(f"… {count:,} more {what}{'' if count == 1 else 's'}")] if count > 0 else []
