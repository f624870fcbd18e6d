"""A figure as notebook output that needs no kernel, no trust and no network."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

CONFIG = {"displaylogo": False, "scrollZoom": False}


def bundle(figure: "go.Figure") -> dict[str, Any]:
    """The figure under plotly's own mime type, for any notebook that knows plotly."""
    return {"application/vnd.plotly.v1+json": json.loads(figure.to_json()) | {"config": CONFIG}}
