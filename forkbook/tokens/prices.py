"""What spent tokens cost in money, by prices that the user gives; none is ever made up. Pure."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple

from ..errors import InvalidInput, MissingExtra
from ..model.text import short
from .spending import Spend
from .usage import model_of

MILLION = 1_000_000
NEEDED, OPTIONAL = ("input", "output"), ("cache_read", "cache_creation", "reasoning")
TABLE = "genai-prices"

Rate = Callable[[Spend, str | None, datetime | None], float | None]


class Bill(NamedTuple):
    """What some messages cost: `cost` of those with a price (None: there are none), `unpriced` tokens of the others.

    `is_known` is False where some of what was spent is unknown: then both are the least that they can be.
    """

    cost: float | None = None
    unpriced: int = 0
    is_known: bool = True

    def plus(self, other: "Bill") -> "Bill":
        """Both together."""
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Bill(sum(costs) if costs else None, self.unpriced + other.unpriced, self.is_known and other.is_known)


def rate_of(prices: Any) -> Rate:
    """A function from a message's spending, its model and its time to its cost, None where the model has no price.

    Args:
        prices: A mapping from model names, just as messages carry them, to mappings with `input` and `output`, and if
            they differ `cache_read`, `cache_creation` (else `input`) and `reasoning` (else `output`), all in money for
            a million tokens; under None the price of messages that name no model. Or "genai-prices": the table of that
            package in US dollars, at the time of the checkpoint.

    Raises:
        InvalidInput: These are no such prices.
        MissingExtra: genai-prices is not installed.

    Example:
        >>> prices = {"sample-model": {"input": 2.0, "output": 10.0}}
        >>> history.tokens_df(prices).cost.round(6).tolist()
        [0.000162, 0.000132]
    """
    if isinstance(prices, str) and prices == TABLE:
        return _table()
    if not isinstance(prices, Mapping):
        raise InvalidInput(
            f"prices are a mapping from model names to {{'input': …, 'output': …}}, or {TABLE!r}, not {short(prices)}"
        )
    checked = {_name(model): _price(model, price) for model, price in prices.items()}
    return lambda spend, model, when: _cost(spend, checked[model]) if model in checked else None


def bill(spends: Iterable[Spend], rate: Rate, when: datetime | None = None) -> Bill:
    """What some messages of one time cost."""
    total = Bill()
    for spend in spends:
        cost = rate(spend, model_of(spend.message), when)
        total = total.plus(Bill(unpriced=spend.total) if cost is None else Bill(cost))
    return total


def _cost(spend: Spend, price: Mapping[str, float]) -> float:
    """Tokens of the cache are a part of `input`, reasoning a part of `output`: each token has one price."""
    read, created, thought = cached_and_reasoned(spend)
    return (
        (spend.input - read - created) * price["input"]
        + read * price.get("cache_read", price["input"])
        + created * price.get("cache_creation", price["input"])
        + (spend.output - thought) * price["output"]
        + thought * price.get("reasoning", price["output"])
    ) / MILLION


def cached_and_reasoned(spend: Spend) -> tuple[int, int, int]:
    """Tokens read from the cache, written to it, and of reasoning; no more than there are of `input` and `output`."""
    read = min(spend.cache_read or 0, spend.input)
    return read, min(spend.cache_creation or 0, spend.input - read), min(spend.reasoning or 0, spend.output)


def _name(model: Any) -> str | None:
    if model is None or (isinstance(model, str) and model):
        return model
    raise InvalidInput(f"prices are by model name, as in {{'gpt-4o': …}}, or None, not by {short(model)}")


def _price(model: str | None, price: Any) -> dict[str, float]:
    where = f"the price of {short(model)}"
    if not isinstance(price, Mapping):
        raise InvalidInput(f"{where} is a mapping with 'input' and 'output', not {short(price)}")
    wrong = [name for name in price if name not in NEEDED + OPTIONAL]
    missing = [name for name in NEEDED if name not in price]
    if wrong or missing:
        raise InvalidInput(
            f"{where} " + (f"lacks {missing[0]!r}" if missing else f"has {short(wrong[0])}, which is none")
            + f": it has {', '.join(NEEDED)}, and may have {', '.join(OPTIONAL)}",
            candidates=NEEDED + OPTIONAL,
        )  # fmt: skip
    for name, amount in price.items():
        if isinstance(amount, bool) or not isinstance(amount, Real | Decimal) or not 0 <= float(amount) < math.inf:
            raise InvalidInput(f"{where} for {name} is {short(amount)}: give money for a million tokens, 0 or more")
    return {name: float(amount) for name, amount in price.items()}


def _table() -> Rate:
    """The prices that the package genai-prices brings along; it reads no network unless its own updater is started."""
    try:
        from genai_prices import Usage, calc_price
    except ImportError as error:
        raise MissingExtra(f"prices={TABLE!r} needs: pip install 'forkbook[prices]'") from error

    def rate(spend: Spend, model: str | None, when: datetime | None) -> float | None:
        if model is None:
            return None
        read, created, _ = cached_and_reasoned(spend)
        usage = Usage(
            input_tokens=spend.input,
            cache_read_tokens=read,
            cache_write_tokens=created,
            output_tokens=spend.output,
        )
        provider = (spend.message.get("response_metadata") or {}).get("model_provider")
        try:
            found = calc_price(usage, model, provider_id=provider, genai_request_timestamp=when)
        except (LookupError, ValueError):
            return None
        return float(found.total_price)

    return rate
