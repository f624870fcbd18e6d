"""The tree as a FigureWidget that can be clicked; one for the explorer's whole life, because each costs 5 MB."""

from collections.abc import Callable
from typing import Any

import ipywidgets as w
import plotly.graph_objects as go

from ..facts import Facts
from ..plot.tree.figure import figure, ring
from ..plot.tree.folding import shown
from ..plot.tree.from_facts import marks
from ..plot.tree.lanes import lanes

WIDTH = 420  # pixels


class TreePicture(w.VBox):
    """Draws a history and reports which position was clicked."""

    def __init__(self, on_pick: Callable[[int], None]) -> None:
        self._on_pick = on_pick
        self._figure = go.FigureWidget()
        super().__init__([self._figure])

    def draw(self, facts: Facts, *, fold: bool = False) -> None:
        """Show another history, with `fold` without its subgraphs."""
        drawn = figure(facts.tree, marks(facts), fold=fold)
        self._shown = shown(facts.tree, fold)
        self._lanes = lanes(self._shown.tree)
        with self._figure.batch_update():
            self._figure.data = ()
            self._figure.add_traces(drawn.data)
            self._figure.layout = drawn.layout
            self._figure.layout.width = WIDTH
        for trace in self._figure.data:
            if trace.customdata is not None:
                trace.on_click(self._clicked)

    def ring(self, position: int) -> None:
        """Mark a position as picked."""
        x, y = ring(self._shown.tree, self._lanes, self._shown.rows[position])
        self._figure.data[-1].update(x=[x], y=[y])

    def _clicked(self, trace: Any, points: Any, _: Any) -> None:
        if points.point_inds:
            picked = trace.customdata[points.point_inds[0]]
            self._on_pick(int(picked[0] if hasattr(picked, "__len__") else picked))
