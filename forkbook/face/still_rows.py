"""Which rows a picture of fixed size shows of a tree, and what it says of those that it leaves out. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .codes import FAILED, STARRED, TIP, WAITS
from .order import Fold, Folded

MOST_ROWS = 60
AT_EACH_END = 18  # rows that are shown before others are picked out
MOST_SPOTS = 8  # places in between that are shown
COUNTED = ((TIP, "branch", "branches"), (FAILED, "failed", "failed"), (WAITS, "waiting", "waiting"))


@dataclass(frozen=True)
class Gap:
    """Rows that are left out.

    Attributes:
        positions: All checkpoints in them.
        text: How many, and what happened in them.
    """

    positions: tuple[int, ...]
    text: str


StillRow = int | Fold | Gap


def still_rows(
    folded: Folded, flags: Sequence[int], keep: Collection[int] = (), most: int = MOST_ROWS
) -> list[StillRow]:
    """The rows of a picture: all of them, or the first and the last ones and, in between, what is worth a look.

    That is, in this order: what is to be kept, open questions, stars, failures, the newest checkpoint; each with the
    row before it.

    Args:
        folded: What is in sight where there is room for everything.
        flags: For each position its flags.
        keep: Positions that are shown in any case.
        most: How many rows there may be.
    """
    rows = folded.rows
    if len(rows) <= most:
        return list(rows)
    end = min(AT_EACH_END, most // 3)
    shown = {*range(end), *range(len(rows) - end, len(rows))}
    for number, spot in enumerate(_spots(rows, flags, keep)):
        with_it = shown | {spot, spot - 1}
        if _cost(with_it, len(rows)) > most or (number >= MOST_SPOTS and rows[spot] not in keep):
            break
        shown = with_it
    while _cost(more := shown | {min(set(range(len(rows))) - shown)}, len(rows)) <= most:
        shown = more
    return list(_with_gaps(rows, shown, folded, flags))


def _spots(rows: Sequence[int | Fold], flags: Sequence[int], keep: Collection[int]) -> list[int]:
    """Where in the rows something is worth a look, the most important first, the newest of its kind before others."""
    ranked = []
    newest = max(row for row in rows if isinstance(row, int))
    for at, row in enumerate(rows):
        if not isinstance(row, int) or not at:
            continue
        signs = (row in keep, flags[row] & WAITS, flags[row] & STARRED, flags[row] & FAILED, row == newest)
        rank = next((number for number, sign in enumerate(signs) if sign), None)
        if rank is not None:
            ranked.append((rank, -row, at))
    return [at for _, _, at in sorted(ranked)]


def _cost(shown: Collection[int], size: int) -> int:
    """How many rows it takes to show some of them, with a line for each gap; a gap of one row is that row."""
    return len(shown) + sum(1 for at in shown if at + 1 < size and at + 1 not in shown)


def _with_gaps(
    rows: Sequence[int | Fold], shown: Collection[int], folded: Folded, flags: Sequence[int]
) -> Iterator[StillRow]:
    left_out: list[int | Fold] = []
    for at, row in enumerate(rows):
        if at not in shown:
            left_out.append(row)
            continue
        yield from _gap(left_out, folded, flags)
        left_out = []
        yield row
    yield from _gap(left_out, folded, flags)


def _gap(rows: Sequence[int | Fold], folded: Folded, flags: Sequence[int]) -> Iterator[StillRow]:
    if len(rows) < 2:
        yield from rows
        return
    positions = tuple(position for row in rows for position in positions_of(row, folded))
    counts = [(sum(1 for at in positions if flags[at] & flag), one, many) for flag, one, many in COUNTED]
    parts = [f"{number:,} {one if number == 1 else many}" for number, one, many in counts if number]
    yield Gap(positions, ", ".join([f"{len(positions):,} checkpoints", *parts]))


def positions_of(row: StillRow, folded: Folded) -> Iterable[int]:
    """All checkpoints that a row stands for."""
    if not isinstance(row, int):
        return row.positions
    inside = folded.inside.get(row)
    start = folded.starts.get(row)
    return (row, *(inside.positions if inside else ()), *(() if start is None else (start,)))
