"""What stands in a notebook where no kernel is: a picture that needs none, and how to get the live explorer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..face.svg import still_html
from ..history import History
from ..model.label import Label
from ..model.text import escape

HOW = "This is a picture. Run this cell for the live explorer."


def still(history: History, labels: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The output before the widget, which the widget hides while it lives."""
    given = {id_: Label.of(label) for id_, label in labels.items()}
    html = f'<div class="fb-still"><p>{escape(HOW)}</p>{still_html(history.facts, given)}</div>'
    return {"text/html": html, "text/plain": f"{history.summary()}\n{HOW}"}
