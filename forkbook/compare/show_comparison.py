"""Comparisons as HTML: what the compared have in common, and what each has alone. Pure; foreign text is escaped."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..columns import Row
from ..frames import tokens
from ..model.text import cut, visible
from ..plot.html import GREY, bar, box, esc, lines, said, table
from ..tokens import amount

if TYPE_CHECKING:
    from .many import Overview
    from .two import Comparison

SHARED, OWN = "rgba(128,128,128,0.6)", "#1565c0"
ROWS_SHOWN, TEXT_SHOWN, MESSAGES_SHOWN = 100, 80, 50


def comparison_html(comparison: "Comparison") -> str:
    """Two checkpoints: where they parted, what they cost, what each said since, how their states differ."""
    a, b = comparison.labels
    sides = {side: [row for row in comparison.rows if row["side"] == side] for side in ("shared", "a", "b")}
    columns = [side_by_side(label, sides[side]) for side, label in (("a", a), ("b", b))]
    changes = len(comparison.diff)
    return lines(
        f"<p class='forkbook-comparison'>{esc(comparison)}</p>{token_split(comparison)}"
        f"<p style='{GREY}'>{_in_both(comparison, len(sides['shared']))}</p>"
        f"<div style='display:flex;gap:16px;flex-wrap:wrap'>{''.join(columns)}</div>"
        f"<details><summary>{changes:,} difference{'' if changes == 1 else 's'} between the two states, from {esc(a)} "
        f"to {esc(b)}</summary>{comparison.diff.html()}</details>"
    )


def _in_both(comparison: "Comparison", number: int) -> str:
    """How many messages both states hold, as far as these can be seen."""
    least = "at least " if any(comparison.unknown.values()) else ""
    return f"{least}{number:,} messages in both"


def token_split(comparison: "Comparison") -> str:
    """What both spent up to where they parted, and each since."""
    a, b = comparison.labels
    rows = [
        (name, *map(amount, tokens(sums).values()), "" if took is None else f"{took:.2f}")
        for name, sums, took in zip(
            ("shared", f"only {a}", f"only {b}"), comparison.totals.values(), (None, *comparison.seconds), strict=True
        )
    ]
    return table(("", "input tokens", "output tokens", "total tokens", "seconds"), rows)


def side_by_side(label: str, rows: Sequence[Row]) -> str:
    """The messages that only one branch has, as a column."""
    boxes = "".join(
        box(row["role"], said(row["text"], row["tool_calls"]), row.get("total_tokens")) for row in rows[:MESSAGES_SHOWN]
    )
    more = len(rows) - MESSAGES_SHOWN
    rest = f"<p style='{GREY}'>… {more:,} more messages</p>" if more > 0 else ""
    nothing = f"<p style='{GREY}'>no messages of its own</p>"
    return f"<div style='flex:1;min-width:200px'><b>only {esc(label)}</b>{boxes or nothing}{rest}</div>"


def overview_html(overview: "Overview") -> str:
    """Any number of branches: what each spent and said last."""
    most = max(row["known_tokens"] for row in overview.rows)
    rows = [
        (
            row["label"],
            row["parted_at"] or "",
            bar([(row["shared_tokens"] or 0, SHARED), (row["own_tokens"] or 0, OWN)], most),
            row["status"],
            amount(row["shared_tokens"]),
            amount(row["own_tokens"]),
            amount(row["total_tokens"], row["known_tokens"]),
            row["method"],
            "" if row["seconds"] is None else f"{row['seconds']:.2f}",
            cut(visible(row["text"] or ""), TEXT_SHOWN),
        )
        for row in overview.rows[:ROWS_SHOWN]
    ]
    more = len(overview.sides) - ROWS_SHOWN
    rest = f"<p style='{GREY}'>… {more:,} more: df() has all</p>" if more > 0 else ""
    head = f"{len(overview.sides):,} paths · {overview.totals} tokens spent in all, what they share counted once"
    names = (
        "",
        "parted at",
        "shared, own",
        "status",
        "shared tokens",
        "own tokens",
        "total tokens",
        "method",
        "seconds since",
        "said last",
    )
    return lines(f"<p class='forkbook-comparison'>{esc(head)}</p>{table(names, rows)}{rest}")
