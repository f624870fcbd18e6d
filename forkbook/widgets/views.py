"""What the inspector shows of a checkpoint, as HTML. Pure functions; all foreign text is escaped."""

from collections.abc import Callable

from ..checkpoint import Checkpoint
from ..compare.diff import diff
from ..frames import tokens_rows
from ..model.tree import TIP_WORD
from ..plot.html import GREY, TEXT_SHOWN, WRAP, cut, esc, json, lines, message_boxes, table, unseen_note, values_of
from ..tokens import amount
from .memory_tab import memory_view

MESSAGES_SHOWN, STATE_SHOWN = 50, 20_000


def heading(checkpoint: Checkpoint) -> str:
    """One line about a checkpoint."""
    facts = [f"step {checkpoint.step}", checkpoint.title, f"branch {checkpoint.branch}"]
    if (outer := checkpoint.inside) is not None:
        facts.append(f"in a subgraph that {outer.short_id} ran")
    if checkpoint.is_tip:
        facts.append(f"{TIP_WORD}, {checkpoint.status}")
    if checkpoint.next:
        facts.append(f"next: {', '.join(checkpoint.next)}")
    error = checkpoint.history.facts.error(checkpoint.position)
    trouble = f"<div style='color:#c62828'>✗ {cut(error, TEXT_SHOWN)}</div>" if error else ""
    return lines(f"<b>checkpoint {esc(checkpoint.short_id)}</b> · {esc(' · '.join(facts))}{trouble}")


def changes_view(checkpoint: Checkpoint) -> str:
    """What it changed in its parent's state."""
    parent = checkpoint.parent
    found = diff({} if parent is None else parent.state["values"] or {}, checkpoint.state["values"] or {})
    if not found:
        return f"<i style='{GREY}'>the state is the same as before</i>"
    since = "the beginning" if parent is None else f"checkpoint {parent.short_id}"
    count = f"{len(found):,} change{'' if len(found) == 1 else 's'} since {since}"
    return lines(f"<small style='{GREY}'>{esc(count)}</small>{found.html()}")


def messages_view(checkpoint: Checkpoint) -> str:
    """The messages of the state, newest first."""
    return lines(message_boxes(checkpoint.state["values"], MESSAGES_SHOWN))


def state_view(checkpoint: Checkpoint) -> str:
    """The values as JSON."""
    return f"<pre style='{WRAP};line-height:1.4'>{cut(json(checkpoint.state['values']), STATE_SHOWN)}</pre>"


def tasks_view(checkpoint: Checkpoint) -> str:
    """The tasks that start from here, side by side as they ran."""
    seconds = checkpoint.history.facts.task_seconds
    rows = [
        (
            task.get("name") or "unknown",
            values_of(task.get("interrupts")),
            task.get("error") or "",
            json(task.get("result")),
            "" if (took := seconds.get((checkpoint.position, str(task.get("id"))))) is None else f"{took:.2f}",
        )
        for task in checkpoint.state["tasks"] or ()
    ]
    if not rows:
        unknown = checkpoint.next is None
        return f"<i style='{GREY}'>{'what runs from here is not known' if unknown else 'nothing runs from here'}</i>"
    return lines(table(("task", "interrupts", "error", "writes", "seconds"), rows))


def tokens_view(checkpoint: Checkpoint) -> str:
    """What this checkpoint spent, and the branches side by side."""
    facts, here = checkpoint.history.facts, checkpoint.position
    spent = facts.ledger.totals([here])
    cost = f"{spent} tokens spent here ({facts.ledger.method(spent)})" if not spent.is_nothing else "nothing spent here"
    context = f"{amount(facts.ledger.context[here])} tokens of context ({facts.ledger.counter})"
    unseen = unseen_note(checkpoint.state["values"])
    return lines(f"<p>{esc(cost)} · {esc(context)}{unseen}</p>{branch_tokens(checkpoint)}")


def branch_tokens(checkpoint: Checkpoint) -> str:
    """Spent tokens of every branch: shared with others, its own, in all."""
    rows = [
        (
            row["branch"],
            amount(row["shared_tokens"]),
            amount(row["own_tokens"]),
            amount(row["total_tokens"], row["known_tokens"]),
            row["method"],
        )
        for row in tokens_rows(checkpoint.history.facts)
    ]
    return table(("branch", "shared", "own", "total", "method"), rows, marked=checkpoint.branch)


VIEWS: dict[str, Callable[[Checkpoint], str]] = {
    "Changed": changes_view,
    "Messages": messages_view,
    "State": state_view,
    "Tasks": tasks_view,
    "Tokens": tokens_view,
    "Memory": memory_view,
}
