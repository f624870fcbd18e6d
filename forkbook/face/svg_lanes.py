"""The lines and marks at the left of the SVG picture. Pure."""

from collections.abc import Iterator, Sequence

from . import codes
from .order import Fold, Folded, Order
from .still_rows import Gap, StillRow, positions_of
from .svg_style import HUES

LEFT, PITCH, MOST_WIDTH = 24, 15, 240  # px: the first lane, from lane to lane, and of all of them together
CLEAR, BEND = 9, 8  # px around dots, and of a bend


class Lanes:
    """Where everything at the left stands.

    Attributes:
        rows: The rows that are shown.
        row_of: For each position the number of the row that it is in.
        hues: For each position the number of its branch's colour.

    Args:
        order: The order of reading.
        folded: What is folded in it.
        rows: The rows that are shown.
        top: The px of the middle of the first row.
        pitch: The px from row to row.
    """

    def __init__(self, order: Order, folded: Folded, rows: Sequence[StillRow], top: float, pitch: float) -> None:
        self._order, self.rows, self._top, self._pitch = order, rows, top, pitch
        self._starts = folded.starts
        self.row_of = {at: number for number, row in enumerate(rows) for at in positions_of(row, folded)}
        self.hues = hues(order)
        used = set(self._used())
        self._down = {place: hue for place, hue in self._trunks().items() if place[0] in used}
        step = min(PITCH, MOST_WIDTH / max(1, len(used)))
        self._x = {lane: LEFT + step * number for number, lane in enumerate(sorted(used))}

    def y(self, row: int) -> float:
        """The middle of a row."""
        return self._top + self._pitch * row

    def x(self, row: int) -> float:
        """Where the mark of a row stands; of a gap the line furthest right."""
        what = self.rows[row]
        if isinstance(what, Gap):
            return max((self._x[lane] for lane, at in self._down if at in (row - 1, row)), default=LEFT)
        return self._x[self._order.lanes[first(what)]]

    def _used(self) -> Iterator[int]:
        """The lanes of all marks, and those that these leave: others only pass by, and there may be hundreds."""
        yield 0
        for row in self.rows:
            if not isinstance(row, Gap):
                at = first(row)
                above = self._order.parents[self._starts.get(at, at)]
                yield self._order.lanes[at]
                yield self._order.lanes[max(above, 0)]

    def _trunks(self) -> dict[tuple[int, int], int]:
        """By lane and row the colour of the line from there to the next row."""
        ends: dict[tuple[int, int], tuple[int, int]] = {}
        for position, parent in enumerate(self._order.parents):
            if parent >= 0 and (end := self.row_of[position]) != (start := self.row_of[parent]):
                key = (self._order.lanes[parent], start)
                ends[key] = max(ends.get(key, (0, 0)), (end, self.hues[parent]))
        return {(lane, row): hue for (lane, start), (end, hue) in sorted(ends.items()) for row in range(start, end)}

    def paths(self) -> Iterator[str]:
        """All lines: trunks, bends and dots."""
        drawn = [""] * HUES
        dots = [""] * HUES
        for (lane, row), hue in self._down.items():
            x, start, end = self._x[lane], self.y(row), self.y(row + 1)
            start += CLEAR * self._is_dotted(lane, row)
            end -= CLEAR * self._is_dotted(lane, row + 1)
            drawn[hue] += f"M{_px(x)} {_px(start)}V{_px(end)}"
        for row, what in enumerate(self.rows):
            for lane in self._x:
                colour = self._hue_at(lane, row) if self._is_dotted(lane, row) else None
                if colour is not None:
                    dots[colour] += "".join(f"M{_px(self._x[lane])} {_px(self.y(row) + off)}h.01" for off in (-5, 0, 5))
            if isinstance(what, Gap):
                continue
            at = first(what)
            above = self._order.parents[self._starts.get(at, at)]
            if above >= 0 and (left := self._order.lanes[above]) != self._order.lanes[at] and left in self._x:
                x, y, hue = self._x[left], self.y(row), self.hues[at]
                drawn[hue] += f"M{_px(x)} {_px(y - BEND)}Q{_px(x)} {_px(y)} {_px(x + BEND)} {_px(y)}H{_px(self.x(row))}"
        yield from (f'<path class="p p{hue}" d="{d}"/>' for hue, d in enumerate(drawn) if d)
        yield from (f'<path class="d d{hue}" d="{d}"/>' for hue, d in enumerate(dots) if d)

    def _is_dotted(self, lane: int, row: int) -> bool:
        what = self.rows[row]
        return isinstance(what, Gap) or (isinstance(what, Fold) and self._order.lanes[first(what)] == lane)

    def _hue_at(self, lane: int, row: int) -> int | None:
        """The colour of the line that goes into a row, or out of it."""
        return self._down.get((lane, row), self._down.get((lane, row - 1)))


def hues(order: Order) -> list[int]:
    """For each position the number of its branch's colour, as in the page."""
    found: list[int] = []
    branches = 0
    for position, parent in enumerate(order.parents):
        if parent >= 0 and order.lanes[parent] == order.lanes[position]:
            found.append(found[parent])
        else:
            found.append(0 if not branches else 1 + (branches - 1) % (HUES - 1))
            branches += 1
    return found


def first(row: StillRow) -> int:
    """The position that a row shows, or the first that it hides."""
    return row if isinstance(row, int) else row.positions[0]


def mark(kind: int, flags: int, hue: int, x: float, y: float) -> str:
    """The mark of a checkpoint: its shape says what it is, also without colour."""
    left, top = _px(x), _px(y)
    if flags & codes.FAILED:
        cross = f"M{_px(x - 2.7)} {_px(y - 2.7)}l5.4 5.4M{_px(x + 2.7)} {_px(y - 2.7)}l-5.4 5.4"
        return f'<circle class="m f" cx="{left}" cy="{top}" r="6.5"/><path class="y" d="{cross}"/>'
    if flags & codes.WAITS:
        return f'<circle class="m q" cx="{left}" cy="{top}" r="7"/><text class="k" x="{left}" y="{_px(y + 4)}">?</text>'
    if kind == codes.START or kind == codes.UNCLEAR or flags & codes.UNKNOWN:
        more = "" if kind == codes.START else " u"
        return f'<circle class="h h{hue}{more}" cx="{left}" cy="{top}" r="4.5"/>'
    if kind == codes.EDIT:
        return f'<path class="m m{hue}" d="M{left} {_px(y - 6.5)}l6.5 6.5l-6.5 6.5l-6.5 -6.5z"/>'
    if kind == codes.REPLAY:
        return f'<path class="m m{hue}" d="M{_px(x - 4)} {_px(y - 6)}l9 6l-9 6z"/>'
    if flags & codes.TIP:
        return f'<rect class="m m{hue}" x="{_px(x - 5.5)}" y="{_px(y - 5.5)}" width="11" height="11"/>'
    return f'<circle class="m m{hue}" cx="{left}" cy="{top}" r="5"/>'


def _px(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
