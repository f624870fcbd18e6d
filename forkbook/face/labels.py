"""What stands beside a checkpoint in the tree: what was said or changed there, then who did it, in grey. Pure."""

from collections.abc import Mapping
from typing import Any

from ..facts import BY_HAND, Facts
from ..model.messages import role, text, tool_calls
from ..model.reserved import START
from ..model.states import is_placeholder
from ..model.text import cut, json_text, visible
from ..model.tree import path_of
from ..plot.tree.labels import ends
from ..tokens import amount
from ..tokens.usage import report_of

TEXT_SHOWN, GREY_SHOWN, VALUE_SHOWN = 90, 60, 40  # characters
READ = 400  # characters of a message that are looked at
BY_PEOPLE = {"update": "edit", "fork": "replay"}


def label(facts: Facts, position: int) -> list[str]:
    """The label of a checkpoint.

    Returns:
        What was said or changed, as `“Why did the cat …”` or `topic = "cats"`; in grey who did it, what went wrong or
        is asked, and the spent tokens; at the end of a branch its letter, else "".
    """
    tree = facts.tree
    letter = tree.label(position) if ends(tree, position) else ""
    return [cut(visible(_text(facts, position)), TEXT_SHOWN), _grey(facts, position), letter]


def said(message: Mapping[str, Any]) -> str:
    """A message in a few words: what it says, and what it calls."""
    words = " ".join(text(message)[:READ].split())
    if role(message) == "tool":
        return f"{message.get('name') or 'tool'}: {words}"
    return " ".join([f"“{words}”" if words else "", *map(call_text, tool_calls(message))]).strip() or "a message"


def call_text(call: Mapping[str, Any]) -> str:
    """A tool call as one writes it: `calculate("1 / 0")`."""
    args = call.get("args")
    given = [args] if not isinstance(args, Mapping) else args.values() if len(args) == 1 else []
    parts = [*map(short_json, given)] or [f"{name}={short_json(value)}" for name, value in dict(args or {}).items()]
    return f"{call.get('name')}({cut(', '.join(parts), TEXT_SHOWN)})"


def short_json(value: Any) -> str:
    """A value as JSON, cut."""
    return cut(json_text(value[:READ] if isinstance(value, str) else value), VALUE_SHOWN)


def starts(facts: Facts, position: int) -> bool:
    """Whether an input made a checkpoint, or led to it, or it is the first that is known of a subgraph."""
    head, parent = facts.tree.heads[position], facts.tree.parents[position]
    if head.source == "input":
        return True
    if head.source != "loop" or parent < 0:
        return parent < 0 and bool(head.ns)
    return facts.tree.heads[parent].source == "input" and facts.made_by(position) in ([], [START])


def made_by(facts: Facts, position: int) -> str:
    """Who made a checkpoint: its nodes, "start", "edit" or "replay"; in a subgraph after the node that runs it."""
    head = facts.tree.heads[position]
    if starts(facts, position):
        made = "start"
    else:
        made = BY_PEOPLE.get(head.source or "") or ", ".join(facts.made_by(position)) or facts.title(position)
    return f"{path_of(head.ns)[-1]}: {made}" if path_of(head.ns) else made


def spent(facts: Facts, position: int) -> str:
    """Spent tokens, as "21 tokens"; empty where none were.

    As the models reported them; by the ledger, with estimates, once that was asked for: it takes seconds where there
    are 50,000 checkpoints.
    """
    if "ledger" in vars(facts):
        sums = facts.ledger.totals([position])
        total = sums.total
        if sums.is_nothing or (total is None and not sums.known.total):
            return ""
        number = amount(total, sums.known.total)
    else:
        by_people = facts.tree.heads[position].source in ("input", *BY_HAND)
        fresh = () if by_people else facts.holdings[position].fresh.values()
        reports = [report for message in fresh if role(message) == "ai" and (report := report_of(message))]
        if not reports:
            return ""
        total = sum(report.total for report in reports)
        number = amount(total)
    return f"{number} token{'' if total == 1 else 's'}"


def _text(facts: Facts, position: int) -> str:
    held = facts.holdings[position]
    if held.fresh:
        return said(list(held.fresh.values())[-1])
    parts = [_change(name, value) for name, value in list(facts.changed(position).items())[:5]]
    if held.gone:
        number = len(held.gone)
        parts.insert(0, f"{number:,} message{'' if number == 1 else 's'} removed")
    if parts:
        return ", ".join(parts)
    made = BY_PEOPLE.get(facts.tree.heads[position].source or "")
    return made or ("start" if starts(facts, position) else "no change")


def _change(name: str, value: Any) -> str:
    if is_placeholder(value):
        return f"{name}: not known"
    if value is None or isinstance(value, str | int | float | bool):
        return f"{name} = {short_json(value)}"
    return name


def _grey(facts: Facts, position: int) -> str:
    error, asked = facts.error(position), facts.interrupts(position)
    parts = [
        cut(visible(made_by(facts, position)), GREY_SHOWN),
        cut(visible(error), GREY_SHOWN) if error else "",
        cut(f"asks {visible(_asked(asked[0]))}", GREY_SHOWN) if asked and not error else "",
        spent(facts, position),
    ]
    return " · ".join(part for part in parts if part)


def _asked(interrupt: Any) -> str:
    value = interrupt.get("value") if isinstance(interrupt, Mapping) else interrupt
    if isinstance(value, Mapping) and isinstance(value.get("question"), str):
        value = value["question"]
    return value if isinstance(value, str) else json_text(value)
