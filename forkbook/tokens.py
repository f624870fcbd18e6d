"""Tokens of messages, checkpoints and paths. Pure.

**context tokens** of a checkpoint: counted tokens of the messages in its state. **spent tokens**: only AI messages
spend, each at the checkpoint where it is new: not at a checkpoint whose source is `fork`, and not where an ancestor
holds the same id with the same usage. What the model reported counts; without a report it is an estimate, input = the
parent's context, output = the message.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeGuard

from .counting import Counter, default_counter
from .messages import Key, Message, added, canonical, messages_in, role, same, usage
from .tree import Tree


@dataclass(frozen=True, slots=True)
class Spend:
    """What one AI message cost.

    Attributes:
        key: The message's key in its state.
        message: The message.
        input: Tokens that the model read.
        output: Tokens that it wrote.
        total: Both.
        reported: Whether the model said so; else it is an estimate.
    """

    key: Key
    message: Message
    input: int
    output: int
    total: int
    reported: bool


class Totals(NamedTuple):
    """Sums over messages: how many were reported and estimated, and their tokens; adds up with `plus`."""

    n_reported: int = 0
    n_estimated: int = 0
    input: int = 0
    output: int = 0
    total: int = 0
    reported: int = 0
    estimated: int = 0

    def plus(self, spends: Iterable[Spend]) -> "Totals":
        """These sums with some more messages."""
        sums = list(self)
        for spend in spends:
            kind = 0 if spend.reported else 1
            for column, amount in (
                (kind, 1),
                (2, spend.input),
                (3, spend.output),
                (4, spend.total),
                (5 + kind, spend.total),
            ):
                sums[column] += amount
        return Totals(*sums)


@dataclass(frozen=True, slots=True)
class New:
    """A message version where it is new: its parent holds no such message, or another version of it."""

    position: int
    key: Key
    message: Message
    spend: Spend | None


@dataclass(frozen=True)
class Ledger:
    """The accounts of one tree, by position.

    Attributes:
        n_messages: Messages in each checkpoint's state.
        new: Message versions that each checkpoint brought.
        lost: Message versions of its parent that each checkpoint has no more.
        changes: For each message key the positions where it is new, another version, or gone.
        context_of: Context tokens of one position.
        counter: Its name.
    """

    tree: Tree
    n_messages: list[int]
    new: list[list[New]]
    lost: list[list[Message]]
    changes: dict[Key, list[int]]
    context_of: Callable[[int], int]
    counter: str

    @cached_property
    def context(self) -> list[int]:
        """Context tokens of each checkpoint."""
        return [self.context_of(position) for position in range(len(self.tree))]

    def spends(self, positions: Sequence[int]) -> list[Spend]:
        """What the messages of some checkpoints cost."""
        return [item.spend for position in positions for item in self.new[position] if item.spend]

    def totals(self, positions: Sequence[int]) -> Totals:
        """Sums over what the messages of some checkpoints cost."""
        return Totals().plus(self.spends(positions))

    def method(self, sums: Totals) -> str:
        """How these numbers were got: `reported`, the counter's name, `mixed`, or `none`."""
        if sums.n_reported and sums.n_estimated:
            return "mixed"
        return "reported" if sums.n_reported else self.counter if sums.n_estimated else "none"

    @cached_property
    def paths(self) -> tuple[list[Totals], list[Totals]]:
        """For each position the sums of its whole path, and of the part that another tip's path holds, too."""
        whole: list[Totals] = []
        shared: list[Totals] = []
        for position, parent in enumerate(self.tree.parents):
            spends = self.spends([position])
            before = (whole[parent], shared[parent]) if parent >= 0 else (Totals(), Totals())
            whole.append(before[0].plus(spends) if spends else before[0])
            is_shared = self.tree.tips_below[position] > 1
            shared.append(before[1].plus(spends) if spends and is_shared else before[1])
        return whole, shared


def ledger(tree: Tree, values: Sequence[Any], counter: Counter | None = None) -> Ledger:
    """Account for every message of a tree, each spent once; linear in checkpoints and messages.

    Args:
        tree: The checkpoints.
        values: Their states' values, by position.
        counter: What counts tokens; by default `default_counter()`.
    """
    counter = counter or default_counter()
    counts: dict[int, int] = {}

    def count(message: Message) -> int:
        if (known := counts.get(id(message))) is None:
            known = counts[id(message)] = counter.count(message)
        return known

    covers = ancestry(tree)
    spent: dict[tuple[Any, bytes], list[int]] = {}
    changes: dict[Key, list[int]] = {}
    n_messages: list[int] = []
    new: list[list[New]] = []
    lost: list[list[Message]] = []
    context: list[int] = []

    def context_of(position: int) -> int:
        """From the parent's, what is new and what is gone; so nothing is counted for every checkpoint that holds it."""
        while len(context) <= position:
            here, parent = len(context), tree.parents[len(context)]
            gained = sum(count(item.message) for item in new[here]) - sum(map(count, lost[here]))
            context.append(gained + (context[parent] if parent >= 0 else 0))
        return context[position] if position >= 0 else 0

    for position, fresh, gone, held in _steps(tree, values):
        brought = []
        for key, message in fresh.items():
            spend = None
            if role(message) == "ai":
                places = spent.setdefault((key, canonical(usage(message))), [])
                if tree.heads[position].source != "fork" and not any(covers(place, position) for place in places):
                    spend = _spend(key, message, count, partial(context_of, tree.parents[position]))
                places.append(position)
            brought.append(New(position, key, message, spend))
        for key in fresh.keys() | gone.keys():
            changes.setdefault(key, []).append(position)
        n_messages.append(len(held))
        new.append(brought)
        lost.append(list(gone.values()))
    return Ledger(tree, n_messages, new, lost, changes, context_of, counter.name)


Held = dict[Key, Message]


def _steps(tree: Tree, values: Sequence[Any]) -> Iterator[tuple[int, Held, Held, Held]]:
    """For each position what its state has that the parent's has not, what is gone or replaced, and what it holds.

    Along a line the holdings are one dict that grows, so the whole costs as much as what is new.
    """
    holdings: dict[int, Held] = {}
    for position, parent in enumerate(tree.parents):
        before: Held = {}
        if parent >= 0:
            last_child = tree.children[parent][-1] == position
            before = holdings.pop(parent) if last_child else dict(holdings[parent])
        more = added(values[parent], values[position]) if parent >= 0 else None
        fresh, gone = dict(more or ()), {}
        if more is None or len(fresh) < len(more) or not before.keys().isdisjoint(fresh):
            now = dict(messages_in(values[position]))
            fresh = {
                key: message for key, message in now.items() if key not in before or not same(before[key], message)
            }
            gone = {key: message for key, message in before.items() if key in fresh or key not in now}
            before = now
        else:
            before |= fresh
        yield position, fresh, gone, before
        if tree.children[position]:
            holdings[position] = before


def _spend(key: Key, message: Message, count: Callable[[Message], int], read_before: Callable[[], int]) -> Spend:
    said = usage(message) or {}
    read, written = (said.get(name) for name in ("input_tokens", "output_tokens"))
    if not (_is_count(read) and _is_count(written)):
        read, written = read_before(), count(message)
        return Spend(key, message, read, written, read + written, reported=False)
    in_all = said.get("total_tokens")
    return Spend(key, message, read, written, in_all if _is_count(in_all) else read + written, reported=True)


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 2**53


def ancestry(tree: Tree) -> Callable[[int, int], bool]:
    """A test whether one position is the other's ancestor (or itself), in constant time."""
    entered, left, clock = [0] * len(tree), [0] * len(tree), 0
    for root in tree.roots:
        stack = [(root, False)]
        while stack:
            position, done = stack.pop()
            clock += 1
            if done:
                left[position] = clock
            else:
                entered[position] = clock
                stack.append((position, True))
                stack.extend((child, False) for child in tree.children[position])
    return lambda above, below: entered[above] <= entered[below] and left[below] <= left[above]
