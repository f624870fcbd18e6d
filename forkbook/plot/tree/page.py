"""What surrounds the traces of the figure: axes, legend, title, colour bar, notes. Pure."""

from collections.abc import Sequence
from typing import Any

from ...model.text import cut, escape, visible
from .colours import GRID, INK, PICKED, TOKENS
from .sheet import Sheet

TITLE_LENGTH = 90
LEAST_ROWS = 5
END_PIXELS = 16.0
LEGEND_PIXELS = 40
TITLE_PIXELS = 28
NOTE_PIXELS = 20
BAR_PIXELS = 46
LEFT_PIXELS = 26
HIDDEN = {"showticklabels": False, "showgrid": False, "zeroline": False, "showline": False, "ticks": ""}
NO_BUTTONS = ("sendChartToCloud", "select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "toggleSpikelines")

Layout = dict[str, Any]


def page(sheet: Sheet, title: str, notes: Sequence[str]) -> Layout:
    """The layout of a picture that has checkpoints.

    Args:
        sheet: Its measures.
        title: The line above it, not yet escaped.
        notes: What has to be said below it.
    """
    above = TITLE_PIXELS if title else 0
    bar = BAR_PIXELS if sheet.with_tokens else 0
    below = 8 + bar + (NOTE_PIXELS if notes else 0)
    made = plain(
        title, round(above + LEGEND_PIXELS + max(len(sheet.tree), LEAST_ROWS) * sheet.row_pixels + END_PIXELS + below)
    )
    made |= _axes(sheet)
    made["margin"] = {"l": LEFT_PIXELS, "r": 4, "t": above + 8, "b": below}
    made["annotations"] = [_time(), *([_note(notes, bar)] if notes else [])]
    if sheet.with_tokens:
        made["coloraxis"] = _token_axis(sheet)
    return made


def empty_page(title: str) -> Layout:
    """The layout of a history without checkpoints: it says so."""
    made = plain(title, 100)
    made["xaxis"] = made["yaxis"] = HIDDEN | {"fixedrange": True, "range": [0, 1]}
    made["margin"] = {"l": 8, "r": 8, "t": TITLE_PIXELS if title else 8, "b": 8}
    made["annotations"] = [words("no checkpoints", x=0.5, y=0.5, size=14)]
    return made


def plain(title: str, height: int) -> Layout:
    """What every picture has: no background, a calm legend, ink that reads on light and dark pages."""
    made: Layout = {
        "template": "none",
        "height": height,
        "autosize": True,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": INK, "size": 12},
        "hovermode": "closest",
        "hoverdistance": 80,
        "hoverlabel": {
            "bgcolor": "#202124",
            "bordercolor": INK,
            "font": {"color": "#f1f3f4", "size": 12},
            "align": "left",
        },
        "dragmode": "zoom",
        "uirevision": "forkbook",
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": INK,
            "activecolor": PICKED,
            "orientation": "v",
            "remove": list(NO_BUTTONS),
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yanchor": "bottom",
            "font": {"size": 11},
            "bgcolor": "rgba(0,0,0,0)",
            "itemclick": False,
            "itemdoubleclick": False,
        },
    }
    if title:
        text = escape(cut(visible(title), TITLE_LENGTH))
        made["legend"]["title"] = {"text": text, "side": "top", "font": {"size": 13}}
    return made


def _axes(sheet: Sheet) -> Layout:
    """Lanes to the right, time downwards; the mouse zooms time only."""
    end = END_PIXELS / sheet.row_pixels
    lines = (
        {"showgrid": True, "dtick": 1, "tick0": 0.5, "gridcolor": GRID, "gridwidth": 1} if sheet.all_labelled else {}
    )
    return {
        "xaxis": HIDDEN | {"range": [-0.8, sheet.units - 0.8], "fixedrange": True},
        "yaxis": HIDDEN | {"range": [len(sheet.tree) - 1 + end, -end]} | lines,
    }


def _token_axis(sheet: Sheet) -> Layout:
    most = max((mark.tokens or 0 for mark in sheet.marks), default=0)
    return {
        "cmin": 0,
        "cmax": most or 1,
        "colorscale": [list(stop) for stop in TOKENS],
        "colorbar": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yanchor": "top",
            "len": 0.5,
            "thickness": 8,
            "title": {"text": "tokens spent", "side": "top", "font": {"size": 11}},
            "tickfont": {"size": 10},
            "outlinewidth": 0,
        },
    }


def words(text: str, *, x: float, y: float, size: int, **more: Any) -> Layout:
    return {"text": text, "xref": "paper", "yref": "paper", "x": x, "y": y, "showarrow": False} | {
        "font": {"size": size, "color": INK},
        **more,
    }


def _time() -> Layout:
    return words("time →", x=0, y=1, size=11, xanchor="right", yanchor="top", textangle=90, xshift=-4)


def _note(notes: Sequence[str], bar: int) -> Layout:
    return words("; ".join(notes), x=0, y=0, size=11, xanchor="left", yanchor="top", yshift=-bar - 2)
