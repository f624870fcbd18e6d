"""The measures of a figure: where rows, lanes and labels go, in which size, and which labels have room. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...model.tree import Tree
from .folding import Shown
from .labels import Mark, ends
from .lanes import lanes

ROW_PIXELS = 24.0
MOST_PIXELS = 880.0
LABEL_PIXELS = 11.0
TYPICAL_WIDTH = 640.0
LEAST_UNITS = 22.0
LANES_SHARE = 0.62
NARROW_WIDTH = 400.0
LABEL_GAP = 26.0
CALLS = ("error", "waiting", "interrupted")

PLAIN, FORK_POINT, TIP = "circle", "diamond", "square"
KINDS = (PLAIN, FORK_POINT, TIP)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the traces of one figure share.

    Attributes:
        tree: The tree as it is drawn, with n checkpoints.
        marks: n marks.
        positions: For each of them its position in the whole tree.
        lanes: For each branch its lane.
        row_pixels: The height of a row, in pixels.
        units: The width of the picture, in lanes.
        labels_at: Where labels begin, in lanes.
        sizes: The size of each kind's marker, in pixels.
        with_tokens: Whether labels show spent tokens.
    """

    tree: Tree
    marks: Sequence[Mark]
    positions: Sequence[int]
    lanes: list[int]
    row_pixels: float
    units: float
    labels_at: float
    sizes: dict[str, float]
    with_tokens: bool

    @property
    def lane_pixels(self) -> float:
        """The distance of two lanes, in pixels, in a notebook of usual width."""
        return TYPICAL_WIDTH / self.units

    @property
    def all_labelled(self) -> bool:
        """Whether every row has room for a label."""
        return self.row_pixels >= LABEL_PIXELS

    def lane(self, position: int) -> int:
        """The lane a checkpoint is in."""
        return self.lanes[self.tree.branches[position]]

    def kind(self, position: int) -> str:
        """Plain, fork point or tip: the marker's symbol."""
        children = len(self.tree.children[position])
        return TIP if ends(self.tree, position) else FORK_POINT if children > 1 else PLAIN

    def at(self, positions: Sequence[int]) -> dict[str, Any]:
        """The coordinates of checkpoints, as a trace wants them."""
        return {"x": [self.lane(position) for position in positions], "y": list(positions)}


def measure(view: Shown, marks: Sequence[Mark], *, with_tokens: bool) -> Sheet:
    """Measure the picture of a tree that has checkpoints."""
    tree = view.tree
    columns = lanes(tree)
    width = max(columns) + 1
    row_pixels = min(ROW_PIXELS, MOST_PIXELS / len(tree))
    units = max(LEAST_UNITS, (width + 1) / LANES_SHARE)
    lane_pixels = TYPICAL_WIDTH / units
    plain = max(4.0, min(11.0, 0.55 * row_pixels, 0.8 * lane_pixels))
    tip = max(12.0, min(17.0, lane_pixels))
    return Sheet(
        tree=tree,
        marks=marks,
        positions=view.positions,
        lanes=columns,
        row_pixels=row_pixels,
        units=units,
        labels_at=width - 1 + LABEL_GAP * units / NARROW_WIDTH,
        sizes={PLAIN: plain, FORK_POINT: max(9.0, plain + 3), TIP: tip},
        with_tokens=with_tokens,
    )


def labelled(sheet: Sheet) -> list[int]:
    """The positions that get a label: all, or else those of note whose labels do not overlap.

    Failed and waiting checkpoints come first, then tips, then fork points, the newest first.
    """
    tree = sheet.tree
    if sheet.all_labelled:
        return list(range(len(tree)))
    calls = [position for position, mark in enumerate(sheet.marks) if mark.status in CALLS]
    wanted = list(dict.fromkeys([*calls[::-1], *_ends(tree), *tree.fork_points[::-1]]))
    rows = [(0.0, position * sheet.row_pixels) for position in wanted]
    return sorted(wanted[i] for i in apart(rows, LABEL_PIXELS + 1, LABEL_PIXELS + 1))


def lettered(sheet: Sheet) -> list[int]:
    """The tips whose letter has room, the newest first."""
    tips = _ends(sheet.tree)
    spots = [(sheet.lane(tip) * sheet.lane_pixels, tip * sheet.row_pixels) for tip in tips]
    size = sheet.sizes[TIP] - 2
    return [tips[i] for i in apart(spots, size, size)]


def _ends(tree: Tree) -> list[int]:
    """The tips that have a letter, the newest first, those of the root graph before all others."""
    found = [tip for tip in tree.tips[::-1] if ends(tree, tip)]
    return sorted(found, key=lambda tip: bool(tree.heads[tip].ns))


def apart(points: Sequence[tuple[float, float]], width: float, height: float) -> list[int]:
    """Choose points, in their order, so that boxes of one size around them do not overlap; linear.

    Returns:
        The indices of the points that are kept.
    """
    kept: list[int] = []
    boxes: dict[tuple[int, int], tuple[float, float]] = {}
    for i, (x, y) in enumerate(points):
        column, row = int(x // width), int(y // height)
        near = (boxes.get((column + dx, row + dy)) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        if not any(box and abs(box[0] - x) < width and abs(box[1] - y) < height for box in near):
            boxes[column, row] = (x, y)
            kept.append(i)
    return kept
