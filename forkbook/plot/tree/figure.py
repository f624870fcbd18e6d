"""The tree as a plotly figure: branches in lanes, time downwards, what happened beside each row.

Every checkpoint is one marker whose `customdata` is its position. The last trace, "picked", is a ring that a widget
moves: `figure.data[-1].update(x=[x], y=[y])` with `x, y = ring(tree, lanes, position)`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import InvalidInput
from ...model.tree import Tree
from .colours import mode
from .folding import folded, shown
from .labels import Mark
from .page import empty_page, page
from .sheet import labelled, measure
from .traces import picked, ring, traces

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Mark", "figure", "ring"]


def figure(
    tree: Tree,
    marks: Sequence[Mark],
    *,
    color: str = "source",
    title: str = "",
    selected: int | None = None,
    fold: bool = False,
) -> "go.Figure":
    """Draw the tree.

    Args:
        tree: The tree, with n checkpoints.
        marks: n marks, by position.
        color: What a marker's colour stands for: a name in `colours.MODES`.
        title: A line above the picture; foreign text is fine.
        selected: The position that gets the ring; one that is folded away lends it to the checkpoint it is inside of.
        fold: Leave subgraphs out; the checkpoints whose tasks ran them say how many are inside.

    Returns:
        A figure for light and dark pages, as wide as its page, 24 px a row and at most about 960 px high. Every row of
        up to 80 has its label; of more, those fork points, tips, waiting and failed checkpoints whose labels have room,
        and a line says how many.

    Raises:
        InvalidInput: Marks are not one per checkpoint, the position does not exist, or there is no such colouring.

    Example:
        >>> history.figure(color="branch").data[0].name
        'edges'
    """
    import plotly.graph_objects as go

    if len(marks) != len(tree):
        raise InvalidInput(f"{len(marks):,} marks for {len(tree):,} checkpoints: one for each is needed")
    if selected is not None and not 0 <= selected < len(tree):
        raise InvalidInput(f"no checkpoint at position {selected}: this history has {len(tree):,}")
    view = shown(tree, fold)
    marks, selected = folded(tree, marks, view), None if selected is None else view.rows[selected]
    tree = view.tree
    way = mode(color)
    colored = way.groups(tree, marks)
    if not len(tree):
        return go.Figure(data=[picked()], layout=empty_page(title))
    sheet = measure(view, marks, with_tokens=way.on_scale)
    labels = labelled(sheet)
    notes = []
    if len(labels) < len(tree):
        notes.append(f"{len(labels):,} of {len(tree):,} rows have a label here; point at the others, drag to zoom")
    notes += filter(None, [way.note(tree, marks)])
    return go.Figure(data=traces(sheet, colored, labels, selected), layout=page(sheet, title, notes))
