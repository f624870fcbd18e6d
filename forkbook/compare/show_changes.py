"""The changes of a diff as a terminal and a notebook show them. Pure; all foreign text is escaped.

What is too long is cut here, never in the data, and it says how much is not shown.
"""

from collections.abc import Sequence

from ..model.text import escape, escape_lines
from .change import MARKS, Change, long_text, moved, shorter, text_line, value_text, values, where, words

HTML_SHOWN = 2_000  # characters
AROUND_HTML = 120  # characters of equal text that stay beside a change
GREY = "color:#7a7f87"
STYLES = {
    "insert": "background:rgba(0,163,92,0.20);text-decoration:none",
    "delete": "background:rgba(217,48,37,0.20)",
}
TAGS = {"insert": "ins", "delete": "del"}


def text_of(changes: Sequence[Change], limit: int) -> str:
    """One line per change; after so many, how many more there are."""
    return "\n".join([text_line(change) for change in changes[:limit]] + _rest(changes, limit)) or "no difference"


def html_of(changes: Sequence[Change], limit: int) -> str:
    """One block per change; after so many, how many more there are."""
    if not changes:
        return f"<i style='{GREY}'>no difference</i>"
    blocks = [html_block(change) for change in changes[:limit]]
    blocks += [f"<i style='{GREY}'>{escape(note)}</i>" for note in _rest(changes, limit)]
    return f"<div class='forkbook-diff' style='line-height:1.4'>{''.join(blocks)}</div>"


def html_block(change: Change) -> str:
    """One change: where, then what came and went."""
    first, *inside = where(change)
    heading = f"<b>{escape(first)}</b>{''.join(f' · {escape(step)}' for step in inside)}"
    if change.kind == "moved":
        said = f"<span style='{GREY}'>{escape(moved(change))}</span>"
    elif long_text(change):
        said = "".join(marked(op, part) for op, part in words(change, HTML_SHOWN, AROUND_HTML))
    else:
        sides = [shorter(value_text(side), HTML_SHOWN) for side in values(change)]
        ops = {"added": ["insert"], "removed": ["delete"]}.get(change.kind, ["delete", "insert"])
        said = " → ".join(marked(op, side) for op, side in zip(ops, sides, strict=True))
    return (
        f"<div style='margin:4px 0'><span style='{GREY}'>{MARKS[change.kind]}</span>{heading}"
        f"<div style='white-space:pre-wrap;overflow-wrap:anywhere;padding-left:16px'>{said}</div></div>"
    )


def marked(op: str, part: str) -> str:
    """A piece of text as HTML, marked as what came or went; lines stay lines."""
    safe = escape_lines(part)
    if op == "note":
        return f"<i style='{GREY}'>{safe}</i>"
    return f"<{TAGS[op]} style='{STYLES[op]}'>{safe}</{TAGS[op]}>" if op in TAGS else safe


def _rest(changes: Sequence[Change], limit: int) -> list[str]:
    more = len(changes) - limit
    return [f"… {more:,} more change{'' if more == 1 else 's'}"] if more > 0 else []
