"""What a message may hold on its way to a page: JSON that every page reads as it was meant. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..model.text import without_surrogates

EXACT = 2**53  # whole numbers beyond this lose digits in JavaScript


def sendable(value: Any) -> Any:
    """A value without what a message cannot hold: lone surrogates, NaN, numbers that JavaScript would round.

    Args:
        value: Text, numbers, None, booleans, lists and dicts; anything else goes as its text.
    """
    if isinstance(value, str):
        return value if value.isascii() else without_surrogates(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -EXACT <= value <= EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {sendable(str(key)): sendable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [sendable(item) for item in value]
    return sendable(str(value))
