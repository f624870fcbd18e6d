"""How the rows of a tree became others: it grew, marks changed, or it is another one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

WIDTHS = (4, 2, 1, 1)  # bytes of a row's parent, node, kind and flags, each a column of its own
FLAGS = 7  # bytes of a row before its flags


@dataclass(frozen=True, slots=True)
class Growth:
    """What is new of some rows.

    Attributes:
        grew: Whether all rows are where they were, so that the new ones stand after them; else all are to be read anew.
        tail: The new rows.
        flags: The flags of those that have others now, by position.
    """

    grew: bool
    tail: bytes = b""
    flags: dict[int, int] = field(default_factory=dict)


def growth(before: bytes, after: bytes) -> Growth:
    """What is new.

    Args:
        before: The rows as they were, column after column.
        after: The rows as they are now.
    """
    size = sum(WIDTHS)
    n, number = len(before) // size, len(after) // size
    tail, column = [], 0
    for width in WIDTHS:
        old = before[column * n : (column + width) * n]
        new = after[column * number : (column + width) * number]
        if column != FLAGS and new[: len(old)] != old:
            return Growth(False)
        tail.append(new[len(old) :])
        column += width
    flags = zip(before[FLAGS * n :], after[FLAGS * number :], strict=False)
    return Growth(True, b"".join(tail), {at: new for at, (old, new) in enumerate(flags) if old != new})
