"""Pieces of HTML for notebooks: calm, readable in light and dark, all foreign text escaped. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..model.messages import messages_in, role, text, tool_calls
from ..model.states import unknown_parts
from ..model.text import escape_lines, json_text
from ..tokens.usage import report_of

TEXT_SHOWN = 2_000
ROLE_COLORS = {"human": "#1976d2", "ai": "#00796b", "tool": "#8e6c00", "system": "#6d4c9f", "chat": "#6d6d6d"}
GREY = "color:#7a7f87"
CELL = "text-align:left;padding:2px 12px 2px 0"
WRAP = "white-space:pre-wrap;overflow-wrap:anywhere"


class Html(str):
    """What is HTML already, and safe."""

    __slots__ = ()


def esc(value: Any) -> str:
    """A value's text, escaped for HTML; its lines stay lines.

    Example:
        >>> from forkbook.plot.html import esc
        >>> esc(ValueError("<no>"))
        '&lt;no&gt;'
    """
    return escape_lines(str(value))


def lines(content: str) -> str:
    """HTML with its lines as close as text, not as far apart as controls."""
    return f"<div style='line-height:1.4'>{content}</div>"


def cut(value: str, length: int) -> str:
    """A text, escaped; what is cut off is counted."""
    rest = len(value) - length
    return esc(value) if rest <= 0 else f"{esc(value[:length])}<i style='{GREY}'> … {rest:,} more characters</i>"


def said(text: str, calls: Sequence[dict[str, Any]]) -> str:
    """What a message says, and what it calls."""
    return "\n".join(filter(None, [text, *(f"{call.get('name')}({line(call.get('args'))})" for call in calls)]))


def box(who: str, said: str, tokens: Any) -> str:
    """Who said what, at what cost."""
    cost = f" · {tokens} tokens" if tokens is not None else ""
    return (
        f"<div style='border-left:3px solid {ROLE_COLORS.get(who, '#6d6d6d')};padding:1px 8px;margin:5px 0'>"
        f"<small style='{GREY}'>{esc(who)}{esc(cost)}</small><div style='{WRAP}'>{cut(said, TEXT_SHOWN)}</div></div>"
    )


def message_boxes(values: Any, most: int | None = None) -> str:
    """The messages of a state, newest first, all of them or the newest; earlier ones are counted."""
    messages, unseen = [message for _, message in messages_in(values)][::-1], unseen_note(values)
    if not messages:
        return f"<i style='{GREY}'>{'no message can be seen' if unseen else 'no messages in this state'}{unseen}</i>"
    hidden = 0 if most is None else max(len(messages) - most, 0)
    note = f" · {hidden:,} earlier ones are not shown" if hidden else ""
    count = f"{'at least ' if unseen else ''}{len(messages):,} message{'' if len(messages) == 1 else 's'}"
    head = f"<small style='{GREY}'>{count}, newest first{note}{unseen}</small>"
    return head + "".join(map(message_box, messages[:most]))


def unseen_note(values: Any) -> str:
    """The channels of a state that may hold messages which cannot be seen, as HTML; empty if there are none."""
    parts = {part.channel or "the whole state": part.reason for part in unknown_parts(values) if part.may_hold_messages}
    return f" · not known: {esc('; '.join(f'{name} ({why})' for name, why in parts.items()))}" if parts else ""


def message_box(message: Mapping[str, Any]) -> str:
    """One message: who, what, its tool calls, its reported tokens."""
    report = report_of(message)
    return box(role(message) or "?", said(text(message), tool_calls(message)), report and report.total)


def table(names: Sequence[str], rows: Iterable[Sequence[Any]], marked: str | None = None) -> str:
    """A plain table; the row whose first cell is `marked` is bold."""
    head = "".join(f"<th style='{CELL}'>{esc(name)}</th>" for name in names)
    body = "".join(
        f"<tr{' style=font-weight:bold' if marked is not None and row[0] == marked else ''}>"
        + "".join(f"<td style='{CELL};vertical-align:top'>{cell_text(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return f"<table style='border-collapse:collapse'><tr>{head}</tr>{body}</table>"


def cell_text(cell: Any) -> str:
    """A cell: numbers with separators, the rest escaped and cut."""
    if isinstance(cell, Html):
        return cell
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else cut(str(cell), 500)


def bar(parts: Sequence[tuple[float, str]], most: float) -> Html:
    """Amounts in their colours one after the other; `most` is as wide as the cell."""
    boxes = "".join(
        f"<span style='display:inline-block;height:9px;width:{amount / (most or 1):.1%};background:{color}'></span>"
        for amount, color in parts
    )
    return Html(f"<div style='width:160px;white-space:nowrap;font-size:0'>{boxes}</div>")


def line(value: Any) -> str:
    """JSON in one line."""
    return json_text(value)
