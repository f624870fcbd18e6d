"""What the charts of tokens have in common: heading, axes, notes below. Pure."""

from collections.abc import Sequence
from typing import Any

from .tree.colours import EDGE, GRID
from .tree.page import TITLE_PIXELS, Layout, plain, words

AXIS_PIXELS = 40
NOTE_PIXELS = 16
END_PIXELS = 6
HEAD_PIXELS = 76


def chart(heading: str, title: str, pixels: float, right: float, notes: Sequence[str]) -> Layout:
    """The layout around a chart.

    Args:
        heading: What is drawn, in a few words of our own.
        title: Of what: a second line; foreign text is fine.
        pixels: The height of the part where data is drawn.
        right: Room right of it, for labels, in pixels.
        notes: What has to be said below, a line each, escaped.
    """
    below = AXIS_PIXELS + NOTE_PIXELS * len(notes) + END_PIXELS
    made = plain(title, round(HEAD_PIXELS + pixels + below))
    lines = [f"<b>{heading}</b>", made["legend"].get("title", {}).get("text", "")]
    made["legend"]["title"] = {"text": "<br>".join(filter(None, lines)), "side": "top", "font": {"size": 13}}
    made["legend"]["traceorder"] = "normal"
    made["margin"] = {"l": 8, "r": round(right), "t": TITLE_PIXELS, "b": below}
    if notes:
        below_axis = {"xanchor": "left", "yanchor": "top", "yshift": -AXIS_PIXELS, "align": "left"}
        made["annotations"] = [words("<br>".join(notes), x=0, y=0, size=11, **below_axis)]
    return made


def axis(title: str, end: float, **more: Any) -> Layout:
    """An axis of whole numbers from 0.

    Args:
        title: What it counts, escaped.
        end: Where it ends.
        more: What is different.
    """
    return {
        "title": {"text": title, "font": {"size": 11}, "standoff": 6},
        "range": [0, end or 1],
        "tickformat": ",",
        "tickfont": {"size": 11},
        "minallowed": 0,
        "nticks": 6,
        "tickangle": 0,
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": EDGE,
        "showline": True,
        "automargin": True,
        **({"dtick": 1} if end < 8 else {}),
        **more,
    }


def number(tokens: int) -> str:
    """A number of tokens in words."""
    return f"{tokens:,} {'token' if tokens == 1 else 'tokens'}"
