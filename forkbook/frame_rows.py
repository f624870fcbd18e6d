"""What one row of each frame is about: a checkpoint, a message version, a task, a branch, a path. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

from .facts import Facts
from .model.label import Label
from .model.messages import role
from .model.tree import Head
from .tokens import Ledger, New, Totals, branches_holding
from .tokens.prices import Bill, bill, rate_of


@dataclass(frozen=True)
class AtCheckpoint:
    """A row about one checkpoint, or about something at it.

    Attributes:
        facts: What the states of its thread say.
        position: The checkpoint's position.
    """

    facts: Facts
    position: int

    @property
    def ledger(self) -> Ledger:
        """The thread's token accounts."""
        return self.facts.ledger

    @property
    def head(self) -> Head:
        """Its ids, step and source."""
        return self.facts.tree.heads[self.position]

    @property
    def state(self) -> Mapping[str, Any]:
        """Its state."""
        return self.facts.states[self.position]


@dataclass(frozen=True)
class CheckpointRow(AtCheckpoint):
    """One checkpoint.

    Attributes:
        price: What it cost; None without prices.
        label: The label that somebody gave it.
    """

    price: Bill | None = None
    label: str | None = None

    @cached_property
    def sums(self) -> Totals:
        """What was spent at it."""
        return self.ledger.totals([self.position])

    @cached_property
    def method(self) -> str:
        """How these tokens were counted."""
        return self.ledger.method(self.sums)

    @property
    def bill(self) -> Bill | None:
        """What it cost; None without prices, and where nothing was spent."""
        return None if self.method == "none" else self.price

    @property
    def title(self) -> str:
        """What made it, in a few words."""
        return self.facts.title(self.position)

    @property
    def next(self) -> list[str] | None:
        """The nodes that run next; None: unknown."""
        return None if self.state["next"] is None else list(self.state["next"])

    @property
    def interrupted(self) -> bool:
        """Whether one of its tasks raised an interrupt."""
        return bool(self.facts.interrupts(self.position))

    @property
    def spent(self) -> int | None:
        """Tokens spent at it; None: none, or unknown."""
        return None if self.sums.is_nothing else self.sums.total

    @property
    def known(self) -> int | None:
        """The least that these can be; None: nothing was spent."""
        return None if self.sums.is_nothing else self.sums.known.total

    @property
    def hidden(self) -> list[str]:
        """The channels that may hold messages which cannot be seen."""
        return list(self.facts.holdings[self.position].hidden)

    @property
    def children(self) -> int:
        """How many checkpoints follow it."""
        return len(self.facts.tree.children[self.position])

    @property
    def host_id(self) -> str | None:
        """In a subgraph the id of the checkpoint whose task ran it."""
        host = self.facts.tree.inside[self.position]
        return self.facts.tree.heads[host].id if host >= 0 else None

    @property
    def host_task_id(self) -> str | None:
        """In a subgraph the id of the task that ran it."""
        task = self.facts.ran_by(self.position)
        return None if task is None else str(task["id"])


@dataclass(frozen=True)
class MessageRow(AtCheckpoint):
    """One version of a message, at the checkpoint where it is new.

    Attributes:
        item: The message, and what it spent.
        branches: The labels of the branches that hold this version.
        bill: What it cost; None without prices, and where it spent nothing.
    """

    item: New
    branches: list[str]
    bill: Bill | None

    @property
    def message(self) -> Mapping[str, Any]:
        """The message."""
        return self.item.message

    @cached_property
    def sums(self) -> Totals:
        """What it spent."""
        return Totals().plus([self.item.spend] if self.item.spend else [])

    @property
    def spent(self) -> Totals | None:
        """The same; None where it spent nothing here, or where that is unknown."""
        return self.sums if self.item.spend else None

    @property
    def method(self) -> str:
        """How its tokens were counted."""
        is_unknown = self.item.spend is None and role(self.message) == "ai" and self.ledger.unknown_spent[self.position]
        return "unknown" if is_unknown else self.ledger.method(self.sums)


@dataclass(frozen=True)
class TaskRow(AtCheckpoint):
    """One task, at the checkpoint it starts from."""

    task: Mapping[str, Any]

    @property
    def error(self) -> str | None:
        """Its exception."""
        return None if self.task.get("error") is None else str(self.task["error"])

    @property
    def seconds(self) -> float | None:
        """How long it took, as far as that is known."""
        return self.facts.task_seconds.get((self.position, str(self.task.get("id"))))


@dataclass(frozen=True)
class BranchRow(AtCheckpoint):
    """One branch; the position is its tip's.

    Attributes:
        number: Its number.
        depth: Checkpoints on the path from the root to its tip.
        own: Those of them that are on the branch itself.
    """

    number: int
    depth: int
    own: int

    @property
    def start(self) -> int:
        """The position of its first checkpoint."""
        return self.facts.tree.starts[self.number]

    @property
    def started_at(self) -> str | None:
        """When its first checkpoint was written."""
        created_at: str | None = self.facts.states[self.start]["created_at"]
        return created_at

    @property
    def fork_point_id(self) -> str | None:
        """The id of the checkpoint that it was forked from."""
        fork_point = self.facts.tree.parents[self.start]
        return self.facts.tree.heads[fork_point].id if fork_point >= 0 else None


@dataclass(frozen=True)
class PathRow(AtCheckpoint):
    """The path from the root to a tip, whose position it has.

    Attributes:
        number: The branch's number.
        bills: What the shared part and its own part cost; None without prices.
    """

    number: int
    bills: tuple[Bill, Bill] | None

    @property
    def sums(self) -> Totals:
        """What was spent on it."""
        return self.ledger.paths[0][self.position]

    @property
    def shared(self) -> Totals:
        """What was spent at those of its checkpoints that another tip's path holds, too."""
        return self.ledger.paths[1][self.position]


def checkpoints(facts: Facts, prices: Any, labels: Mapping[str, Label]) -> Iterator[CheckpointRow]:
    """One row per checkpoint, oldest first."""
    bills = facts.bills(prices)
    for position, head in enumerate(facts.tree.heads):
        given = labels.get(head.id)
        yield CheckpointRow(facts, position, bills[position] if bills else None, given.label if given else None)


def messages(facts: Facts, prices: Any) -> Iterator[MessageRow]:
    """One row per message version, by the position where it is new."""
    rate = None if prices is None else rate_of(prices)
    holders = branches_holding(facts.ledger)
    for position, new in enumerate(facts.ledger.new):
        for item in new:
            cost = bill([item.spend], rate, facts.created_at(position)) if rate and item.spend else None
            yield MessageRow(facts, position, item, holders(position, item.key), cost)


def tasks(facts: Facts) -> Iterator[TaskRow]:
    """One row per task, by the checkpoint it starts from."""
    for position, state in enumerate(facts.states):
        for task in state["tasks"] or ():
            yield TaskRow(facts, position, task)


def branches(facts: Facts, subgraphs: bool) -> Iterator[BranchRow]:
    """One row per branch of the root graph; with `subgraphs` of every namespace."""
    tree = facts.tree
    depth: list[int] = []
    for parent in tree.parents:
        depth.append(1 + (depth[parent] if parent >= 0 else 0))
    for number, tip in enumerate(_tips(facts, subgraphs)):
        yield BranchRow(facts, tip, number, depth[tip], depth[tip] - depth[tree.starts[number]] + 1)


def paths(facts: Facts, prices: Any, subgraphs: bool) -> Iterator[PathRow]:
    """One row per tip of the root graph; with `subgraphs` of every namespace."""
    bills = _path_bills(facts, prices)
    for number, tip in enumerate(_tips(facts, subgraphs)):
        yield PathRow(facts, tip, number, bills[tip] if bills else None)


def _tips(facts: Facts, subgraphs: bool) -> list[int]:
    tips = facts.tree.tips_by_branch
    return tips if subgraphs else tips[: facts.tree.outer]


def _path_bills(facts: Facts, prices: Any) -> list[tuple[Bill, Bill]]:
    """For each position what the shared and the own checkpoints on its path cost; empty without prices."""
    tree, bills = facts.tree, facts.bills(prices)
    parts: list[tuple[Bill, Bill]] = []
    for position, parent in enumerate(tree.parents if bills else ()):
        spent = reduce(Bill.plus, (bills[at] for at in facts.ledger.along([position])))
        shared, own = parts[parent] if parent >= 0 else (Bill(), Bill())
        is_shared = tree.tips_below[position] > 1
        parts.append((shared.plus(spent), own) if is_shared else (shared, own.plus(spent)))
    return parts
