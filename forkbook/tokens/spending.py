"""What an AI message cost in tokens, and sums over messages. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

from ..messages import Key, Message, usage

CACHES_BY_LIFETIME = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")  # Anthropic's, in place of their sum


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
    said = usage(message) or {}
    read, written = (said.get(name) for name in ("input_tokens", "output_tokens"))
    if not (_is_count(read) and _is_count(written)):
        read, written = read_before(), count(message)
        return Spend(key, message, read, written, read + written, reported=False)
    in_all = said.get("total_tokens")
    in_detail, out_detail = said.get("input_token_details"), said.get("output_token_details")
    caches = [_detail(in_detail, *names) for names in (("cache_creation",), CACHES_BY_LIFETIME)]
    return Spend(
        key,
        message,
        read,
        written,
        in_all if _is_count(in_all) else read + written,
        reported=True,
        cache_read=_detail(in_detail, "cache_read"),
        cache_creation=max((amount for amount in caches if amount is not None), default=None),
        reasoning=_detail(out_detail, "reasoning"),
    )


def _detail(details: Any, *names: str) -> int | None:
    """A detail of a report; a name may begin with the service tier, as in `flex_cache_read`."""
    found = [
        amount
        for name, amount in (details.items() if isinstance(details, Mapping) else ())
        if str(name).endswith(names) and _is_count(amount)
    ]
    return sum(found) if found else None


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 2**53
