"""Tokens of messages, checkpoints and paths. Pure.

**context tokens** of a checkpoint: counted tokens of the messages in its state. **spent tokens**: only AI messages
spend, each at the checkpoint where it is new: not at a checkpoint whose source is `fork`, and not where an ancestor
holds the same id with the same usage; with subgraphs, once for the checkpoints of a task and the one it leads to. On a
path what a task's subgraph spent counts where the task led to. What the model reported counts; without a report it is
an estimate, input = the parent's context, output = the message.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from ..messages import Key, Message, role, steps
from ..tree import Tree
from .counting import Counter, default_counter
from .reports import Report, report_of
from .spending import Spend, Totals, spend_of


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
        unknown: Content blocks of unknown cost in each checkpoint's state; `context` leaves them out.
        changes: For each message key the positions where it is new, another version, or gone.
        context_of: Context tokens of one position.
        unknown_of: Content blocks of unknown cost in one message.
        counter: Its name.
    """

    tree: Tree
    n_messages: list[int]
    new: list[list[New]]
    lost: list[list[Message]]
    unknown: list[int]
    changes: dict[Key, list[int]]
    context_of: Callable[[int], int]
    unknown_of: Callable[[Message], int]
    counter: str

    @cached_property
    def context(self) -> list[int]:
        """Context tokens of each checkpoint."""
        return [self.context_of(position) for position in range(len(self.tree))]

    def spends(self, positions: Sequence[int]) -> list[Spend]:
        """What the messages of some checkpoints cost."""
        return [item.spend for position in positions for item in self.new[position] if item.spend]

    def along(self, positions: Sequence[int]) -> list[int]:
        """These positions of one path, and those inside subgraphs whose spending belongs to the same path."""
        return [below for position in positions for below in self._gathered[position]]

    @cached_property
    def _gathered(self) -> list[list[int]]:
        return gathered(self.tree)

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
            spends = self.spends(self.along([position]))
            before = (whole[parent], shared[parent]) if parent >= 0 else (Totals(), Totals())
            whole.append(before[0].plus(spends) if spends else before[0])
            is_shared = self.tree.tips_below[position] > 1
            shared.append(before[1].plus(spends) if spends and is_shared else before[1])
        return whole, shared


def ledger(tree: Tree, values: Sequence[Any], counter: Counter | None = None) -> Ledger:
    """Account for every message of a tree, each spent once; linear in checkpoints and messages.

    Args:
        tree: The checkpoints. A message that a task's subgraph spent is not spent again where the graph that ran the
            task goes on, nor the other way round; a replay has tasks of its own, which spend again.
        values: Their states' values, by position.
        counter: What counts tokens; by default `default_counter()`.
    """
    counter = counter or default_counter()
    counts: dict[int, int] = {}

    def count(message: Message) -> int:
        if (known := counts.get(id(message))) is None:
            known = counts[id(message)] = counter.count(message)
        return known

    spent_before = spending_of(tree)
    spent: dict[tuple[Key, Report | None], list[int]] = {}
    changes: dict[Key, list[int]] = {}
    n_messages: list[int] = []
    new: list[list[New]] = []
    lost: list[list[Message]] = []
    unknown: list[int] = []
    context: list[int] = []

    def difference(position: int, measure: Callable[[Message], int]) -> int:
        return sum(measure(item.message) for item in new[position]) - sum(map(measure, lost[position]))

    def context_of(position: int) -> int:
        """From the parent's, what is new and what is gone; so nothing is counted for every checkpoint that holds it."""
        while len(context) <= position:
            here, parent = len(context), tree.parents[len(context)]
            context.append(difference(here, count) + (context[parent] if parent >= 0 else 0))
        return context[position] if position >= 0 else 0

    for position, fresh, gone, held in steps(tree, values):
        parent = tree.parents[position]
        brought = []
        for key, message in fresh.items():
            spend = None
            if role(message) == "ai":
                places = spent.setdefault((key, report_of(message)), [])
                if tree.heads[position].source != "fork" and not any(spent_before(at, position) for at in places):
                    spend = spend_of(key, message, count, partial(context_of, parent))
                places.append(position)
            brought.append(New(position, key, message, spend))
        for key in fresh.keys() | gone.keys():
            changes.setdefault(key, []).append(position)
        n_messages.append(len(held))
        new.append(brought)
        lost.append(list(gone.values()))
        unknown.append(difference(position, counter.unknown) + (unknown[parent] if parent >= 0 else 0))
    return Ledger(tree, n_messages, new, lost, unknown, changes, context_of, counter.unknown, counter.name)


def spending_of(tree: Tree) -> Callable[[int, int], bool]:
    """A test whether what an earlier position spent is spent for a later one that holds it, too."""
    covers = ancestry(tree)
    chains: dict[int, tuple[int, ...]] = {-1: ()}
    ends: dict[int, list[int]] = {}

    def tasks_of(position: int) -> tuple[int, ...]:
        """The checkpoints within whose tasks a position is, the nearest first."""
        if (host := tree.inside[position]) not in chains:
            chains[host] = (host, *tree.outwards(host))
        return chains[host]

    def last_of(host: int) -> list[int]:
        """Where the subgraphs ended that the tasks of a checkpoint ran: one with a memory began long before."""
        if host not in ends:
            own = tree.nested.get(host, [])
            ends[host] = [at for at in own if not any(tree.inside[child] == host for child in tree.children[at])]
        return ends[host]

    def given(at: int, position: int) -> bool:
        """Whether the position's own line has it, or that of a graph further out, which handed it in."""
        return covers(at, position) or any(covers(at, host) for host in tasks_of(position))

    def brought(at: int, position: int) -> bool:
        """Whether a task that led to the position has it."""
        parent = tree.parents[position]
        return parent >= 0 and (parent in tasks_of(at) or any(covers(at, end) for end in last_of(parent)))

    return lambda at, position: given(at, position) or brought(at, position) or brought(position, at)


def gathered(tree: Tree) -> list[list[int]]:
    """For each position those whose spending counts there on a path: itself, and the subgraphs of tasks that led to it.

    What a task spent that led nowhere yet counts at the checkpoint that it started from.
    """
    found = [[position] for position in range(len(tree))]
    for position, head in enumerate(tree.heads):
        for host in tree.outwards(position) if head.ns else ():
            later = (child for child in tree.children[host] if child > position)
            found[next((child for child in later if tree.heads[child].source in ("loop", None)), host)].append(position)
    return found


def branches_holding(accounts: Ledger) -> Callable[[int, Key], list[str]]:
    """A function that tells which branches hold the message version that is new at a position under a key."""
    tree, changes = accounts.tree, accounts.changes
    forks: dict[int, list[int]] = {}
    for start in tree.starts:
        if (parent := tree.parents[start]) >= 0:
            forks.setdefault(tree.branches[parent], []).append(start)

    def holding(position: int, key: Key) -> list[str]:
        found, stack = set(), [position]
        while stack:
            first = stack.pop()
            branch = tree.branches[first]
            found.add(branch)
            ends = (at for at in changes[key] if at > first and tree.branches[at] == branch)
            end = next(ends, len(tree))
            stack.extend(
                start
                for start in forks.get(branch, ())
                if first <= tree.parents[start] < end and start not in changes[key]
            )
        return [tree.labels[number] for number in sorted(found)]

    return holding


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
