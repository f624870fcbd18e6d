"""One HTML file about a thread: its tree, what its branches spent and said. It needs no network and no kernel."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from .compare.many import Overview
from .compare.side import Side
from .facts import Facts
from .files import new_file
from .plot.bundle import CONFIG
from .plot.html import esc, message_boxes

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
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
POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; "
    "form-action 'none'"
)
SCRIPT = re.compile(r"<script[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)


def write_report(facts: Facts, path: Path) -> Path:
    """Write a thread's report; the file appears when it is whole.

    Args:
        facts: The thread.
        path: The file; one that is there is replaced.

    Returns:
        The path.
    """
    title = f"thread {facts.thread_id}"
    pictures = list(_pictures(facts)) if len(facts.tree) else []
    texts = _texts(facts) if pictures else ["<p>this thread has no checkpoints</p>"]
    body = "\n".join([*pictures, *texts])
    page = PAGE.format(policy=_policy(pictures), title=esc(title), summary=esc(facts.summary()), body=body)
    with new_file(path) as new:
        new.place.write(_bytes(page))
    return path


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _policy(pictures: Iterable[str]) -> str:
    """What a browser lets the page do: run the scripts of its pictures, known by their hashes, and send nothing."""
    hashes = [hashlib.sha256(_bytes(script)).digest() for each in pictures for script in SCRIPT.findall(each)]
    allowed = " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in hashes)
    return POLICY.format(scripts=allowed or "'none'")


def _pictures(facts: Facts) -> Iterator[str]:
    from .plot.context import context_figure
    from .plot.tokens import tokens_figure
    from .plot.tree.figure import figure
    from .plot.tree.from_facts import marks

    tree, title = facts.tree, facts.summary()
    tips = tree.tips_by_branch[: tree.outer]
    figures = (
        figure(tree, marks(facts), title=title),
        tokens_figure(facts, tips, title=title),
        context_figure(facts, tips, title=title),
    )
    for heading, drawn, code in zip(("The tree", "Tokens", "Context"), figures, ("inline", False, False), strict=True):
        page = drawn.to_html(full_html=False, include_plotlyjs=code, config=CONFIG, default_width="100%")
        yield f"<h2>{heading}</h2>{page}"


def _texts(facts: Facts) -> Iterator[str]:
    tree = facts.tree
    tips = tree.tips_by_branch[: tree.outer]
    branches = Overview({tree.label(tip): Side(facts, tip) for tip in tips})
    yield f"<h2>Branches</h2>{branches.html()}"
    yield "<h2>Messages</h2>"
    for tip in tips:
        heading = f"branch {tree.label(tip)}, to {esc(tree.heads[tip].id[-6:])}"
        yield f"<details><summary>{heading}</summary>{message_boxes(facts.states[tip]['values'])}</details>"
