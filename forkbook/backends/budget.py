"""How much forkbook reads from outside before it stops: one object with every bound, and the meter of one read.

A small file may hide gigabytes, and a server may never end its answer. Whatever is read from a file, a database or a
server is measured by a `Meter`, which raises `OverBudget` before memory or time run out.
"""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput, OverBudget
from ..model.text import short

MOST = {
    "value_bytes": 10**15,
    "read_bytes": 10**15,
    "items": 10**15,
    "depth": 254,  # of which orjson writes JSON
    "seconds": 10**6,  # eleven days; of many more a socket makes an OverflowError
}


@dataclass(frozen=True)
class Budget:
    """The most that one read may cost; give a larger one to `connect` for a place that you trust.

    Attributes:
        value_bytes (int): Bytes of one value, as stored and unpacked. What is larger is shown as what it is, unread.
        read_bytes (int): Bytes that one read unpacks: of a thread, a list of threads, one answer of a server.
        items (int): Items of lists and dicts in one read, counted at every level.
        depth (int): Lists and dicts in each other; at most 254.
        seconds (float): Seconds that the queries of one read of a store or an archive may take, or one answer of a
            server that is no run.

    Raises:
        InvalidInput: A bound is no whole number above 0, `seconds` no number above 0, or it is larger than can be kept.

    Example:
        >>> import forkbook as fb
        >>> fb.Budget(items=80_000_000).items
        80000000
    """

    value_bytes: int = 64_000_000
    read_bytes: int = 2_000_000_000
    items: int = 20_000_000
    depth: int = 100
    seconds: float = 300.0

    def __post_init__(self) -> None:
        for bound, most in dataclasses.asdict(self).items():
            kind, kinds = ("number", int | float) if bound == "seconds" else ("whole number", int)
            if isinstance(most, bool) or not isinstance(most, kinds) or not 0 < most <= MOST[bound]:
                raise InvalidInput(
                    f"Budget({bound}={short(most)}): {bound} is a {kind} above 0, and at most {MOST[bound]:,}"
                )

    def check(self, bound: str, met: float, what: str, **about: Any) -> None:
        """Stop a read that goes beyond one bound.

        Args:
            bound: The field's name, as in "items".
            met: How much there is; "at least" is meant.
            what: What was read, as in "thread 't1' of archive x.forkbook".
            **about: `thread_id` and other attributes of the error.

        Raises:
            OverBudget: There is more than the bound.
        """
        most = getattr(self, bound)
        if met <= most:
            return
        raise OverBudget(
            f"{what} is too {TOO[bound]} to read: {met:,} {UNITS[bound]} and more, where {most:,} is the bound. "
            f"If you trust this place, raise it: fb.connect(…, budget=fb.Budget({bound}=…))",
            bound=bound,
            most=most,
            met=met,
            **about,
        )

    def meter(self, what: str, **about: Any) -> Meter:
        """A meter for one read; see `check` for the arguments."""
        return Meter(self, what, about)


TOO = {"value_bytes": "large", "read_bytes": "large", "items": "large", "depth": "deep", "seconds": "slow"}
UNITS = {
    "value_bytes": "bytes in one value",
    "read_bytes": "bytes",
    "items": "items of lists and dicts",
    "depth": "levels of lists and dicts in each other",
    "seconds": "seconds",
}


class Meter:
    """What one read has cost so far.

    Args:
        budget: Its bounds.
        what: What is read, for the error's text.
        about: Attributes of the error.
    """

    def __init__(self, budget: Budget, what: str, about: dict[str, Any]) -> None:
        self.budget, self._what, self._about = budget, what, about
        self._bytes, self._items, self._begin = 0, 0, time.monotonic()

    def take(self, *, nbytes: int = 0, items: int = 0) -> None:
        """Add what was, or is about to be, unpacked.

        Raises:
            OverBudget: It is too much by now.
        """
        self._bytes += nbytes
        self._items += items
        if self._bytes > self.budget.read_bytes or self._items > self.budget.items:
            self.budget.check("read_bytes", self._bytes, self._what, **self._about)
            self.budget.check("items", self._items, self._what, **self._about)

    def refuse(self, bound: str) -> None:
        """Stop a read that goes beyond one bound; by how much is not known.

        Raises:
            OverBudget: It does.
        """
        self.budget.check(bound, getattr(self.budget, bound) + 1, self._what, **self._about)

    def check_time(self) -> None:
        """Stop a read that takes too long.

        Raises:
            OverBudget: It has taken longer than the bound.
        """
        self.budget.check("seconds", math.ceil((time.monotonic() - self._begin) * 100) / 100, self._what, **self._about)

    def is_late(self) -> bool:
        """Whether the read has taken longer than the bound."""
        return time.monotonic() - self._begin > self.budget.seconds


DEFAULT_BUDGET = Budget()
