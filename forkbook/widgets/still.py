"""What stands in a notebook where no kernel is: a picture that needs none, and how to get the live explorer."""

from __future__ import annotations

from ..history import History
from ..model.text import escape, escape_lines

HOW = "A picture of {}. Run this cell for the live explorer."


def still(history: History) -> dict[str, str]:
    """The output before the widget, which the widget hides while it lives."""
    summary = history.summary()
    tree = f"<pre>{escape_lines(repr(history))}</pre>"
    html = f'<div class="fb-still"><p>{escape(HOW.format(summary))}</p>{tree}</div>'
    return {"text/html": html, "text/plain": f"{HOW.format(summary)}"}
