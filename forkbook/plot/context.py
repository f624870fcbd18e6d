"""Context tokens along the branches: one line per branch, which leaves its parent's line at the fork point."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..facts import Facts
from ..model.text import cut, escape, visible
from ..model.tree import TIP_WORD
from ..tokens import amount
from .chart import axis, chart, number
from .tokens import path_label
from .tree.colours import BRANCHES, EDGE, INK, branch_colors
from .tree.page import empty_page
from .tree.sheet import FORK_POINT, TYPICAL_WIDTH
from .tree.sheet import TIP as TIP_SYMBOL

if TYPE_CHECKING:
    import plotly.graph_objects as go

FEW_PIXELS, MANY_PIXELS = 300.0, 440.0
LABEL_LENGTH = 24
TITLE_LENGTH = 60
LETTER_PIXELS = 7.0
LINE_PIXELS, POINT_PIXELS = 14.0, 9.0
TIP, SMALL_TIP, FORK, GAP = 9, 5, 9, 6
MOST_DOTS = 300
MOST_NAMED = len(BRANCHES)
HIGHLIGHTED = 3


@dataclass(frozen=True, slots=True)
class Line:
    """The context along one branch, from the checkpoint it was forked from to its tip.

    Attributes:
        label: What it is called; foreign text is fine.
        x: For each checkpoint how many there are on the path from the root to it.
        y: For each checkpoint its context tokens; None: unknown, which leaves a gap.
        titles: For each checkpoint what it is, in a few words of any origin.
        number: The branch's number, which gives the colour; None: its place among the lines.
    """

    label: str
    x: Sequence[int]
    y: Sequence[int | None]
    titles: Sequence[str]
    number: int | None = None


def context_figure(facts: Facts, positions: Sequence[int], title: str) -> "go.Figure":
    """The lines of some checkpoints' paths."""
    return context_growth(branch_lines(facts, positions), method=facts.ledger.counter, title=title)


def branch_lines(facts: Facts, positions: Sequence[int]) -> list[Line]:
    """One line to each of some checkpoints, usually tips; it starts where an earlier one of these lines passes."""
    tree, context = facts.tree, facts.ledger.context
    depths: list[int] = []
    for parent in tree.parents:
        depths.append(1 + (depths[parent] if parent >= 0 else 0))
    drawn: set[int] = set()
    lines = []
    for position in positions:
        path = list(_until(tree.up(position), drawn))[::-1]
        drawn.update(path)
        lines.append(
            Line(
                label=path_label(facts, position),
                x=[depths[at] for at in path],
                y=[context[at] for at in path],
                titles=[f"{tree.heads[at].id[-6:]} · {facts.title(at)}" for at in path],
                number=tree.branches[position],
            )
        )
    return lines


def _until(path: Iterator[int], drawn: set[int]) -> Iterator[int]:
    """The path up to and with the first position that is drawn already."""
    for position in path:
        yield position
        if position in drawn:
            return


def context_growth(
    lines: Sequence[Line],
    *,
    method: str = "",
    title: str = "",
    notes: Sequence[str] = (),
    highlight: Sequence[int] | None = None,
) -> "go.Figure":
    """Draw context tokens over the length of the path.

    Args:
        lines: Any number of lines, of one thread or of many.
        method: How tokens were counted: the counter's name.
        title: A line above the picture; foreign text is fine.
        notes: Lines of foreign text below it.
        highlight: Indices of the lines that get a colour; by default all of up to six, else the three with the largest
            context at their tips.

    Returns:
        A figure for light and dark pages, as wide as its page. Tips are squares, with a label where there is room.
    """
    import plotly.graph_objects as go

    if not lines:
        return go.Figure(layout=empty_page(title))
    colors = _colors(lines, highlight)
    pixels = FEW_PIXELS if len(lines) <= MOST_NAMED else MANY_PIXELS
    width, height = max(max(line.x) for line in lines), max(y or 0 for line in lines for y in line.y)
    labels = _labelled(lines, colors, width, height or 1, pixels)
    texts = {i: _tip_label(lines[i]) for i in labels}
    below = [escape(note) for note in notes]
    if len(colors) < len(lines) and highlight is None:
        below.append(f"in colour: the {len(colors)} branches with the largest context at their tips")
    if len(labels) < len(lines):
        below.append(f"{len(labels):,} of {len(lines):,} tips have a label here; point at the others, drag to zoom")
    right = 16 + LETTER_PIXELS * max(map(len, texts.values()), default=0)
    layout = chart("Context tokens along each branch", title, pixels, right, below) | {
        "xaxis": axis("checkpoints from the root", width, showgrid=False),
        "yaxis": axis(escape(f"context tokens ({method})" if method else "context tokens"), height * 1.05),
    }
    return go.Figure(data=_traces(lines, colors, texts), layout=layout)


def _colors(lines: Sequence[Line], highlight: Sequence[int] | None) -> dict[int, str]:
    """The colours of the lines that have one, by index."""
    if highlight is None:
        ranked = sorted(range(len(lines)), key=lambda i: -(lines[i].y[-1] or 0))
        highlight = sorted(ranked if len(lines) <= MOST_NAMED else ranked[:HIGHLIGHTED])
    numbers = [i if (number := lines[i].number) is None else number for i in highlight]
    colors = branch_colors(numbers) or [BRANCHES[i % len(BRANCHES)] for i in range(len(highlight))]
    return dict(zip(highlight, colors, strict=True))


def _labelled(lines: Sequence[Line], colors: Mapping[int, str], width: int, height: int, pixels: float) -> list[int]:
    """The lines whose tips get a label: the coloured ones first, then the largest, where nothing is in the way."""
    across, up = TYPICAL_WIDTH / width, pixels / height
    points, placed = _Spots(), _Spots()
    for line in lines:
        for x, y in zip(line.x, line.y, strict=True):
            points.add(x * across, (y or 0) * up)
    found = []
    for i in sorted(range(len(lines)), key=lambda i: (i not in colors, -(lines[i].y[-1] or 0))):
        if (last := lines[i].y[-1]) is None:
            continue
        begin, row = lines[i].x[-1] * across + GAP, last * up
        end = begin + LETTER_PIXELS * len(_tip_label(lines[i]))
        if placed.none_between(begin, end, row, LINE_PIXELS) and (
            i in colors or points.none_between(begin, end, row, POINT_PIXELS)
        ):
            found.append(i)
            for part in range(5):
                placed.add(begin + (end - begin) * part / 4, row)
    return sorted(found)


class _Spots:
    """Places in a picture, in pixels, found by their row."""

    def __init__(self) -> None:
        self.bands: dict[int, list[tuple[float, float]]] = {}

    def add(self, x: float, y: float) -> None:
        self.bands.setdefault(int(y // LINE_PIXELS), []).append((x, y))

    def none_between(self, begin: float, end: float, row: float, apart: float) -> bool:
        """Whether a line of text would meet none of them; `apart` is the height that it needs."""
        band = int(row // LINE_PIXELS)
        near = (spot for step in (-1, 0, 1) for spot in self.bands.get(band + step, ()))
        return not any(begin <= x <= end and abs(y - row) < apart for x, y in near)


def _name(line: Line) -> str:
    return escape(cut(visible(line.label), LABEL_LENGTH))


def _tip_label(line: Line) -> str:
    return f"{_name(line)} · {amount(line.y[-1])}"


def _traces(lines: Sequence[Line], colors: Mapping[int, str], texts: Mapping[int, str]) -> list[dict[str, Any]]:
    """The grey lines as one trace, below those with a colour; then the tips and their labels."""
    dots = sum(len(line.x) for line in lines) <= MOST_DOTS
    grey = [i for i in range(len(lines)) if i not in colors]
    traces = []
    if grey:
        more = "other branches" if colors else "branches"
        traces.append(_drawn([lines[i] for i in grey], more, EDGE, 1.2, dots) | {"legendrank": 2000})
        traces.append(_tips([lines[i] for i in grey], [texts.get(i, "") for i in grey], INK, SMALL_TIP))
    for i, color in colors.items():
        traces.append(_drawn([lines[i]], _name(lines[i]), color, 2.5, dots))
        traces.append(_tips([lines[i]], [texts.get(i, "")], color, TIP))
    return [*traces, *_forks(lines, colors)]


def _drawn(lines: Sequence[Line], name: str, color: str, width: float, dots: bool) -> dict[str, Any]:
    """Lines of one colour, with gaps between them."""
    trace: dict[str, Any] = {"x": [], "y": [], "hovertext": []}
    for line in lines:
        gap = [None] if trace["x"] else []
        trace["x"] += [*gap, *line.x]
        trace["y"] += [*gap, *line.y]
        trace["hovertext"] += [*gap, *_hovers(line)]
    style = {"color": color, "width": width}
    return trace | {
        "type": "scatter",
        "name": name,
        "mode": "lines+markers" if dots else "lines",
        "line": style,
        "marker": {"size": 5, "color": color},
        "hoverinfo": "text",
        "showlegend": True,
        "cliponaxis": False,
    }


def _hovers(line: Line) -> Iterator[str]:
    for x, y, title in zip(line.x, line.y, line.titles, strict=True):
        yield (
            f"<b>{_name(line)}</b> · checkpoint {x:,} from the root<br>{escape(cut(visible(title), TITLE_LENGTH))}"
            f"<br>{'context unknown' if y is None else f'{number(y)} of context'}"
        )


def _tips(lines: Sequence[Line], texts: Sequence[str], color: str, size: int) -> dict[str, Any]:
    """The ends of lines of one colour, with what stands right of them."""
    return {
        "type": "scatter",
        "name": TIP_WORD,
        "x": [line.x[-1] for line in lines],
        "y": [line.y[-1] for line in lines],
        "mode": "markers+text",
        "text": list(texts),
        "textposition": "middle right",
        "textfont": {"size": 11, "color": color},
        "marker": {"symbol": TIP_SYMBOL, "size": size, "color": color},
        "hovertext": [list(_hovers(line))[-1] for line in lines],
        "hoverinfo": "text",
        "showlegend": False,
        "cliponaxis": False,
    }


def _forks(lines: Sequence[Line], colors: Mapping[int, str]) -> list[dict[str, Any]]:
    """Where coloured lines leave another one, if there are any such places."""
    starts = dict.fromkeys(
        (lines[i].x[0], lines[i].y[0]) for i in colors if lines[i].x[0] > 1 and lines[i].y[0] is not None
    )
    if not starts:
        return []
    return [
        {
            "type": "scatter",
            "name": "fork point",
            "x": [x for x, _ in starts],
            "y": [y for _, y in starts],
            "mode": "markers",
            "marker": {"symbol": FORK_POINT, "size": FORK, "color": INK},
            "hoverinfo": "skip",
            "showlegend": True,
            "cliponaxis": False,
            "legendrank": 3000,
        }
    ]
