"""What the tabs of the inspector show of a checkpoint, as blocks. Pure.

The conversation is drawn from the page; memory and code are asked for elsewhere.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..compare.blocks_of import change_blocks
from ..compare.diff import diff
from ..facts import Facts
from ..frames import tokens_rows
from ..model.messages import channels
from ..model.secrets import masked
from ..model.states import holds_placeholder
from ..model.text import json_text
from ..tokens import amount
from .blocks import Block, counted, note, shorter, table, value_block
from .page import unknown_notes

VALUE_SHOWN, STATE_SHOWN, LEAST_SHOWN = 20_000, 200_000, 500  # characters: of a value, of all, of those beyond that
CELL_SHOWN, ERROR_SHOWN = 500, 5_000
BRANCHES_SHOWN = 300


def changes_view(facts: Facts, position: int) -> list[Block]:
    """What it changed in its parent's state."""
    parent = facts.tree.parents[position]
    before = channels(facts.states[parent]["values"]) if parent >= 0 else {}
    values = facts.states[position]["values"]
    found, unknown = diff(before, channels(values)), unknown_notes(values, with_channels=True)
    if not found:
        return [note("The state is the same as before."), *unknown]
    since = f"checkpoint {facts.tree.heads[parent].id[-6:]}" if parent >= 0 else "the beginning"
    if parent < 0 and facts.tree.heads[position].parent_id is not None:
        since = "nothing: the checkpoint before it is not in this history"
    return [note(f"{counted(len(found), 'change')} since {since}"), *change_blocks(found.changes), *unknown]


def state_view(facts: Facts, position: int) -> list[Block]:
    """Its values, channel by channel."""
    state = facts.states[position]
    rebuilt = state.get("rebuilt") or {}
    blocks, room = list(unknown_notes(state["values"])), STATE_SHOWN
    for name, value in channels(state["values"]).items():
        block = value_block(
            name, value, max(min(VALUE_SHOWN, room), LEAST_SHOWN), editable=not holds_placeholder(value)
        )
        room -= len(block["text"])
        blocks.append(block)
        if name in rebuilt:
            blocks.append(note(f"{name} was rebuilt from writes: {rebuilt[name]}"))
    return blocks or [note("The state is empty here.")]


def tasks_view(facts: Facts, position: int) -> list[Block]:
    """The tasks that start from here, side by side as they ran."""
    state = facts.states[position]
    tasks = state["tasks"] or ()
    if not tasks:
        unknown = state["next"] is None
        return [note("What runs from here is not known." if unknown else "Nothing runs from here.")]
    rows = [
        [
            task.get("name") or "unknown",
            facts.task_seconds.get((position, str(task.get("id")))),
            shorter("; ".join(json_text(raised.get("value")) for raised in task.get("interrupts") or ()), CELL_SHOWN),
            shorter(str(task.get("error") or ""), CELL_SHOWN),
            None if task.get("result") is None else shorter(json_text(task["result"]), CELL_SHOWN),
        ]
        for task in tasks
    ]
    errors = [str(task["error"]) for task in tasks if len(str(task.get("error") or "")) > CELL_SHOWN]
    return [
        table(("task", "seconds", "interrupts", "error", "writes"), rows, [1]),
        *(note(shorter(error, ERROR_SHOWN), "error") for error in errors),
    ]


def tokens_view(facts: Facts, position: int) -> list[Block]:
    """What this checkpoint spent, and the branches side by side."""
    ledger, tree = facts.ledger, facts.tree
    spent, context = ledger.totals([position]), ledger.context[position]
    blocks = [
        note("Nothing was spent here." if spent.is_nothing else f"{spent} tokens spent here ({ledger.method(spent)})"),
        note(f"{amount(context)} tokens of context ({ledger.counter})"),
        *(note(f"not known: {name} ({why})", "warn") for name, why in facts.holdings[position].hidden.items()),
    ]
    rows = list(tokens_rows(facts))
    cells = [
        [
            row["branch"],
            row["shared_tokens"],
            row["own_tokens"],
            row["total_tokens"] if row["total_tokens"] is not None else amount(None, row["known_tokens"]),
            row["method"],
        ]
        for row in rows[:BRANCHES_SHOWN]
    ]
    here = "" if tree.heads[position].ns else tree.label(position)
    marked = next((number for number, row in enumerate(rows[:BRANCHES_SHOWN]) if row["branch"] == here), -1)
    tips = [tree.index[row["tip_id"]] for row in rows[:BRANCHES_SHOWN]]
    names = ("branch", "shared tokens", "own tokens", "total tokens", "method")
    bars = [
        [row["branch"], [[row["shared_tokens"] or 0, "shared"], [row["own_tokens"] or 0, "own"]]]
        for row in rows[:BRANCHES_SHOWN]
    ]
    blocks.append(table(names, cells, (1, 2, 3), marked=marked, positions=tips))
    if len(rows) > BRANCHES_SHOWN:
        blocks.append(note(f"{BRANCHES_SHOWN} of {len(rows):,} branches"))
    if any(amounts for _, parts in bars for amounts, _ in parts):
        blocks.append({"kind": "bars", "rows": bars})
    return blocks


def metadata_view(facts: Facts, position: int) -> list[Block]:
    """What LangGraph keeps beside the state; secrets in it show as `***`."""
    state = facts.states[position]
    parts: dict[str, Any] = {
        "metadata": masked(state["metadata"]),
        "checkpoint": state["checkpoint"],
        "parent_checkpoint": state["parent_checkpoint"],
        "created_at": state["created_at"],
    }
    return [value_block(name, value, STATE_SHOWN, editable=False) for name, value in parts.items()]


VIEWS: Mapping[str, Callable[[Facts, int], list[Block]]] = {
    "Changes": changes_view,
    "State": state_view,
    "Tasks": tasks_view,
    "Tokens": tokens_view,
    "Metadata": metadata_view,
}
