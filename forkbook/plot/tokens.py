"""Spent tokens as bars: one bar per branch, what it shares with others and what is its own. Pure but for plotly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from ..facts import Facts
from ..model.text import cut, escape, shown, visible
from ..model.tree import TIP_WORD
from ..tokens import amount
from .chart import axis, chart, number
from .tree.colours import BRANCHES, INK, branch_colors, faded
from .tree.page import empty_page
from .tree.sheet import LABEL_PIXELS, MOST_PIXELS

if TYPE_CHECKING:
    import plotly.graph_objects as go

ROW_PIXELS = 28.0
LABEL_LENGTH = 28
LETTER_PIXELS = 6.4
SHARED_COLOR = faded(INK, 0.6)
PARTS = (("shared", True), ("shared", False), ("own", True), ("own", False))


@dataclass(frozen=True, slots=True)
class Bar:
    """The spent tokens of one path, in four parts that add up to its total.

    Attributes:
        label: What it is called; foreign text is fine.
        shared_reported: On checkpoints that another path also holds, as the model reported them.
        shared_estimated: On such checkpoints, estimated.
        own_reported: On the rest of the path, as the model reported them.
        own_estimated: On the rest, estimated.
        number: The branch's number, which gives the colour; None: its place among the bars.
        detail: One more line for the box that opens over it.
        is_known: Whether that is all that was spent; else it is the least.
    """

    label: str
    shared_reported: int = 0
    shared_estimated: int = 0
    own_reported: int = 0
    own_estimated: int = 0
    number: int | None = None
    detail: str = ""
    is_known: bool = True

    @property
    def shared(self) -> int:
        """Tokens on checkpoints that another path also holds."""
        return self.shared_reported + self.shared_estimated

    @property
    def own(self) -> int:
        """Tokens on the rest of the path."""
        return self.own_reported + self.own_estimated

    @property
    def estimated(self) -> int:
        """Tokens that no model reported."""
        return self.shared_estimated + self.own_estimated

    @property
    def total(self) -> int:
        """All spent tokens of the path."""
        return self.shared + self.own

    @shown
    def __str__(self) -> str:
        return amount(self.total if self.is_known else None, self.total)

    def part(self, name: str, reported: bool) -> int:
        """One of the four parts."""
        return int(getattr(self, f"{name}_{'reported' if reported else 'estimated'}"))


def tokens_figure(facts: Facts, positions: Sequence[int], title: str) -> "go.Figure":
    """The bars of some paths, and below what the whole thread spent: bars overlap in what they share."""
    bars, notes = branch_bars(facts, positions), []
    if any(bar.shared for bar in bars):
        notes.append(f"the whole thread spent {facts.ledger.total} tokens: what branches share counts once")
    return token_bars(bars, method=facts.ledger.counter, title=title, notes=notes)


def branch_bars(facts: Facts, positions: Sequence[int]) -> list[Bar]:
    """A bar for the path to each of some checkpoints, usually tips; the numbers are those of `tokens_df`."""
    tree = facts.tree
    whole, shared = facts.ledger.paths
    return [
        Bar(
            label=path_label(facts, position),
            shared_reported=shared[position].known.reported,
            shared_estimated=shared[position].known.estimated,
            own_reported=whole[position].known.reported - shared[position].known.reported,
            own_estimated=whole[position].known.estimated - shared[position].known.estimated,
            is_known=whole[position].is_known,
            number=tree.branches[position],
            detail=""
            if tree.children[position]
            else f"{TIP_WORD} {tree.heads[position].id[-6:]} · {facts.status(position)}",
        )
        for position in positions
    ]


def path_label(facts: Facts, position: int) -> str:
    """A tip is called by its branch, another checkpoint by its short id, too."""
    label = facts.tree.label(position)
    return f"{label} {facts.tree.heads[position].id[-6:]}" if facts.tree.children[position] else label


def token_bars(bars: Sequence[Bar], *, method: str = "", title: str = "", notes: Sequence[str] = ()) -> "go.Figure":
    """Draw a bar for each of some paths: shared grey, own in colour; reported solid, estimated striped.

    Args:
        bars: Any number of paths, of one thread or of many, drawn from the top in this order.
        method: How estimates were made: the counter's name.
        title: A line above the picture; foreign text is fine.
        notes: Lines of foreign text below it.

    Returns:
        A figure for light and dark pages, as wide as its page, 28 px a bar and at most about 1,020 px high. Branches
        have their colours if all differ, else one for all. Of more than 80 bars those have a label that stand out.
    """
    import plotly.graph_objects as go

    if not bars:
        return go.Figure(layout=empty_page(title))
    row_pixels = min(ROW_PIXELS, MOST_PIXELS / len(bars))
    labels = _labelled(bars, row_pixels)
    ends = _ends(bars, labels)
    below = [escape(note) for note in notes]
    if len(labels) < len(bars):
        below.append(f"{len(labels):,} of {len(bars):,} bars have a label here; point at the others, drag to zoom")
    right = 24 + LETTER_PIXELS * max(map(len, ends))
    layout = chart("Spent tokens of each branch", title, row_pixels * len(bars), right, below) | {
        "barmode": "stack",
        "bargap": 0.3 if len(labels) == len(bars) else 0,
        "xaxis": axis(_method(bars, method), max(bar.total for bar in bars), fixedrange=True),
        "yaxis": _rows(bars, labels),
    }
    return go.Figure(
        data=[*_parts(bars, outlined=len(labels) == len(bars)), _totals(bars, labels, ends)], layout=layout
    )


def _labelled(bars: Sequence[Bar], row_pixels: float) -> list[int]:
    """The rows that get a label: those that cost more than all others within a label's height."""
    around = ceil(LABEL_PIXELS / row_pixels) - 1
    totals = [bar.total for bar in bars]
    near = (range(max(row - around, 0), min(row + around + 1, len(bars))) for row in range(len(bars)))
    return [row for row, rows in enumerate(near) if max(rows, key=totals.__getitem__) == row]


def _method(bars: Sequence[Bar], method: str) -> str:
    """The axis title: the unit, and how the numbers were got."""
    estimate = escape(f"estimated by {method}" if method else "estimated")
    how = ["reported by the model"] if any(bar.total > bar.estimated for bar in bars) else []
    if any(bar.estimated for bar in bars):
        how.append(f"striped: {estimate}" if how else estimate)
    return f"tokens, {'; '.join(how)}" if how else "tokens"


def _rows(bars: Sequence[Bar], labels: Sequence[int]) -> dict[str, Any]:
    """The bars' names, the first on top."""
    return {
        "range": [len(bars) - 0.5, -0.5],
        "tickvals": list(labels),
        "ticktext": [f"<b>{_name(bars[row])}</b>" for row in labels],
        "tickfont": {"size": 12},
        "ticks": "",
        "ticklabelstandoff": 5,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }


def _name(bar: Bar) -> str:
    return escape(cut(visible(bar.label), LABEL_LENGTH))


def _ends(bars: Sequence[Bar], rows: Sequence[int]) -> list[str]:
    """What stands after some bars: the sum of the parts; only the total where no branch shares anything."""
    if not any(bar.shared for bar in bars):
        return [str(bars[row]) for row in rows]
    return [_split(bars[row]) if bars[row].is_known else str(bars[row]) for row in rows]


def _split(bar: Bar) -> str:
    return f"{bar.shared:,} + {bar.own:,} = {bar.total:,}"


def _parts(bars: Sequence[Bar], outlined: bool) -> list[dict[str, Any]]:
    """One trace per part that occurs, and those of the legend."""
    numbers = [row if bar.number is None else bar.number for row, bar in enumerate(bars)]
    colors = branch_colors(numbers) or [BRANCHES[0]] * len(bars)
    hovers = [_hover(bar) for bar in bars]
    found = [(name, reported) for name, reported in PARTS if any(bar.part(name, reported) for bar in bars)]
    traces: list[dict[str, Any]] = []
    for name, reported in found:
        traces.append(
            {
                "name": f"{name}, {'reported' if reported else 'estimated'}",
                "y": list(range(len(bars))),
                "x": [bar.part(name, reported) or None for bar in bars],
                "marker": _marker([SHARED_COLOR] * len(bars) if name == "shared" else colors, reported, outlined),
                "hovertext": hovers,
                "hoverinfo": "text",
                "showlegend": False,
            }
        )
    for name, marker in _key(found, colors):
        traces.append({"name": name, "x": [None], "y": [None], "marker": marker, "showlegend": True})
    return [{"type": "bar", "orientation": "h"} | trace for trace in traces]


def _key(found: Sequence[tuple[str, bool]], colors: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The legend's words and swatches, as far as they occur."""
    names = {name for name, _ in found}
    if "shared" in names:
        yield "shared with other branches", _marker(SHARED_COLOR, True)
    if "own" in names:
        yield "own" if len(set(colors)) == 1 else "own, in the branch's colour", _marker(colors[0], True)
    if not all(reported for _, reported in found):
        yield "estimated", _marker(INK, False)


def _marker(color: str | list[str], reported: bool, outlined: bool = True) -> dict[str, Any]:
    if reported:
        return {"color": color, "line": {"width": 0}}
    stripes = {"shape": "/", "fillmode": "replace", "size": 6, "solidity": 0.4}
    return {"color": color, "line": {"width": int(outlined), "color": color}, "pattern": stripes}


def _hover(bar: Bar) -> str:
    if not bar.is_known:
        lines = [f"<b>{_name(bar)}</b> · tokens spent: {bar}", "a part of its states is not known"]
        return "<br>".join([*lines, *([escape(bar.detail)] if bar.detail else [])])
    lines = [f"<b>{_name(bar)}</b> · {number(bar.total)} spent"]
    for name in ("shared", "own"):
        estimated = bar.part(name, False)
        lines.append(f"{name} {getattr(bar, name):,}" + (f" ({estimated:,} estimated)" if estimated else ""))
    return "<br>".join([*lines, *([escape(bar.detail)] if bar.detail else [])])


def _totals(bars: Sequence[Bar], labels: Sequence[int], ends: Sequence[str]) -> dict[str, Any]:
    """The numbers after the bars."""
    return {
        "type": "scatter",
        "name": "totals",
        "x": [bars[row].total for row in labels],
        "y": list(labels),
        "mode": "markers+text",
        "marker": {"size": 5, "color": "rgba(0,0,0,0)"},
        "text": list(ends),
        "textposition": "middle right",
        "textfont": {"size": 11, "color": INK},
        "hovertext": [_hover(bars[row]) for row in labels],
        "hoverinfo": "text",
        "showlegend": False,
        "cliponaxis": False,
    }
