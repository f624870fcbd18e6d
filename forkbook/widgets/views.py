"""What the inspector shows of a checkpoint, as HTML. Pure functions; all foreign text is escaped."""

import html
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from ..checkpoint import Checkpoint
from ..compare import Comparison
from ..messages import messages_in, role, text, tool_calls, usage

MESSAGES_SHOWN, TEXT_SHOWN, STATE_SHOWN = 50, 2_000, 20_000
ROLE_COLORS = {"human": "#1976d2", "ai": "#00796b", "tool": "#8e6c00", "system": "#6d4c9f", "chat": "#6d6d6d"}
GREY = "color:#7a7f87"
WRAP = "white-space:pre-wrap;overflow-wrap:anywhere"


def esc(value: Any) -> str:
    """Foreign text on its way into HTML."""
    return html.escape(str(value))


def lines(content: str) -> str:
    """HTML with its lines as close as text, not as far apart as controls."""
    return f"<div style='line-height:1.4'>{content}</div>"


def cut(value: str, length: int) -> str:
    """A text, escaped; what is cut off is counted."""
    rest = len(value) - length
    return esc(value) if rest <= 0 else f"{esc(value[:length])}<i style='{GREY}'> … {rest:,} more characters</i>"


def heading(checkpoint: Checkpoint) -> str:
    """One line about a checkpoint."""
    facts = [f"step {checkpoint.step}", checkpoint.title, f"branch {checkpoint.branch}"]
    if checkpoint.is_tip:
        facts.append(f"tip, {checkpoint.status}")
    if checkpoint.next:
        facts.append(f"next: {', '.join(checkpoint.next)}")
    error = checkpoint.history.facts.error(checkpoint.position)
    trouble = f"<div style='color:#c62828'>✗ {cut(error, TEXT_SHOWN)}</div>" if error else ""
    return lines(f"<b>checkpoint {esc(checkpoint.short_id)}</b> · {esc(' · '.join(facts))}{trouble}")


def messages_view(checkpoint: Checkpoint) -> str:
    """The messages of the state, newest first."""
    messages = [message for _, message in messages_in(checkpoint.state["values"])]
    if not messages:
        return f"<i style='{GREY}'>no messages in this state</i>"
    hidden = len(messages) - MESSAGES_SHOWN
    note = f" · {hidden:,} earlier ones are not shown" if hidden > 0 else ""
    boxes = "".join(message_box(message) for message in messages[: -MESSAGES_SHOWN - 1 : -1])
    count = f"{len(messages):,} message{'' if len(messages) == 1 else 's'}"
    return lines(f"<small style='{GREY}'>{count}, newest first{note}</small>{boxes}")


def message_box(message: dict[str, Any]) -> str:
    """One message: who, what, its tool calls, its reported tokens."""
    who = role(message) or "?"
    reported = usage(message)
    return box(who, said(text(message), tool_calls(message)), reported.get("total_tokens") if reported else None)


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


def state_view(checkpoint: Checkpoint) -> str:
    """The values as JSON."""
    return f"<pre style='{WRAP};line-height:1.4'>{cut(json(checkpoint.state['values']), STATE_SHOWN)}</pre>"


def tasks_view(checkpoint: Checkpoint) -> str:
    """The tasks that start from here."""
    tasks = checkpoint.tasks
    if not tasks:
        return f"<i style='{GREY}'>nothing runs from here</i>"
    return lines(
        table(
            ("task", "interrupts", "error", "writes"),
            [
                (task.get("name"), values_of(task.get("interrupts")), task.get("error") or "", json(task.get("result")))
                for task in tasks
            ],
        )
    )


def tokens_view(checkpoint: Checkpoint) -> str:
    """What this checkpoint spent, and the branches side by side."""
    facts, here = checkpoint.history.facts, checkpoint.position
    spent = facts.ledger.totals([here])
    method = facts.ledger.method(spent)
    cost = f"{spent.total:,} tokens spent here ({method})" if method != "none" else "nothing spent here"
    context = f"{facts.ledger.context[here]:,} tokens of context ({facts.ledger.counter})"
    return lines(f"<p>{esc(cost)} · {esc(context)}</p>{branch_tokens(checkpoint)}")


def branch_tokens(checkpoint: Checkpoint) -> str:
    """Spent tokens of every branch: shared with others, its own, in all."""
    df = checkpoint.history.tokens_df()
    columns = ("branch", "shared_tokens", "own_tokens", "total_tokens", "method")
    rows = [tuple(getattr(row, name) for name in columns) for row in df.itertuples()]
    return table(("branch", "shared", "own", "total", "method"), rows, marked=checkpoint.branch)


def comparison_view(comparison: Comparison) -> str:
    """Two branches: where they parted, what they cost, what each said since."""
    a, b = comparison.labels
    sides = {side: [row for row in comparison.rows if row["side"] == side] for side in ("shared", "a", "b")}
    split = table(
        ("", "tokens"),
        [("shared", comparison.shared_tokens), (f"only {a}", comparison.own_a), (f"only {b}", comparison.own_b)],
    )
    columns = [side_by_side(label, sides[side]) for side, label in (("a", a), ("b", b))]
    return lines(
        f"<p class='forkbook-comparison'>{esc(comparison)}</p>{split}"
        f"<p style='{GREY}'>{len(sides['shared'])} messages in both</p>"
        f"<div style='display:flex;gap:16px;flex-wrap:wrap'>{''.join(columns)}</div>"
    )


def side_by_side(label: str, rows: Sequence[dict[str, Any]]) -> str:
    """The messages that only one branch has, as a column."""
    boxes = "".join(box(row["role"], said(row["text"], row["tool_calls"]), row["total_tokens"]) for row in rows)
    nothing = f"<p style='{GREY}'>no messages of its own</p>"
    return f"<div style='flex:1;min-width:200px'><b>only {esc(label)}</b>{boxes or nothing}</div>"


def table(names: Sequence[str], rows: Iterable[Sequence[Any]], marked: str | None = None) -> str:
    """A plain table; the row whose first cell is `marked` is bold."""
    head = "".join(f"<th style='text-align:left;padding:2px 12px 2px 0'>{esc(name)}</th>" for name in names)
    body = "".join(
        f"<tr{' style=font-weight:bold' if marked is not None and row[0] == marked else ''}>"
        + "".join(f"<td style='padding:2px 12px 2px 0;vertical-align:top'>{cell_text(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return f"<table style='border-collapse:collapse'><tr>{head}</tr>{body}</table>"


def cell_text(cell: Any) -> str:
    """A cell: numbers with separators, the rest escaped and cut."""
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else cut(str(cell), 500)


def values_of(interrupts: Any) -> str:
    """What interrupts asked."""
    return "; ".join(line(item.get("value")) for item in interrupts or ())


def line(value: Any) -> str:
    """JSON in one line."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=repr).decode()


def json(value: Any) -> str:
    """JSON with two spaces, for reading; empty for None."""
    return (
        ""
        if value is None
        else orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=repr).decode()
    )
