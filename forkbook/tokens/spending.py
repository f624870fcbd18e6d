"""What an AI message cost in tokens, and sums over messages. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ..messages import Key, Message
from .reports import report_of


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
        cache_read: Tokens of `input` that came from the provider's cache; None: not reported.
        cache_creation: Tokens of `input` that were written to it.
        reasoning: Tokens of `output` that were reasoning.
    """

    key: Key
    message: Message
    input: int
    output: int
    total: int
    reported: bool
    cache_read: int | None = None
    cache_creation: int | None = None
    reasoning: int | None = None


class Totals(NamedTuple):
    """Sums over messages: how many were reported and estimated, and their tokens; adds up with `plus`.

    A detail that none of the messages reported is None.
    """

    n_reported: int = 0
    n_estimated: int = 0
    input: int = 0
    output: int = 0
    total: int = 0
    reported: int = 0
    estimated: int = 0
    cache_read: int | None = None
    cache_creation: int | None = None
    reasoning: int | None = None

    def plus(self, spends: Iterable[Spend]) -> "Totals":
        """These sums with some more messages."""
        sums: list[int | None] = list(self)
        for spend in spends:
            kind = 0 if spend.reported else 1
            for column, amount in (
                (kind, 1),
                (2, spend.input),
                (3, spend.output),
                (4, spend.total),
                (5 + kind, spend.total),
                (7, spend.cache_read),
                (8, spend.cache_creation),
                (9, spend.reasoning),
            ):
                if amount is not None:
                    sums[column] = (sums[column] or 0) + amount
        return Totals(*sums)  # type: ignore[arg-type]  # only details are None


def spend_of(key: Key, message: Message, count: Callable[[Message], int], read_before: Callable[[], int]) -> Spend:
    """What an AI message cost: what the model reported, else an estimate.

    Args:
        key: Its key in its state.
        message: The message.
        count: Counts a message's tokens.
        read_before: Gives the tokens of the context that the model read; called where there is no report.
    """
    report = report_of(message)
    if report is None:
        read, written = read_before(), count(message)
        return Spend(key, message, read, written, read + written, reported=False)
    return Spend(
        key,
        message,
        report.input,
        report.output,
        report.total,
        reported=not report.estimated,
        cache_read=report.cache_read,
        cache_creation=report.cache_creation,
        reasoning=report.reasoning,
    )
