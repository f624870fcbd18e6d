"""One HTML file about a thread: its tree, what its branches spent and said. It needs no network and no kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .files import new_file
from .plot.bundle import CONFIG
from .plot.html import esc, message_boxes

if TYPE_CHECKING:
    from .history import History

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; }}
body {{ font-family: system-ui, sans-serif; font-size: 14px; line-height: 1.4; max-width: 960px; margin: 24px auto;
  padding: 0 16px; }}
summary {{ cursor: pointer; font-weight: 600; margin: 6px 0; }}
</style></head><body><h1>{title}</h1><p>{summary}</p>
{body}
</body></html>
"""


def write_report(history: History, path: Path) -> Path:
    """Write a thread's report; the file appears when it is whole.

    Args:
        history: The thread.
        path: The file; one that is there is replaced.

    Returns:
        The path.
    """
    title = f"thread {history.thread_id}"
    body = "\n".join(_sections(history)) if len(history) else "<p>this thread has no checkpoints</p>"
    page = PAGE.format(title=esc(title), summary=esc(history.summary()), body=body)
    with new_file(path) as new:
        new.place.write(page.encode(errors="replace"))
    return path


def _sections(history: History) -> Iterator[str]:
    from .compare.many import compare

    figures = (history.figure(), history.tokens_figure(), history.context_figure())
    for heading, figure, code in zip(("The tree", "Tokens", "Context"), figures, ("inline", False, False), strict=True):
        drawn = figure.to_html(full_html=False, include_plotlyjs=code, config=CONFIG, default_width="100%")
        yield f"<h2>{heading}</h2>{drawn}"
    yield f"<h2>Branches</h2>{compare(history.tips).html()}"
    yield "<h2>Messages</h2>"
    for tip in history.tips:
        boxes = message_boxes(tip.state["values"])
        yield f"<details><summary>branch {tip.branch}, to {esc(tip.short_id)}</summary>{boxes}</details>"
