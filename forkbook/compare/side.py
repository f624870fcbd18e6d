"""One of several compared checkpoints: its state, its path, and what a part of the path cost. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

from ..facts import Facts
from ..tokens import Spend, Totals
from ..tokens.prices import Bill, Rate


@dataclass(frozen=True)
class Side:
    """One of the compared checkpoints, as a position among the facts of its thread.

    Attributes:
        facts: What its thread's states say.
        position: The checkpoint's.
    """

    facts: Facts
    position: int

    @property
    def id(self) -> str:
        """The checkpoint's id."""
        return self.facts.tree.heads[self.position].id

    @property
    def values(self) -> dict[str, Any]:
        """The state's channels; shared with the history, so look, but do not change."""
        return self.facts.states[self.position]["values"] or {}

    @property
    def hidden(self) -> Mapping[str, str]:
        """The channels of the state that may hold messages which cannot be seen, and why."""
        return self.facts.holdings[self.position].hidden

    @cached_property
    def path(self) -> list[int]:
        """Positions from the root down to it."""
        return self.facts.tree.lineage(self.position)

    @cached_property
    def path_ids(self) -> list[str]:
        """The ids on its path."""
        return [self.facts.tree.heads[position].id for position in self.path]

    def spends(self, positions: Sequence[int]) -> list[Spend]:
        """What a part of its path cost, with what the subgraphs of its tasks did, as far as they were read."""
        return self.facts.ledger.spends(self.facts.ledger.along(positions))

    def totals(self, positions: Sequence[int]) -> Totals:
        """The sums of that."""
        return self.facts.ledger.totals(self.facts.ledger.along(positions))

    def bill(self, positions: Sequence[int], rate: Rate) -> Bill:
        """The same in money."""
        bills = (self.facts.bill(at, rate) for at in self.facts.ledger.along(positions))
        return reduce(Bill.plus, bills, Bill())

    def seconds(self, positions: Sequence[int]) -> float | None:
        """Time that some checkpoints took; None where it is known of none."""
        known = [spent for position in positions if (spent := self.facts.seconds(position)) is not None]
        return sum(known) if known else None
