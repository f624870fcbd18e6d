"""What an AI message cost in tokens, and sums over messages. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ..model.messages import Key, Message
from ..model.text import shown
from .usage import HalfReport, Report, half_report_of, report_of


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
        reported_part: Tokens of an estimate's `total` that the model reported, input or output; None: it is all one.
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
    reported_part: int | None = None


class Known(NamedTuple):
    """Sums over the messages whose cost is known; a detail that none of them reported is None."""

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

    def plus(self, spends: Iterable[Spend]) -> "Known":
        """These sums with some more messages."""
        sums: list[int | None] = list(self)
        for spend in spends:
            said = spend.total if spend.reported else spend.reported_part
            guessed = None if spend.reported else spend.total - (said or 0)
            for column, amount in (
                (0, None if said is None else 1),
                (1, None if guessed is None else 1),
                (2, spend.input),
                (3, spend.output),
                (4, spend.total),
                (5, said),
                (6, guessed),
                (7, spend.cache_read),
                (8, spend.cache_creation),
                (9, spend.reasoning),
            ):
                if amount is not None:
                    sums[column] = (sums[column] or 0) + amount
        return Known(*sums)  # type: ignore[arg-type]  # only details are None


NOTHING = Known()


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over checkpoints: None where what one of them spent is unknown, then `known` is the least that it can be.

    Attributes:
        known: The sums over the messages whose cost is known.
        n_unknown: The checkpoints of which it is not known, or not in full, what they spent.
    """

    known: Known = NOTHING
    n_unknown: int = 0

    def plus(self, spends: Iterable[Spend], n_unknown: int = 0) -> "Totals":
        """These sums with some more messages, and some more checkpoints whose spending is unknown."""
        return Totals(self.known.plus(spends), self.n_unknown + n_unknown)

    def both(self, other: "Totals") -> "Totals":
        """The sums of both together."""
        pairs = zip(self.known, other.known, strict=True)
        sums = [a if b is None else b if a is None else a + b for a, b in pairs]
        return Totals(Known(*sums), self.n_unknown + other.n_unknown)  # type: ignore[arg-type]  # only details are None

    @property
    def is_known(self) -> bool:
        """Whether the sums are whole."""
        return not self.n_unknown

    @property
    def is_nothing(self) -> bool:
        """Whether it is known that no AI message spent anything."""
        return self.is_known and not self.known.n_reported and not self.known.n_estimated

    @property
    def input(self) -> int | None:
        """Tokens that models read."""
        return self.known.input if self.is_known else None

    @property
    def output(self) -> int | None:
        """Tokens that they wrote."""
        return self.known.output if self.is_known else None

    @property
    def total(self) -> int | None:
        """Both."""
        return self.known.total if self.is_known else None

    @property
    def reported(self) -> int | None:
        """The part of the total that models reported."""
        return self.known.reported if self.is_known else None

    @property
    def estimated(self) -> int | None:
        """The rest of it."""
        return self.known.estimated if self.is_known else None

    @property
    def cache_read(self) -> int | None:
        """Tokens from caches; None: unknown, or not reported."""
        return self.known.cache_read if self.is_known else None

    @property
    def cache_creation(self) -> int | None:
        """Tokens written to caches."""
        return self.known.cache_creation if self.is_known else None

    @property
    def reasoning(self) -> int | None:
        """Tokens of reasoning."""
        return self.known.reasoning if self.is_known else None

    def beyond(self, part: "Totals") -> int | None:
        """The total of what is not in a part of it; None: it is unknown."""
        return self.known.total - part.known.total if self.n_unknown == part.n_unknown else None

    @shown
    def __str__(self) -> str:
        return amount(self.total, self.known.total)


def amount(total: int | None, known: int = 0) -> str:
    """A number of tokens for people: `1,234`, `at least 1,234`, or `unknown`.

    Args:
        total: The number; None: it is unknown.
        known: The least that it can be.

    Example:
        >>> from forkbook.tokens import amount
        >>> amount(1234), amount(None, known=20)
        ('1,234', 'at least 20')
    """
    return f"{total:,}" if total is not None else f"at least {known:,}" if known else "unknown"


def spend_of(
    key: Key, message: Message, count: Callable[[Message], int], read_before: Callable[[], int | None]
) -> Spend | None:
    """What an AI message cost: what the model reported, and an estimate of what it did not; None where what the model
    read can only be estimated, and the context is unknown.

    Args:
        key: Its key in its state.
        message: The message.
        count: Counts a message's tokens.
        read_before: Gives the tokens of the context that the model read; called where that is not reported.
    """
    if (report := report_of(message)) is not None:
        return reported(key, message, report)
    half = half_report_of(message) or HalfReport(None, None)
    read = read_before() if half.input is None else half.input
    if read is None:
        return None
    written = count(message) if half.output is None else half.output
    part = half.output if half.input is None else half.input
    return Spend(key, message, read, written, read + written, reported=False, reported_part=part)


def reported(key: Key, message: Message, report: Report) -> Spend:
    """What a message cost by its report."""
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
