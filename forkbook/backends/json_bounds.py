"""What a JSON text would be as Python's objects, told before it is: how many items, how deep. Pure.

Each count is right for whole JSON; of other texts it says something, in as little time.
"""

from collections.abc import Iterator
from itertools import accumulate

FEW = 10_000  # items; of so few some may be commas and brackets in texts
BLOCK = 1 << 20  # bytes that are looked at together
NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
SPACE = b" \t\r\n"
STEP = [{ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}.get(sign, 0) for sign in range(256)]


def count_items(text: bytes) -> int:
    """How many items the lists and dicts of a JSON text have, at every level; where there are few, at most that."""
    most = text.count(b",") + text.count(b"[") + text.count(b"{")
    return most if most <= FEW else sum(map(_items, _outside_strings(text, SPACE)))


def is_deeper(text: bytes, depth: int) -> bool:
    """Whether more lists and dicts than `depth` are in each other."""
    if text.count(b"[") + text.count(b"{") <= depth:
        return False
    at = 0
    for brackets in _outside_strings(text, NO_BRACKET):
        levels = list(accumulate(map(STEP.__getitem__, brackets), initial=at))
        if max(levels) > depth:
            return True
        at = levels[-1]
    return False


def _items(signs: bytes) -> int:
    empty = signs.count(b"[]") + signs.count(b"{}")
    return signs.count(b",") + signs.count(b"[") + signs.count(b"{") - empty


def _outside_strings(text: bytes, without: bytes) -> Iterator[bytes]:
    """What is outside of strings, block by block, less the signs of `without`; one quote may stand for each string."""
    bare = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    inside = False
    for start in range(0, len(bare), BLOCK):
        parts = bare[start : start + BLOCK].split(b'"')
        yield b'"'.join(parts[inside::2]).translate(None, without)
        inside ^= len(parts) % 2 == 0
