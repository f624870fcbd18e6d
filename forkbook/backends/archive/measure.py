"""What an archive holds, unpacked within a budget: the texts of one thread, their values, its lists."""

from collections.abc import Sequence
from typing import Any

from ..budget import Meter
from ..json_bounds import count_items, is_deeper
from ..values.plain import opaque
from .text import DICTIONARY, decoded, hash_of, hasher, pieces, unsqueezed
from .unpack import Leaf

ENTRY_BYTES = 16  # of an item in a list: a place for its value, and one for its hash


class Measure:
    """Unpacks what one read wants of an archive, as far as the budget goes.

    Args:
        meter: Of this read.
    """

    def __init__(self, meter: Meter) -> None:
        self.budget, self._meter = meter.budget, meter

    def row(self, cells: Sequence[Any]) -> None:
        """Take in a row of the file.

        Raises:
            OverBudget: There are too many.
        """
        size = sum(len(cell) for cell in cells if isinstance(cell, bytes | str))
        self._meter.take(nbytes=size, items=1)

    def unpacked(self, body: Any, dictionary: bytes = DICTIONARY) -> bytes:
        """The text of what is stored.

        Raises:
            OverBudget: It is too large.
            ValueError, zlib.error: It is damaged.
        """
        text = unsqueezed(body, dictionary, self.budget.value_bytes)
        if text is None:
            self._meter.refuse("value_bytes")
        else:
            self._meter.take(nbytes=len(text))
        return text or b""

    def value(self, text: bytes) -> Any:
        """The value of a text.

        Raises:
            OverBudget: It has too many items, or is too deep.
            ValueError: It is damaged.
        """
        self._meter.take(items=count_items(text))
        if is_deeper(text, self.budget.depth):
            self._meter.refuse("depth")
        return decoded(text)

    def leaf(self, body: Any) -> Leaf:
        """The value of a leaf and its hash; what is too large, or too deep, is shown as that.

        Raises:
            OverBudget: There is too much of the thread.
            ValueError, zlib.error: It is damaged.
        """
        text = unsqueezed(body, DICTIONARY, self.budget.value_bytes)
        if text is None:
            return self._large_leaf(body)
        self._meter.take(nbytes=len(text), items=1 + count_items(text))
        deep = is_deeper(text, self.budget.depth)
        return self._unread("depth", len(text)) if deep else decoded(text), hash_of("leaf", text)

    def a_list(self, length: int, new: int) -> None:
        """Take in a list that shares its items with another before it is built.

        Raises:
            OverBudget: It is too much.
        """
        self._meter.take(nbytes=ENTRY_BYTES * length, items=new)

    def _large_leaf(self, body: Any) -> Leaf:
        hashing, size = hasher("leaf"), 0
        for piece in pieces(body):
            self._meter.take(nbytes=len(piece))
            hashing.update(piece)
            size += len(piece)
        return self._unread("value_bytes", size), hashing.digest()

    def _unread(self, bound: str, size: int) -> Any:
        most = getattr(self.budget, bound)
        what = {"value_bytes": "too large to be read", "depth": "nested too deeply to be read"}[bound]
        return opaque(f"{what}: the budget's {bound} is {most:,}", size)
