"""How many items a stored value has, counted before it is unpacked: a byte may become a list of a hundred bytes.

A value of few bytes has few items, and is not counted item by item.
"""

import re

from ..budget import Budget
from ..json_bounds import count_items

SHARE = 20  # one value may have a twentieth of what a read may have,
FREE = 1_000_000  # or so many
SINGLE = re.compile(rb"[\x00-\x9f\xc0-\xc3\xe0-\xff\xa0]+")  # items of MessagePack of one byte, heads of short lists
FIXED = {
    **{0xA0 + size: 1 + size for size in range(32)},
    0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9, 0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9,
    0xD4: 3, 0xD5: 4, 0xD6: 6, 0xD7: 10, 0xD8: 18, 0xDC: 3, 0xDD: 5, 0xDE: 3, 0xDF: 5,
}  # fmt: skip
SIZED = {  # bytes of the size, and those between it and what it is the size of
    0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0), 0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1),
    0xD9: (1, 0), 0xDA: (2, 0), 0xDB: (4, 0),
}  # fmt: skip


class TooMany(ValueError):
    """A value has more items than one value may have."""


def most_items(budget: Budget) -> int:
    """The items that one value may have."""
    return min(int(budget.items), max(int(budget.items) // SHARE, FREE))


def check_msgpack(data: bytes, most: int) -> None:
    """Check that a MessagePack value has no more items, those within extensions apart.

    Raises:
        TooMany: It has.
    """
    place, end, found = 0, len(data), 0
    while place < end and found + end - place > most:  # else there are too few bytes left
        run = SINGLE.match(data, place)
        if run:
            found += run.end() - place
            place = run.end()
        elif head := SIZED.get(data[place]):
            width, more = head
            size = int.from_bytes(data[place + 1 : place + 1 + width], "big")
            place, found = place + 1 + width + more + size, found + 1
        else:
            place, found = place + FIXED.get(data[place], 1), found + 1
        if found > most:
            raise TooMany(f"more than {most:,} items")


def json_items(data: bytes, most: int) -> int:
    """The items of a JSON value, counted at every level.

    Raises:
        TooMany: It has more than `most`.
    """
    found = count_items(data)
    if found > most:
        raise TooMany(f"more than {most:,} items")
    return found
