"""A plotly figure that is also a picture where nothing draws plotly: nbconvert, viewers of saved notebooks."""

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go

PLOTLY = "application/vnd.plotly.v1+json"
ITS_TYPE_ALONE = {"plotly_mimetype", "jupyterlab", "nteract", "vscode"}  # renderers that give nothing else


class StillFigure(go.Figure):  # type: ignore[misc]  # plotly says little of its types
    """A figure that shows HTML of ours besides where plotly's renderer gives nothing but plotly's own type."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, validate: bool = True, **more: Any) -> Any:
        bundle = super()._repr_mimebundle_(include, exclude, validate, **more)
        still = self.__dict__.get("_still")
        return bundle if still is None or set(bundle) != {PLOTLY} else {**bundle, "text/html": still()}

    def _ipython_display_(self) -> None:
        import plotly.io as pio

        renderers = set(pio.renderers.default.split("+"))
        if not pio.renderers.render_on_display or not renderers <= ITS_TYPE_ALONE:
            super()._ipython_display_()
            return
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]


def with_still(figure: go.Figure, still: Callable[[], str]) -> StillFigure:
    """The figure, with HTML beside it.

    Args:
        figure: The figure.
        still: Gives the HTML.
    """
    found = StillFigure(figure)
    found.__dict__["_still"] = still
    return found
