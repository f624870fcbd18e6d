"""A comparison as HTML: what the two have in common, and what each has alone. Pure; all foreign text is escaped."""

from collections.abc import Sequence
from typing import Any

from ..compare import Comparison
from .html import GREY, box, esc, lines, said, table


def comparison_html(comparison: Comparison) -> str:
    """Two branches: where they parted, what they cost, what each said since."""
    a, b = comparison.labels
    sides = {side: [row for row in comparison.rows if row["side"] == side] for side in ("shared", "a", "b")}
    split = table(
        ("", "tokens"),
        [("shared", comparison.shared_tokens), (f"only {a}", comparison.own_a), (f"only {b}", comparison.own_b)],
    )
    columns = [side_by_side(label, sides[side]) for side, label in (("a", a), ("b", b))]
    return lines(
        f"<p class='forkbook-comparison'>{esc(comparison)}</p>{split}"
        f"<p style='{GREY}'>{len(sides['shared'])} messages in both</p>"
        f"<div style='display:flex;gap:16px;flex-wrap:wrap'>{''.join(columns)}</div>"
    )


def side_by_side(label: str, rows: Sequence[dict[str, Any]]) -> str:
    """The messages that only one branch has, as a column."""
    boxes = "".join(box(row["role"], said(row["text"], row["tool_calls"]), row["total_tokens"]) for row in rows)
    nothing = f"<p style='{GREY}'>no messages of its own</p>"
    return f"<div style='flex:1;min-width:200px'><b>only {esc(label)}</b>{boxes or nothing}</div>"
