"""Two checkpoints side by side: where they parted, what each said since, what each cost."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .facts import Facts
from .frames import INT, METHOD, OBJECT, ROLE, TEXT, Columns, frame, tokens
from .messages import canonical, messages_in, role, text, tool_calls, usage
from .tokens import Totals

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Columns = {
    "side": ("shared", "a", "b"), "message_id": TEXT, "role": ROLE, "text": TEXT, "tool_calls": OBJECT,
    "input_tokens": INT, "output_tokens": INT, "total_tokens": INT, "method": METHOD,
}  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """What two checkpoints of one thread have in common and apart.

    Attributes:
        a: Id of the one checkpoint.
        b: Id of the other.
        ancestor: Id of their youngest common ancestor; None under different roots.
        parted_at: What made the common ancestor, in a few words.
        shared_tokens: Spent tokens up to the common ancestor of these two; in `tokens_df`, shared is what *any* other
            branch holds, too.
        own_a: Spent tokens of `a` since.
        own_b: Spent tokens of `b` since.
        method: How these numbers were got.
        labels: The branches' labels of `a` and `b`.
        rows: A row a message, as in `df()`.
    """

    a: str
    b: str
    ancestor: str | None
    parted_at: str
    shared_tokens: int
    own_a: int
    own_b: int
    method: str
    labels: tuple[str, str]
    rows: tuple[dict[str, Any], ...]

    def df(self) -> "pd.DataFrame":
        """The messages of both states: rows `shared` are in both, `a` and `b` in one; tokens where spent since."""
        return frame(list(self.rows), COLUMNS)

    def __repr__(self) -> str:
        label_a, label_b = self.labels
        where = f"parted at {self.ancestor[-6:]} ({self.parted_at})" if self.ancestor else "different roots"
        return (
            f"{label_a} {self.a[-6:]} ↔ {label_b} {self.b[-6:]}: {where} · shared {self.shared_tokens:,} tokens · "
            f"own {self.own_a:,} / {self.own_b:,} ({self.method})"
        )


def compare(facts: Facts, a: int, b: int) -> Comparison:
    """Compare two positions of one thread."""
    tree, accounts = facts.tree, facts.ledger
    ancestor = tree.common_ancestor(a, b)
    paths = [set(tree.lineage(position)) for position in (a, b)]
    shared = accounts.spends(sorted(paths[0] & paths[1]))
    own = [accounts.spends(sorted(path - paths[1 - side])) for side, path in enumerate(paths)]
    held = [dict(messages_in(facts.states[position]["values"])) for position in (a, b)]
    costs = {(s.key, canonical(usage(s.message))): s for s in (*shared, *own[0], *own[1])}
    rows = []
    for side, name in ((0, "a"), (1, "b")):
        for key, message in held[side].items():
            same = held[1 - side].get(key) == message
            if same and side == 1:
                continue
            spend = costs.get((key, canonical(usage(message)))) if role(message) == "ai" else None
            sums = Totals().plus([spend] if spend else [])
            rows.append(
                {
                    "side": "shared" if same else name,
                    "message_id": message.get("id"),
                    "role": role(message),
                    "text": text(message),
                    "tool_calls": tool_calls(message),
                    "method": accounts.method(sums),
                }
                | (tokens(sums) if spend else {"total_tokens": None})
            )
    return Comparison(
        a=tree.heads[a].id,
        b=tree.heads[b].id,
        ancestor=None if ancestor is None else tree.heads[ancestor].id,
        parted_at="" if ancestor is None else facts.title(ancestor),
        shared_tokens=Totals().plus(shared).total,
        own_a=Totals().plus(own[0]).total,
        own_b=Totals().plus(own[1]).total,
        method=accounts.method(Totals().plus([*shared, *own[0], *own[1]])),
        labels=(tree.label(a), tree.label(b)),
        rows=tuple(sorted(rows, key=lambda row: ("shared", "a", "b").index(row["side"]))),
    )
