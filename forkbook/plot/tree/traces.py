"""The traces of the figure, as plain dicts, in the order in which they are drawn. Pure."""

from collections.abc import Iterator, Sequence
from math import cos, pi, sin
from typing import Any

from ...errors import InvalidInput
from ...model.tree import TIP_WORD, Tree
from .colours import EDGE, FAILED, INK, PICKED, WAITING, Group, ink_on, token_color
from .labels import hover_text, row_label
from .lanes import fork_rows
from .sheet import FORK_POINT, KINDS, PLAIN, TIP, Sheet, lettered

MOST_SVG = 5_000
MOST_ROUNDED = 500
CORNER_PIXELS = 9.0
CORNER_STEPS = 4

Trace = dict[str, Any]


def traces(sheet: Sheet, colored: Sequence[Group], labels: Sequence[int], selected: int | None) -> list[Trace]:
    """Every trace of a picture that has checkpoints; the ring around the selected one is the last."""
    x, y = (None, None) if selected is None else ring(sheet.tree, sheet.lanes, selected)
    return [
        *_edges(sheet),
        *_points(sheet, colored),
        *_states(sheet),
        _letters(sheet, colored),
        _labels(sheet, labels),
        *_key(sheet, colored),
        picked(x, y, size=sheet.sizes[TIP] + 14),
    ]


def ring(tree: Tree, lanes: Sequence[int], position: int) -> tuple[float, float]:
    """Where the ring around a checkpoint belongs.

    Args:
        tree: The tree.
        lanes: Its lanes, by branch number, as `layout.lanes` gives them.
        position: The checkpoint's position.

    Returns:
        x and y in the figure's coordinates: lane and row.

    Raises:
        InvalidInput: There is no such position.
    """
    if not 0 <= position < len(tree):
        raise InvalidInput(f"no checkpoint at position {position}: this history has {len(tree):,}")
    return float(lanes[tree.branches[position]]), float(position)


def picked(x: float | None = None, y: float | None = None, size: float = 31.0) -> Trace:
    """The ring around the selected checkpoint; without a place an empty trace, so that its index stays."""
    marker = {"symbol": "circle-open", "size": size, "color": PICKED, "line": {"width": 3}}
    return _quiet("picked", [] if x is None else [x], [] if y is None else [y], mode="markers", marker=marker)


def _quiet(name: str, x: Sequence[float | None], y: Sequence[float | None], **more: Any) -> Trace:
    """A trace that the pointer passes through."""
    fixed = {"type": "scatter", "hoverinfo": "skip", "showlegend": False, "cliponaxis": False}
    return {"name": name, "x": x, "y": y, **fixed, **more}


def _edges(sheet: Sheet) -> list[Trace]:
    """The lines of the root graph in one trace, those of subgraphs, dotted, in another."""
    outer = sheet.tree.outer
    traces = [_lines(sheet, "edges", range(outer), "solid")]
    if outer < len(sheet.tree.starts):
        traces.append(_lines(sheet, "subgraphs", range(outer, len(sheet.tree.starts)), "dot"))
    return traces


def _lines(sheet: Sheet, name: str, branches: Sequence[int], dash: str) -> Trace:
    """The lines of some branches: for each from its fork point sideways, then down to its tip."""
    tree = sheet.tree
    forks = fork_rows(tree)
    xs: list[float | None] = []
    ys: list[float | None] = []
    for branch in branches:
        fork, end = forks[branch], tree.tips_by_branch[branch]
        lane = sheet.lanes[branch]
        begin = [(lane, tree.starts[branch])] if fork < 0 else _elbow(sheet, fork, lane)
        for x, y in (*begin, (lane, end)):
            xs.append(x)
            ys.append(y)
        xs.append(None)
        ys.append(None)
    line: Trace = {"color": EDGE, "width": 2 if sheet.all_labelled else 1.5, "dash": dash}
    trace = _quiet(name, xs, ys, mode="lines", line=line)
    if _many(sheet):
        return _in_webgl(trace)
    line["simplify"] = False
    return trace


def _many(sheet: Sheet) -> bool:
    """Whether WebGL pays; below, SVG is as quick and sharper."""
    return len(sheet.tree) > MOST_SVG


def _in_webgl(trace: Trace) -> Trace:
    return {name: value for name, value in trace.items() if name != "cliponaxis"} | {"type": "scattergl"}


def _elbow(sheet: Sheet, fork: int, lane: int) -> Iterator[tuple[float, float]]:
    """Sideways in the fork point's row to the lane, with a round corner where there is room for one."""
    yield sheet.lane(fork), fork
    if len(sheet.tree) > MOST_ROUNDED:
        yield lane, fork
        return
    wide, high = (min(0.45, CORNER_PIXELS / pixels) for pixels in (sheet.lane_pixels, sheet.row_pixels))
    for step in range(CORNER_STEPS + 1):
        angle = step / CORNER_STEPS * pi / 2
        yield round(lane - wide * (1 - sin(angle)), 3), round(fork + high * (1 - cos(angle)), 3)


def _points(sheet: Sheet, colored: Sequence[Group]) -> list[Trace]:
    """A marker for every checkpoint, a trace for each kind and colour; tips on top of the others."""
    made = []
    for kind in KINDS:
        for group in colored:
            positions = [position for position in group.positions if sheet.kind(position) == kind]
            if positions:
                made.append(_point_trace(sheet, kind, group, positions))
    return made


def _point_trace(sheet: Sheet, kind: str, group: Group, positions: list[int]) -> Trace:
    marker: Trace = {"symbol": kind, "size": sheet.sizes[kind]}
    if group.color is None:
        marker |= {"color": [sheet.marks[position].tokens for position in positions], "coloraxis": "coloraxis"}
    else:
        marker |= {"color": group.color}
    trace = {
        "name": group.name or "checkpoints",
        **sheet.at(positions),
        **_pickable(sheet, positions),
        "mode": "markers",
        "marker": marker,
    }
    return _in_webgl(trace) if _many(sheet) else trace


def _pickable(sheet: Sheet, positions: Sequence[int]) -> Trace:
    """What makes a click find the checkpoint, and the pointer open its box."""
    return {
        "customdata": [sheet.positions[position] for position in positions],
        "hovertext": [hover_text(sheet.tree, sheet.marks[position], position) for position in positions],
        "type": "scatter",
        "hoverinfo": "text",
        "showlegend": False,
        "cliponaxis": False,
    }


RINGS = {"interrupted": 1.5, "waiting": 3.0}


def _states(sheet: Sheet) -> list[Trace]:
    """Amber rings around what waits or waited; a red cross right of what failed, at any width of the page."""
    made = []
    for status, width in RINGS.items():
        if positions := _having(sheet, status):
            marker = _ring_marker(width) | {"size": [sheet.sizes[sheet.kind(position)] + 6 for position in positions]}
            made.append(_quiet(status, **sheet.at(positions), mode="markers", marker=marker))
    if positions := _having(sheet, "error"):
        clear = {"size": sheet.sizes[TIP], "color": "rgba(0,0,0,0)", "line": {"width": 0}}
        cross: Trace = {"text": ["<b>×</b>"] * len(positions), "textfont": {"color": FAILED, "size": 18}}
        cross |= {"mode": "markers+text", "textposition": "middle right", "marker": clear}
        made.append(_quiet("failed", **sheet.at(positions), **cross))
    return made


def _having(sheet: Sheet, status: str) -> list[int]:
    return [position for position, mark in enumerate(sheet.marks) if mark.status == status]


def _ring_marker(width: float) -> Trace:
    return {"symbol": "circle-open", "color": WAITING, "opacity": 1, "line": {"width": width}}


def _letters(sheet: Sheet, colored: Sequence[Group]) -> Trace:
    """The branch's letter on its tip."""
    tips = lettered(sheet)
    labels = [sheet.tree.label(tip) for tip in tips]
    inks = _inks(sheet, colored, tips)
    size = sheet.sizes[TIP]
    font = {
        "color": inks,
        "weight": "bold",
        "size": [round(size * (0.68 if len(label) == 1 else 0.54), 1) for label in labels],
    }
    trace = _quiet("branch letters", **sheet.at(tips), mode="text", text=labels, textfont=font)
    return _in_webgl(trace) if _many(sheet) else trace


def _inks(sheet: Sheet, colored: Sequence[Group], positions: Sequence[int]) -> list[str]:
    """The colour of a letter on each checkpoint's marker."""
    most = max((mark.tokens or 0 for mark in sheet.marks), default=0)
    fills = {position: group.color for group in colored for position in group.positions}
    return [
        ink_on(fills[position] or token_color((sheet.marks[position].tokens or 0) / (most or 1)))
        for position in positions
    ]


def _labels(sheet: Sheet, positions: Sequence[int]) -> Trace:
    """What made a checkpoint, in a column right of all lanes; a click on it finds the checkpoint, too."""
    colors = {"waiting": WAITING, "interrupted": WAITING, "error": FAILED}
    size = 12 if sheet.row_pixels >= 14 else 10
    return {
        "name": "labels",
        "x": [sheet.labels_at] * len(positions),
        "y": list(positions),
        **_pickable(sheet, positions),
        "mode": "text",
        "text": [row_label(sheet.tree, sheet.marks[position], position, sheet.with_tokens) for position in positions],
        "textposition": "middle right",
        "textfont": {
            "size": size,
            "color": [colors.get(sheet.marks[position].status, INK) for position in positions],
        },
    }


def _key(sheet: Sheet, colored: Sequence[Group]) -> list[Trace]:
    """The legend: what colours and symbols mean, as far as they occur."""
    entries = [(group.name, {"symbol": PLAIN, "color": group.color, "size": 11}) for group in colored if group.name]
    if sheet.tree.fork_points:
        entries.append(("fork point", {"symbol": FORK_POINT, "color": INK, "size": 12}))
    entries.append((TIP_WORD, {"symbol": TIP, "color": INK, "size": 13}))
    found = {mark.status for mark in sheet.marks}
    entries += [(status, _ring_marker(width) | {"size": 13}) for status, width in RINGS.items() if status in found]
    if "error" in found:
        entries.append(("failed", {"symbol": "x", "color": FAILED, "size": 8}))
    made = [_quiet(name, [None], [None], mode="markers", marker=marker, showlegend=True) for name, marker in entries]
    return made if sheet.tree.outer == len(sheet.tree.starts) else [*made, _key_line("inside a subgraph")]


def _key_line(name: str) -> Trace:
    return _quiet(name, [None], [None], mode="lines", line={"color": EDGE, "width": 2, "dash": "dot"}, showlegend=True)
