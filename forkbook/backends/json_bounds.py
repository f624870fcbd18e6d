"""What a JSON text would be as Python's objects, told before it is: how many items, how deep. Pure.

Each count is right for whole JSON; of other texts it says something, in as little time.
"""

from collections.abc import Iterator
from itertools import accumulate

FEW = 200  # commas and brackets; of so few some may be in texts
BLOCK = 1 << 20  # bytes that are split together
SQUARE = bytes.maketrans(b"{}", b"[]")
NO_STRUCTURE = bytes(set(range(256)) - set(b'[]{},"'))
BETWEEN = (ord("[") + ord("]")) // 2  # less a bracket: 1 where it opens, -1 where it closes


def count_items(text: bytes) -> int:
    """How many items the lists and dicts of a JSON text have, at every level; an empty one counts as one.

    A text with few commas and brackets may have some of them in its strings; they count, too.
    """
    most = text.count(b",") + text.count(b"[") + text.count(b"{")
    return most if most <= FEW else sum(part.count(b",") + part.count(b"[") for part in _structure(text))


def is_deeper(text: bytes, depth: int) -> bool:
    """Whether more lists and dicts than `depth` are in each other."""
    if text.count(b"[") + text.count(b"{") <= depth:
        return False
    at = 0
    for part in _structure(text):
        levels = list(accumulate(map(BETWEEN.__sub__, part.replace(b",", b"")), initial=at))
        if max(levels) > depth:
            return True
        at = levels[-1]
    return False


def _structure(text: bytes) -> Iterator[bytes]:
    """The commas and brackets that stand in no string, block by block, each bracket as a square one."""
    bare = text.replace(b"\\\\", b"").replace(b'\\"', b"")  # now each quote begins or ends a string
    bare = bare.translate(SQUARE, NO_STRUCTURE)
    inside = False
    for start in range(0, len(bare), BLOCK):
        parts = bare[start : start + BLOCK].split(b'"')
        yield b"".join(parts[inside::2])
        inside ^= len(parts) % 2 == 0
