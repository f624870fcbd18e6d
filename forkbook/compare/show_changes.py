"""The changes of a diff as a terminal and a notebook show them. Pure; all foreign text is escaped.

What is too long is cut here, never in the data, and it says how much is not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..model.meaning import line
from ..model.messages import role, text, tool_calls
from ..model.text import escape, visible

if TYPE_CHECKING:
    from .diff import Change

Part = tuple[str, str]  # what happened (equal, insert, delete, note), and the text

LONG_TEXT, LINE_SHOWN, HTML_SHOWN = 60, 200, 2_000  # characters
AROUND_LINE, AROUND_HTML = 20, 120  # characters of equal text that stay beside a change
MARKS = {"added": "+ ", "removed": "− ", "changed": "", "moved": "↷ "}
GREY = "color:#7a7f87"
STYLES = {
    "insert": "background:rgba(0,163,92,0.20);text-decoration:none",
    "delete": "background:rgba(217,48,37,0.20)",
}
TAGS = {"insert": "ins", "delete": "del"}
TERMINAL = {"insert": "{{+{}+}}", "delete": "[-{}-]"}


def text_of(changes: Sequence[Change], limit: int) -> str:
    """A line a change; after so many, how many more there are."""
    return "\n".join([text_line(change) for change in changes[:limit]] + _rest(changes, limit)) or "no difference"


def text_line(change: Change) -> str:
    """One change on one line: `topic: "cats" → "chickens"`."""
    heading = f"{MARKS[change.kind]}{visible(': '.join(where(change)))}"
    if change.kind == "moved":
        return f"{heading}: {visible(moved(change))}"
    if long_text(change):
        said = "".join(
            TERMINAL.get(op, "{}").format(visible(part)) for op, part in words(change, LINE_SHOWN, AROUND_LINE)
        )
        return f"{heading}: {said}"
    sides = [shorter(shown(side), LINE_SHOWN) for side in values(change)]
    return f"{heading}: {visible(' → '.join(sides))}"


def html_of(changes: Sequence[Change], limit: int) -> str:
    """A block a change; after so many, how many more there are."""
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
        sides = [shorter(shown(side), HTML_SHOWN) for side in values(change)]
        ops = {"added": ["insert"], "removed": ["delete"]}.get(change.kind, ["delete", "insert"])
        said = " → ".join(marked(op, side) for op, side in zip(ops, sides, strict=True))
    return (
        f"<div style='margin:4px 0'><span style='{GREY}'>{MARKS[change.kind]}</span>{heading}"
        f"<div style='white-space:pre-wrap;overflow-wrap:anywhere;padding-left:16px'>{said}</div></div>"
    )


def marked(op: str, part: str) -> str:
    """A piece of text as HTML, marked as what came or went; lines stay lines."""
    safe = "\n".join(map(escape, part.split("\n")))
    if op == "note":
        return f"<i style='{GREY}'>{safe}</i>"
    return f"<{TAGS[op]} style='{STYLES[op]}'>{safe}</{TAGS[op]}>" if op in TAGS else safe


def where(change: Change) -> list[str]:
    """The path; of a message who it is, then the path inside it."""
    from .diff import path_text

    if not change.depth:
        return [path_text(change.path)]
    named = f"id {change.message_id}" if change.message_id else "no id"
    inside = change.path[change.depth :]
    return [
        f"{path_text(change.path[: change.depth])} ({change.role}, {named})",
        *([path_text(inside)] if inside else []),
    ]


def moved(change: Change) -> str:
    """Where something was."""
    from .diff import path_text

    return f"moved from {path_text(change.from_path or ())}"


def values(change: Change) -> list[Any]:
    """What there is to show: the value that came or went, or both."""
    return {"added": [change.new], "removed": [change.old]}.get(change.kind, [change.old, change.new])


def long_text(change: Change) -> bool:
    """Whether a change is better shown word by word: in texts that are more than a few words."""
    both = (change.old, change.new)
    return change.kind == "changed" and all(isinstance(side, str) for side in both) and max(map(len, both)) > LONG_TEXT


def words(change: Change, shown: int, around: int) -> Iterator[Part]:
    """What changed in a text; long stretches without a change, and what is beyond so many characters, only counted."""
    parts = change.words()
    left = shown
    for number, (op, part) in enumerate(parts):
        if left <= 0:
            rest = sum(len(said) for _, said in parts[number:])
            yield "note", f" … {rest:,} more characters"
            return
        if op == "equal":
            pieces = folded(part, around if number else 0, around if number < len(parts) - 1 else 0)
        else:
            pieces = cut(op, part, left)
        for piece in pieces:
            left -= len(piece[1])
            yield piece


def folded(part: str, before: int, after: int) -> list[Part]:
    """Text that did not change: its beginning and end, and how much is between."""
    between = len(part) - before - after
    if between <= before + after:
        return [("equal", part)]
    ends = (part[:before], part[len(part) - after :])
    note = ("note", f"{' ' if before else ''}… {between:,} equal characters … ")
    return [piece for piece in (("equal", ends[0]), note, ("equal", ends[1])) if piece[1]]


def cut(op: str, part: str, length: int) -> list[Part]:
    """The beginning of a text, and how much more there is."""
    rest = len(part) - length
    return [(op, part)] if rest <= 0 else [(op, part[:length]), ("note", f" … {rest:,} more characters")]


def shorter(value: str, length: int) -> str:
    """The beginning of a text, and how much more there is."""
    return "".join(part for _, part in cut("", value, length))


def shown(value: Any) -> str:
    """A value as JSON; a message as what it says and calls."""
    if not (isinstance(value, dict) and role(value)):
        return line(value)
    calls = [f"{call.get('name')}({line(call.get('args'))})" for call in tool_calls(value)]
    return "\n".join(filter(None, [text(value), *calls])) or line(value)


def _rest(changes: Sequence[Change], limit: int) -> list[str]:
    more = len(changes) - limit
    return [f"… {more:,} more change{'' if more == 1 else 's'}"] if more > 0 else []
