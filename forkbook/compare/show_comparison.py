"""Comparisons as HTML: what the compared have in common, and what each has alone. Pure; foreign text is escaped."""

from collections.abc import Sequence
from typing import Any

from ..columns import Row
from ..frames import tokens
from ..model.text import cut, visible
from ..plot.html import GREY, bar, box, esc, lines, said, table
from ..tokens import Totals, amount
from .diff import Diff

SHARED, OWN = "rgba(128,128,128,0.6)", "#1565c0"
ROWS_SHOWN, TEXT_SHOWN, MESSAGES_SHOWN = 100, 80, 50


def comparison_html(
    summary: str,
    labels: tuple[str, str],
    rows: Sequence[Row],
    costs: Sequence[tuple[Totals, float | None]],
    changes: Diff,
    *,
    is_known: bool,
) -> str:
    """Two checkpoints: where they parted, what they cost, what each said since, how their states differ.

    Args:
        summary: The comparison in one line.
        labels: The labels of the two branches.
        rows: The rows of `Comparison.messages_df`.
        costs: Spent tokens and seconds: shared, of the one, of the other.
        changes: What turns the one state into the other.
        is_known: Whether all messages of both states can be seen.
    """
    a, b = labels
    sides = {side: [row for row in rows if row["side"] == side] for side in ("shared", "a", "b")}
    columns = [side_by_side(label, sides[side]) for side, label in (("a", a), ("b", b))]
    number = len(changes)
    in_both = f"{'' if is_known else 'at least '}{len(sides['shared']):,} messages in both"
    return lines(
        f"<p class='forkbook-comparison'>{esc(summary)}</p>{token_split(labels, costs)}"
        f"<p style='{GREY}'>{in_both}</p>"
        f"<div style='display:flex;gap:16px;flex-wrap:wrap'>{''.join(columns)}</div>"
        f"<details><summary>{number:,} difference{'' if number == 1 else 's'} between the two states, from {esc(a)} "
        f"to {esc(b)}</summary>{changes.html()}</details>"
    )


def token_split(labels: tuple[str, str], costs: Sequence[tuple[Totals, float | None]]) -> str:
    """What both spent up to where they parted, and each since."""
    a, b = labels
    rows = [
        (name, *map(amount, tokens(sums).values()), "" if took is None else f"{took:.2f}")
        for name, (sums, took) in zip(("shared", f"only {a}", f"only {b}"), costs, strict=True)
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


def overview_html(rows: Sequence[Row], totals: Totals) -> str:
    """Any number of branches: what each spent and said last.

    Args:
        rows: The rows of `Overview.df`.
        totals: What all of them spent, each checkpoint once.
    """
    most = max(row["known_tokens"] for row in rows)
    cells: list[tuple[Any, ...]] = [
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
        for row in rows[:ROWS_SHOWN]
    ]
    more = len(rows) - ROWS_SHOWN
    rest = f"<p style='{GREY}'>… {more:,} more: df() has all</p>" if more > 0 else ""
    head = f"{len(rows):,} paths · {totals} tokens spent in all, what they share counted once"
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
    return lines(f"<p class='forkbook-comparison'>{esc(head)}</p>{table(names, cells)}{rest}")
