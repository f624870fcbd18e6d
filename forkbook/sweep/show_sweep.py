"""A sweep as a figure: one row per variant, scores left, cost right, the best on top. Pure but for plotly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Any

from ..model.text import cut, escape, visible
from ..plot.chart import axis, chart, number
from ..plot.tree.colours import FAILED, INK, SOURCES, WAITING, faded
from ..plot.tree.page import empty_page
from ..plot.tree.sheet import LABEL_PIXELS, MOST_PIXELS
from .rows import Point

if TYPE_CHECKING:
    import plotly.graph_objects as go

ROW_PIXELS = 26.0
NAME_LENGTH, TEXT_LENGTH, NOTE_LENGTH = 32, 160, 140
LETTER_PIXELS = 6.4
SCORES_END, COSTS_BEGIN = 0.42, 0.46
DONE = SOURCES["loop"]
COLORS = {"finished": DONE, "waiting": WAITING, "pending": WAITING, "error": FAILED}
SYMBOLS = {"finished": "circle", "waiting": "diamond", "pending": "diamond", "error": "x"}


@dataclass(frozen=True, slots=True)
class Line:
    """A variant's row in the picture.

    Attributes:
        number: The variant's number.
        name: What it tries, escaped and cut.
        points: Its branches.
        cost: Median of what they spent; None: none spent anything.
        score: Median of their scores; None: none has one.
    """

    number: int
    name: str
    points: list[Point]
    cost: float | None
    score: float | None


def figure(
    points: Sequence[Point],
    *,
    title: str = "",
    score: str = "score",
    money: str | None = None,
    notes: Sequence[str] = (),
) -> go.Figure:
    """Draw a sweep.

    Args:
        points: Its branches.
        title: A line above the picture; foreign text is fine.
        score: Which score is drawn; foreign text is fine.
        money: Draw what the branches cost instead of tokens: the unit, in words of our own.
        notes: What else has to be said below, a line each; foreign text is fine.

    Returns:
        A figure for light and dark pages, 26 px a variant and at most about 1,020 px high: a bar is the median of the
        tokens that a variant's branches spent, a dot a branch. With scores the best median is on top and the scores
        stand left of the bars; without, variants come as they were tried.
    """
    import plotly.graph_objects as go

    if not points:
        return go.Figure(layout=empty_page(title))
    measure = "cost" if money else "tokens"
    found = lines(points, measure)
    scored = any(line.score is not None for line in found)
    ends = [_end(line) for line in found]
    row_pixels = min(ROW_PIXELS, MOST_PIXELS / len(found))
    every = ceil(LABEL_PIXELS / row_pixels)
    said = [escape(cut(visible(note), NOTE_LENGTH)) for note in notes]
    said += [f"one in {every} of {len(found):,} variants has a label; point at the others, drag to zoom"] * (every > 1)
    right = 24 + LETTER_PIXELS * max(map(len, ends))
    what = "cost" if money else "spent tokens"
    heading = f"Each variant's score and {what}, best first" if scored else f"{what.capitalize()} of each variant"
    layout = chart(heading, title, max(row_pixels * len(found), 40), right, said)
    most = max((getattr(point, measure) or 0 for point in points), default=0)
    how = (f"cost in {money}" if money else "tokens") + (
        ", some estimated" if any(point.estimated for point in points) else ""
    )
    layout |= {"bargap": 0.35, "yaxis": _rows(found, every) | {"anchor": "x2" if scored else "x"}}
    layout["xaxis"] = axis(how, 1.04 * most, domain=[COSTS_BEGIN if scored else 0, 1], fixedrange=True)
    if money:
        layout["xaxis"] |= {"tickformat": "", "dtick": None}
    if scored:
        layout["xaxis2"] = _score_axis(points, escape(cut(visible(score), NAME_LENGTH)))
    traces = [_bars(found), *_dots(found, measure), _labels(found, ends, every, measure)]
    if scored:
        traces += [_medians(found), *_dots(found, "score"), _unscored(found, layout["xaxis2"]["range"])]
    return go.Figure(data=traces, layout=layout)


def lines(points: Sequence[Point], measure: str = "tokens") -> list[Line]:
    """One row per variant: the highest score on top, then those without a score, as they were tried."""
    groups: dict[int, list[Point]] = {}
    for point in points:
        groups.setdefault(point.variant, []).append(point)
    found = [
        Line(
            variant,
            escape(cut(visible(group[0].name), NAME_LENGTH)),
            group,
            _median([getattr(point, measure) for point in group]),
            _median([point.score for point in group]),
        )
        for variant, group in groups.items()
    ]
    return sorted(found, key=lambda line: (line.score is None, -(line.score or 0), line.number))


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _end(line: Line) -> str:
    """What stands after a bar: the median, and how many branches did not finish."""
    others: dict[str, int] = {}
    for point in line.points:
        if point.status != "finished":
            others[point.status] = others.get(point.status, 0) + 1
    n = len(line.points)
    words = {"error": "failed"}
    ends = [f"{words.get(status, status)}{f' {many} of {n}' if n > 1 else ''}" for status, many in others.items()]
    return " · ".join([*([] if line.cost is None else [amount(line.cost)]), *ends])


def amount(spent: float) -> str:
    """Tokens in full, small money with four digits that count."""
    return f"{spent:,.4g}" if abs(spent) < 1000 else f"{spent:,.2f}".removesuffix(".00")


def _rows(found: Sequence[Line], every: int) -> dict[str, Any]:
    """The variants' names, the first on top."""
    rows = range(0, len(found), every)
    return {
        "range": [len(found) - 0.5, -0.5],
        "tickvals": list(rows),
        "ticktext": [found[row].name for row in rows],
        "tickfont": {"size": 12 if every == 1 else 10},
        "ticks": "",
        "ticklabelstandoff": 5,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }


def _score_axis(points: Sequence[Point], name: str) -> dict[str, Any]:
    """The axis of scores; of a single value from 0, which says how large it is."""
    scores = [point.score for point in points if point.score is not None]
    low, high = min(scores), max(scores)
    if low == high:
        low, high = min(low, 0), max(high, 0)
    room = 0.08 * (high - low) or 0.5
    ends = [low - room, high + room]
    domain = [0, SCORES_END]
    return axis(name, high, range=ends, minallowed=None, tickformat="", dtick=None, domain=domain, fixedrange=True)


def _bars(found: Sequence[Line]) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": "median",
        "orientation": "h",
        "x": [line.cost for line in found],
        "y": list(range(len(found))),
        "marker": {"color": faded(DONE, 0.35), "line": {"width": 0}},
        "hoverinfo": "skip",
        "showlegend": len(found) < sum(len(line.points) for line in found),
    }


def _medians(found: Sequence[Line]) -> dict[str, Any]:
    """A tick at each variant's median score."""
    rows = [row for row, line in enumerate(found) if line.score is not None]
    return {
        "type": "scatter",
        "name": "median score",
        "mode": "markers",
        "x": [found[row].score for row in rows],
        "y": rows,
        "xaxis": "x2",
        "marker": {"symbol": "line-ns-open", "size": 16, "color": INK, "line": {"width": 2}},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _unscored(found: Sequence[Line], ends: Sequence[float]) -> dict[str, Any]:
    """Where a variant's score would stand, that there is none."""
    rows = [row for row, line in enumerate(found) if line.score is None]
    return {
        "type": "scatter",
        "name": "no score",
        "mode": "text",
        "x": [ends[0]] * len(rows),
        "y": rows,
        "xaxis": "x2",
        "text": ["\N{NO-BREAK SPACE}no score"] * len(rows),
        "textposition": "middle right",
        "textfont": {"size": 11, "color": INK},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _dots(found: Sequence[Line], measure: str) -> list[dict[str, Any]]:
    """A dot a branch, a trace a status."""
    traces = []
    for status in dict.fromkeys(point.status for line in found for point in line.points):
        spots = [
            (getattr(point, measure), row, _hover(line, point))
            for row, line in enumerate(found)
            for point in line.points
            if point.status == status and (measure != "score" or point.score is not None)
        ]
        if not spots:
            continue
        traces.append(
            {
                "type": "scatter",
                "name": "failed" if status == "error" else status,
                "mode": "markers",
                "x": [x or 0 for x, _, _ in spots],
                "y": [y for _, y, _ in spots],
                "xaxis": "x" if measure != "score" else "x2",
                "marker": {
                    "size": 8,
                    "symbol": SYMBOLS.get(status, "circle-open"),
                    "color": COLORS.get(status, INK),
                    "opacity": 0.85,
                },
                "hovertext": [hover for _, _, hover in spots],
                "hoverinfo": "text",
                "showlegend": measure != "score",
                "cliponaxis": False,
            }
        )
    return traces


def _labels(found: Sequence[Line], ends: Sequence[str], every: int, measure: str) -> dict[str, Any]:
    """What stands after the bars, past the last dot."""
    rows = [row for row in range(0, len(found), every) if ends[row]]
    return {
        "type": "scatter",
        "name": "labels",
        "mode": "text",
        "x": [max((getattr(point, measure) or 0 for point in found[row].points), default=0) for row in rows],
        "y": rows,
        "text": [f"\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}{ends[row]}" for row in rows],
        "textposition": "middle right",
        "textfont": {"size": 11, "color": INK},
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


def _hover(line: Line, point: Point) -> str:
    """The box that opens over a branch."""
    status = "failed" if point.status == "error" else point.status
    parts = [f"<b>{line.name}</b>", status]
    parts += [point.unknown or "no AI message" if point.tokens is None else f"{number(point.tokens)} spent"]
    parts += [] if point.cost is None else [f"cost {amount(point.cost)}"]
    parts += [] if point.score is None else [f"score {point.score:g}"]
    return "<br>".join([*parts, *([escape(cut(visible(point.detail), TEXT_LENGTH))] if point.detail else [])])
