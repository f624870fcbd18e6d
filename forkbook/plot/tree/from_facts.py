"""What pictures say of each checkpoint."""

from ...facts import Facts
from ...model.text import json_text
from ...model.tree import path_of
from .labels import Mark
from .plain_text import WIDTH, Line, line_text, tree_lines

SIGNS = {"waiting": "?", "interrupted": "?", "error": "✗"}


def marks(facts: Facts) -> list[Mark]:
    """One mark per position."""
    result = []
    for position, state in enumerate(facts.states):
        spent, hidden = facts.ledger.totals([position]), facts.holdings[position].hidden
        questions = [json_text(item.get("value")) for item in facts.interrupts(position)]
        result.append(
            Mark(
                title=title(facts, position),
                status=status(facts, position),
                next=None if state["next"] is None else tuple(state["next"]),
                created_at=state["created_at"],
                detail=facts.error(position) or "; ".join(questions),
                tokens=None if spent.is_nothing else spent.total,
                at_least=None if spent.is_known else spent.known.total,
                hidden="; ".join(f"{channel} ({reason})" for channel, reason in hidden.items()),
                run_id=facts.run_id(position),
            )
        )
    return result


def title(facts: Facts, position: int) -> str:
    """What made a checkpoint; in a subgraph after the node that runs it."""
    path = path_of(facts.tree.heads[position].ns)
    return f"{path[-1]}: {facts.title(position)}" if path else facts.title(position)


def status(facts: Facts, position: int) -> str:
    """A tip's status; above the tips `error` or `interrupted` where something happened, else nothing."""
    if not facts.tree.children[position]:
        return facts.status(position)
    return "error" if facts.error(position) else "interrupted" if facts.interrupts(position) else ""


def lines(facts: Facts, limit: int | None = 40, width: int = WIDTH) -> list[Line]:
    """The tree in the manner of `git log --graph`, as lines whose parts have roles; see `plain_text.tree_lines`."""
    positions = range(len(facts.states))
    titles = [title(facts, position) for position in positions]
    signs = [SIGNS.get(status(facts, position), "") for position in positions]
    return tree_lines(facts.tree, titles, signs, limit, width)


def text(facts: Facts) -> str:
    """The same as plain text."""
    return "\n".join(map(line_text, lines(facts)))
