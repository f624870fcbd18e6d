"""Tokens of messages, checkpoints and paths. Pure.

**context tokens** of a checkpoint: counted tokens of the messages in its state. **spent tokens**: only AI messages
spend that a model's call in this thread wrote: not those that an input, an edit or a command brought, nor notes that
say that no model wrote them. Each spends at the checkpoint where it is new: not at a checkpoint whose source is `fork`,
and not where an ancestor holds the same id with the same usage; with subgraphs, once for the checkpoints of a task and
the one it leads to. A message in parts under one id spends its last report. On a path what a task's subgraph spent
counts where the task led to. What the model reported counts; without a report it is an estimate, input = the parent's
context, output = the message. Of one that reported its input or its output alone the other is estimated.

**unknown is not zero**: of a checkpoint whose state, or whose parent's, is not known as a whole, it is unknown what is
new, and so what it spent; the same holds for a root whose older checkpoints are gone. Where such a root names no
parent, as after `durability="exit"`, what the models reported in it is known all the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..model.holdings import Holdings, holdings
from ..model.messages import Key, Message
from ..model.states import holds_placeholder
from ..model.tree import Tree
from .counting import Counter, default_counter
from .kinship import gathered
from .origins import brought as brought_by_people
from .spender import Spender, Unknown
from .spending import Spend, Totals


@dataclass(frozen=True, slots=True)
class New:
    """A message version where it is new: its parent holds no such message, or another version of it."""

    position: int
    key: Key
    message: Message
    spend: Spend | None


@dataclass(frozen=True)
class Ledger:
    """The accounts of one tree, by position; a number is None where it is unknown.

    Attributes:
        holdings: What each state holds beside its parent's.
        new: Message versions that each checkpoint brought.
        unknown_spent: Whether it is unknown, at least in part, what a checkpoint spent.
        changes: For each message key the positions where it is new, another version, or gone.
        context_of: Context tokens of one position.
        unknown_of: Content blocks of unknown cost in one message.
        counter: Its name.
    """

    tree: Tree
    holdings: Sequence[Holdings]
    new: list[list[New]]
    unknown_spent: list[bool]
    changes: dict[Key, list[int]]
    context_of: Callable[[int], int | None]
    unknown_of: Callable[[Message], int]
    counter: str

    @cached_property
    def n_messages(self) -> list[int | None]:
        """Messages in each checkpoint's state."""
        return [None if held.hidden else held.n_held for held in self.holdings]

    @cached_property
    def context(self) -> list[int | None]:
        """Context tokens of each checkpoint; what content blocks of unknown cost add is left out."""
        return [self.context_of(position) for position in range(len(self.tree))]

    @cached_property
    def unknown(self) -> list[int | None]:
        """Content blocks of unknown cost in each checkpoint's state."""
        sums = Sums(self.tree, self.holdings, self.unknown_of)
        return [None if held.hidden else sums.at(position) for position, held in enumerate(self.holdings)]

    def spends(self, positions: Sequence[int]) -> list[Spend]:
        """What the messages of some checkpoints cost, as far as that is known."""
        return [item.spend for position in positions for item in self.new[position] if item.spend]

    def n_unknown(self, positions: Sequence[int]) -> int:
        """Of how many of some checkpoints it is unknown, at least in part, what they spent."""
        return sum(self.unknown_spent[position] for position in positions)

    def along(self, positions: Sequence[int]) -> list[int]:
        """These positions of one path, and those inside subgraphs whose spending belongs to the same path."""
        return [below for position in positions for below in self._gathered[position]]

    @cached_property
    def _gathered(self) -> list[list[int]]:
        return gathered(self.tree)

    def totals(self, positions: Sequence[int]) -> Totals:
        """Sums over what the messages of some checkpoints cost."""
        return Totals().plus(self.spends(positions), self.n_unknown(positions))

    @cached_property
    def total(self) -> Totals:
        """The sums over the whole thread, each checkpoint once."""
        return self.totals(range(len(self.tree)))

    def method(self, sums: Totals) -> str:
        """How these numbers were got: `reported`, the counter's name, `mixed` or `none`; `unknown`: they were not."""
        if not sums.is_known:
            return "unknown"
        if sums.known.n_reported and sums.known.n_estimated:
            return "mixed"
        return "reported" if sums.known.n_reported else self.counter if sums.known.n_estimated else "none"

    @cached_property
    def paths(self) -> tuple[list[Totals], list[Totals]]:
        """For each position the sums of its whole path, and of the part that another tip's path holds, too."""
        whole: list[Totals] = []
        shared: list[Totals] = []
        for position, parent in enumerate(self.tree.parents):
            here = self.along([position])
            spends, n_unknown = self.spends(here), self.n_unknown(here)
            before = (whole[parent], shared[parent]) if parent >= 0 else (Totals(), Totals())
            adds = bool(spends or n_unknown)
            whole.append(before[0].plus(spends, n_unknown) if adds else before[0])
            is_shared = self.tree.tips_below[position] > 1
            shared.append(before[1].plus(spends, n_unknown) if adds and is_shared else before[1])
        return whole, shared


class Sums:
    """A measure of messages, summed over each state: from the parent's, what is new and what is gone.

    So nothing is measured for every checkpoint that holds it.
    """

    def __init__(self, tree: Tree, held: Sequence[Holdings], measure: Callable[[Message], int]) -> None:
        self._tree, self._held, self._measure = tree, held, measure
        self._sums: list[int] = []

    def at(self, position: int) -> int:
        """The sum over the messages of one state."""
        while len(self._sums) <= position:
            here, parent = self._held[len(self._sums)], self._tree.parents[len(self._sums)]
            gain = sum(map(self._measure, here.fresh.values())) - sum(map(self._measure, here.gone.values()))
            self._sums.append(gain + (self._sums[parent] if parent >= 0 else 0))
        return self._sums[position] if position >= 0 else 0


def ledger(
    tree: Tree,
    values: Sequence[object],
    counter: Counter | None = None,
    *,
    brought: Sequence[bool] | None = None,
    came_with_command: Callable[[int, Message], bool] | None = None,
    held: Sequence[Holdings] | None = None,
) -> Ledger:
    """Account for every message of a tree, each spent once; linear in checkpoints and messages.

    Args:
        tree: The checkpoints. A message that a task's subgraph spent is not spent again where the graph that ran the
            task goes on, nor the other way round; a replay has tasks of its own, which spend again.
        values: Their states' values, by position.
        counter: What counts tokens; by default `default_counter()`.
        brought: For each position whether what is new there came from people; by default what the sources say, see
            `tokens.origins`.
        came_with_command: Tells whether a message that is new at a position came with a command, see `tokens.origins`;
            by default none did.
        held: What `model.holdings` makes of the values, where that is known already.
    """
    counter = counter or default_counter()
    held = holdings(tree, values) if held is None else held
    brought = brought_by_people(tree) if brought is None else brought
    counts: dict[int, int] = {}

    def count(message: Message) -> int:
        if (known := counts.get(id(message))) is None:
            known = counts[id(message)] = counter.count(message)
        return known

    contexts, unclear = Sums(tree, held, count), Sums(tree, held, _unclear)

    def context_of(position: int) -> int | None:
        if position >= 0 and (held[position].hidden or unclear.at(position)):
            return None
        return contexts.at(position)

    spender = Spender(tree, brought, came_with_command or _never, count, context_of)
    doubts = Doubts(tree, held, brought, spender)
    new: list[list[New]] = []
    unknown_spent: list[bool] = []
    changes: dict[Key, list[int]] = {}
    for position, here in enumerate(held):
        items, unknown = [], doubts.any_at(position)
        for key, message in here.fresh.items():
            spend = None
            try:
                spend = spender.spend(position, key, message)
            except Unknown:
                unknown = True
            items.append(New(position, key, message, None if doubts.of_spending(position, spend) else spend))
        for key in here.fresh.keys() | here.gone.keys():
            changes.setdefault(key, []).append(position)
        new.append(items)
        unknown_spent.append(unknown)
    for position, key in spender.superseded:
        new[position] = [replace(item, spend=None) if item.key == key else item for item in new[position]]
    return Ledger(tree, held, new, unknown_spent, changes, context_of, counter.unknown, counter.name)


def _never(position: int, message: Message) -> bool:
    return False


class Doubts:
    """Where it is unknown what is new, because a value that would show it cannot be read."""

    def __init__(self, tree: Tree, held: Sequence[Holdings], brought: Sequence[bool], spender: Spender) -> None:
        self._tree, self._held, self._brought, self._kin = tree, held, brought, spender.kin
        self._cut_off = {position for position in tree.dangling if _had_a_past(tree, position)}
        self._first_kept = {position for position in tree.pruned if _had_a_past(tree, position)} - self._cut_off
        self._hidden_inside = {
            host
            for position, here in enumerate(held)
            if tree.heads[position].ns and (here.hidden or position in self._cut_off)
            for host in self._kin.hosts_of(position)
        }

    def any_at(self, position: int) -> bool:
        """Whether it is unknown, at least in part, what a checkpoint spent."""
        nothing = self._brought[position] or self._tree.heads[position].source == "fork"
        cut_off = position in self._cut_off or position in self._first_kept
        if cut_off or nothing:
            return cut_off
        return bool(self._held[position].hidden) or self.of_what_is_new(position)

    def of_spending(self, position: int, spend: Spend | None) -> bool:
        """Whether it is unknown that a message spent at a checkpoint."""
        estimated = spend is not None and not spend.reported
        return self.of_what_is_new(position) or (estimated and position in self._first_kept)

    def of_what_is_new(self, position: int) -> bool:
        """Whether a message that can be seen at a checkpoint may have been there before."""
        parent = self._tree.parents[position]
        hosts = self._kin.hosts_of(position)
        return (
            position in self._cut_off
            or (parent >= 0 and (bool(self._held[parent].hidden) or parent in self._hidden_inside))
            or any(host >= 0 and self._held[host].hidden for host in hosts)
        )


def _had_a_past(tree: Tree, position: int) -> bool:
    """Whether a model may have been called before a root whose parent is gone; not before the first step."""
    step = tree.heads[position].step
    return step is None or step > 0


def _unclear(message: Message) -> int:
    """1 for a message of which a part that is counted cannot be read."""
    return int(holds_placeholder(message["content"]) or holds_placeholder(message.get("tool_calls")))


def branches_holding(accounts: Ledger) -> Callable[[int, Key], list[str]]:
    """A function that gives the branches which hold the message version that is new at a position under a key."""
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
