"""Two checkpoints side by side: where they parted, what each did since, what each cost. Pure.

They may be of one thread, of two (a copy keeps the ids, so its branches part where they really did), or of two books.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..columns import BOOL, FLOAT, INT, OBJECT, TEXT, Columns, Row
from ..frames import DETAILS, METHOD, ROLE, details, frame, money, tokens, with_prices
from ..model.messages import messages_in, role, text, tool_calls
from ..model.text import shown
from ..tokens import Totals
from ..tokens.prices import rate_of
from ..tokens.usage import report_of
from .diff import Diff, diff
from .show_comparison import comparison_html
from .side import Side

if TYPE_CHECKING:
    import pandas as pd

SIDES = ("shared", "a", "b")
SPENT: Columns = {"input_tokens": INT, "output_tokens": INT, "total_tokens": INT}
MESSAGES: Columns = {
    "side": SIDES, "message_id": TEXT, "role": ROLE, "text": TEXT, "tool_calls": OBJECT, **SPENT, "method": METHOD,
    **DETAILS,
}  # fmt: skip
TASKS: Columns = {
    "side": SIDES, "checkpoint_id": TEXT, "task_id": TEXT, "name": TEXT, "finished": BOOL, "error": TEXT,
    "interrupts": OBJECT, "writes": OBJECT,
}  # fmt: skip
TOKENS: Columns = {
    "side": SIDES, "thread_id": TEXT, "branch": TEXT, "checkpoint_id": TEXT, "n_checkpoints": INT, **SPENT,
    "reported_tokens": INT, "estimated_tokens": INT, "method": METHOD, "seconds": FLOAT, **DETAILS, "known_tokens": INT,
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Comparison:
    """What two checkpoints have in common and apart; `compare(b, a)` says the same, mirrored.

    Attributes:
        sides: The two, as facts and positions.
        n_shared: Checkpoints that both paths begin with.

    Example:
        >>> found = history.compare("A", "B")
        >>> found.shared_tokens, found.own_a, found.own_b
        (0, 21, 18)
    """

    sides: tuple[Side, Side]
    n_shared: int

    @property
    def a(self) -> str:
        """Id of the one checkpoint."""
        return self.sides[0].id

    @property
    def b(self) -> str:
        """Id of the other."""
        return self.sides[1].id

    @property
    def ancestor(self) -> str | None:
        """Id of their youngest common ancestor; None under different roots."""
        return self.sides[0].path_ids[self.n_shared - 1] if self.n_shared else None

    @property
    def parted_at(self) -> str:
        """What made the common ancestor, in a few words; empty under different roots."""
        side = self.sides[0]
        return side.facts.title(side.path[self.n_shared - 1]) if self.n_shared else ""

    @property
    def first_a(self) -> str | None:
        """Id of the first checkpoint that is only on the path to `a`; None if `a` is the common ancestor."""
        return next(iter(self.sides[0].path_ids[self.n_shared :]), None)

    @property
    def first_b(self) -> str | None:
        """The same of `b`."""
        return next(iter(self.sides[1].path_ids[self.n_shared :]), None)

    @property
    def labels(self) -> tuple[str, str]:
        """The labels of their branches; with the thread, where there are two."""
        a, b = (side.facts.tree.label(side.position) for side in self.sides)
        threads = [side.facts.thread_id for side in self.sides]
        if threads[0] == threads[1]:
            return a, b
        return f"{a} of {threads[0][-6:]}", f"{b} of {threads[1][-6:]}"

    @cached_property
    def diff(self) -> Diff:
        """What turns the state of `a` into that of `b`: one row per change, a JSON Patch, HTML, text."""
        return diff(self.sides[0].values, self.sides[1].values)

    @cached_property
    def totals(self) -> dict[str, Totals]:
        """Spent tokens, each message once: `shared` up to the common ancestor, `a` and `b` since.

        In `tokens_df` of a history, shared is what *any* other branch holds, too.
        """
        return {name: side.totals(positions) for name, side, positions in self._parts()}

    @property
    def shared_tokens(self) -> int | None:
        """Spent tokens up to the common ancestor; None: unknown."""
        return self.totals["shared"].total

    @property
    def own_a(self) -> int | None:
        """Spent tokens of `a` since; None: unknown."""
        return self.totals["a"].total

    @property
    def own_b(self) -> int | None:
        """Spent tokens of `b` since; None: unknown."""
        return self.totals["b"].total

    @property
    def seconds(self) -> tuple[float | None, float | None]:
        """Time that `a` and `b` took since, people's time left out; None where it is not known."""
        _, *own = self._parts()
        seconds_a, seconds_b = (side.seconds(positions) for _, side, positions in own)
        return seconds_a, seconds_b

    @property
    def method(self) -> str:
        """How the tokens were got: `reported`, the counter's name, `mixed`, `none`, or `unknown` if some were not."""
        methods = {side.facts.ledger.method(self.totals[name]) for name, side, _ in self._parts()} - {"none"}
        if "unknown" in methods:
            return "unknown"
        return "none" if not methods else methods.pop() if len(methods) == 1 else "mixed"

    def _parts(self) -> Iterator[tuple[str, Side, list[int]]]:
        a, b = self.sides
        yield "shared", a, a.path[: self.n_shared]
        yield "a", a, a.path[self.n_shared :]
        yield "b", b, b.path[self.n_shared :]

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of `messages_df`."""
        held = [dict(messages_in(side.values)) for side in self.sides]
        costs = {
            (name, spend.key, report_of(spend.message)): spend
            for name, side, positions in self._parts()
            for spend in side.spends(positions)
        }
        found: dict[str, list[Row]] = {name: [] for name in SIDES}
        for number, name in enumerate(SIDES[1:]):
            accounts = self.sides[number].facts.ledger
            for key, message in held[number].items():
                other = held[1 - number].get(key)
                same = other == message
                if same and number == 1:
                    continue
                paid = (key, report_of(message))
                parts = SIDES if same else ("shared", name)  # what both hold now may have been made on either side
                found_costs = [costs.get((part, *paid)) for part in parts if role(message) == "ai"]
                spends = [spend for spend in found_costs if spend]
                if other and not same and report_of(other) == paid[1]:
                    spends = [spend for spend in spends if spend.message == message]  # else a person edited it here
                sums = Totals().plus(spends)
                untold = role(message) == "ai" and not spends and any(self.totals[part].n_unknown for part in parts)
                found["shared" if same else name].append(
                    {
                        "side": "shared" if same else name,
                        "message_id": message.get("id"),
                        "role": role(message),
                        "text": text(message),
                        "tool_calls": tool_calls(message),
                        "method": "unknown" if untold else accounts.method(sums),
                    }
                    | ({**tokens(sums), **details(sums)} if spends else {})
                )
        return [row for rows in found.values() for row in rows]

    @cached_property
    def unknown(self) -> dict[str, dict[str, str]]:
        """For `a` and `b` the channels of the state that may hold messages which cannot be seen, and why."""
        return {name: dict(side.hidden) for name, side in zip(SIDES[1:], self.sides, strict=True)}

    def messages_df(self) -> "pd.DataFrame":
        """The messages of both states: rows `shared` are in both, `a` and `b` in one; tokens where they were spent.

        Of a state that is not known as a whole (`unknown` says which) it has those that can be seen.
        """
        return frame(self.rows, MESSAGES)

    def df(self) -> "pd.DataFrame":
        """One row per message: `messages_df`. Costs are in `tokens_df`, the states' differences in `diff.df()`.

        Returns:
            Columns: side (`shared`: in both states; `a`, `b`: in one), message_id, role, text, tool_calls,
            input_tokens, output_tokens, total_tokens (null where nothing was spent), method, cache_read_tokens,
            cache_creation_tokens, reasoning_tokens.
        """
        return self.messages_df()

    def tasks_df(self) -> "pd.DataFrame":
        """The tasks that ran since the common ancestor, under the checkpoint they started from.

        `finished` is False for tasks that failed or wait for an answer.
        """
        return frame([row for part in list(self._parts())[1:] for row in _tasks(*part)], TASKS)

    def tokens_df(self, prices: Any = None) -> "pd.DataFrame":
        """Three rows: what both spent up to the common ancestor, and each since; with the seconds it took.

        Own is what was spent since these two parted; in `History.tokens_df` what no other branch holds.

        Args:
            prices: As in `History.tokens_df`; adds `cost` and `unpriced_tokens` of each row.

        Returns:
            Columns: side (`shared`, `a`, `b`), thread_id, branch, checkpoint_id, n_checkpoints, input_tokens,
            output_tokens, total_tokens, reported_tokens, estimated_tokens, method, seconds, cache_read_tokens,
            cache_creation_tokens, reasoning_tokens, known_tokens (the least that total_tokens can be, where it is
            unknown and so null).
        """
        rate, rows = None if prices is None else rate_of(prices), list[Row]()
        for name, side, positions in self._parts():
            sums = self.totals[name]
            rows.append(
                {
                    "side": name,
                    "thread_id": side.facts.thread_id,
                    "branch": None if name == "shared" else side.facts.tree.label(side.position),
                    "checkpoint_id": self.ancestor if name == "shared" else side.id,
                    "n_checkpoints": len(positions),
                    "reported_tokens": sums.reported,
                    "estimated_tokens": sums.estimated,
                    "method": side.facts.ledger.method(sums),
                    "seconds": side.seconds(positions),
                    "known_tokens": sums.known.total,
                }
                | tokens(sums)
                | details(sums)
                | (money(side.bill(positions, rate)) if rate else {})
            )
        return frame(rows, with_prices(TOKENS, prices))

    @shown
    def __repr__(self) -> str:
        label_a, label_b = self.labels
        where = f"parted at {self.ancestor[-6:]} ({self.parted_at})" if self.ancestor else "different roots"
        took = [f"{seconds:.2f} s" if seconds is not None else "unknown" for seconds in self.seconds]
        timed = f" · {took[0]} / {took[1]}" if self.seconds != (None, None) else ""
        return (
            f"{label_a} {self.a[-6:]} ↔ {label_b} {self.b[-6:]}: {where} · shared {self.totals['shared']} tokens · "
            f"own {self.totals['a']} / {self.totals['b']} ({self.method}){timed}{self._unseen()}"
        )

    def _unseen(self) -> str:
        parts = [f"{', '.join(hidden)} of {name}" for name, hidden in self.unknown.items() if hidden]
        return f" · not known: {'; '.join(parts)}" if parts else ""

    def html(self) -> str:
        """The comparison as HTML: what both cost and said, and how their states differ."""
        return comparison_html(
            str(self),
            self.labels,
            self.rows,
            list(zip(self.totals.values(), (None, *self.seconds), strict=True)),
            self.diff,
            is_known=not any(self.unknown.values()),
        )

    def _repr_html_(self) -> str:
        return self.html()


def _tasks(name: str, side: Side, positions: Sequence[int]) -> Iterator[Row]:
    tree, states = side.facts.tree, side.facts.states
    ran = [
        (tree.parents[at], True)
        for at in positions
        if tree.heads[at].source in ("loop", None) and tree.parents[at] >= 0
    ]
    stopped = [(at, False) for at in positions[-1:]]
    for start, finished in ran + stopped:
        for task in states[start]["tasks"] or ():
            if finished or task.get("error") is not None or task.get("interrupts"):
                yield {
                    "side": name,
                    "checkpoint_id": tree.heads[start].id,
                    "task_id": task.get("id"),
                    "name": task.get("name"),
                    "finished": finished,
                    "error": None if task.get("error") is None else str(task["error"]),
                    "interrupts": task.get("interrupts"),
                    "writes": task.get("result"),
                }


def compare(a: Side, b: Side) -> Comparison:
    """Compare two checkpoints, of one thread or of two.

    They have in common what both paths begin with: the checkpoints with the same ids.
    """
    pairs = zip(a.path_ids, b.path_ids, strict=False)
    n_shared = next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(a.path), len(b.path)))
    return Comparison((a, b), n_shared)
