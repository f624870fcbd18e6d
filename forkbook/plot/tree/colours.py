"""The colours of the figure, and which checkpoints share one. Pure.

Each way to colour a picture is one row of `MODES`: to add one, write a function that splits checkpoints into groups.

The colours of sources, and those of branches, differ for any kind of colour vision and stand out on white and on #111.
Branch colours repeat: what is certain is the letter on a branch's tip.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...errors import InvalidInput
from ...model.text import visible
from ...model.tree import Tree
from .labels import Mark

INK = "#7a7a7a"
EDGE = "rgba(128,128,128,0.6)"
GRID = "rgba(128,128,128,0.10)"
WAITING = "#d97f00"
FAILED = "#d93025"
PICKED = "#00a35c"
UNKNOWN = "#c9b458"

SOURCES = {"input": "#4c41fb", "loop": "#3d95f6", "update": "#e14817", "fork": "#a5269e"}
SOURCE_NAMES = {"input": "input", "loop": "node ran", "update": "edit", "fork": "replay"}
OTHER_SOURCE = "source unknown"
BRANCHES = ("#136891", "#be7c10", "#4c41fb", "#09a178", "#f6135a", "#ef46e2")
TOKENS = ((0.0, "#2f5fb3"), (0.5, "#b25a9a"), (1.0, "#f2a53a"))


@dataclass(frozen=True, slots=True)
class Group:
    """Checkpoints of one colour.

    Attributes:
        name: What the legend calls them; "" leaves them out.
        color: A CSS colour; None: each has its own on the token scale.
        positions: Their positions, oldest first.
    """

    name: str
    color: str | None
    positions: list[int]


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to colour a picture.

    Attributes:
        about: What the colour of a checkpoint stands for.
        groups: Splits the checkpoints of a tree by colour, with the help of their marks: each is in exactly one group.
        note: Gives a line for below the picture of a tree and its marks; "" for none.
        on_scale: Whether colours are on the scale of spent tokens: then there is a colour bar, and labels show tokens.
    """

    about: str
    groups: Callable[[Tree, Sequence[Mark]], list[Group]]
    note: Callable[[Tree, Sequence[Mark]], str] = lambda tree, marks: ""
    on_scale: bool = False


def mode(color: str) -> Mode:
    """A way to colour a picture, by its name in `MODES`.

    Raises:
        InvalidInput: There is no such way.
    """
    if color not in MODES:
        raise InvalidInput(f"color={color!r}: choose one of {', '.join(map(repr, MODES))}", candidates=tuple(MODES))
    return MODES[color]


def branch_colors(numbers: Sequence[int]) -> list[str] | None:
    """The colours of some branches, as the tree has them; None where two of them would share one.

    Args:
        numbers: The branches' numbers.
    """
    colors = [BRANCHES[number % len(BRANCHES)] for number in numbers]
    return colors if len(set(colors)) == len(colors) else None


def faded(color: str, part: float) -> str:
    """A #rrggbb colour of which the page shows through: 0 is clear, 1 the colour."""
    return "rgba({},{},{},{})".format(*_rgb(color), part)


def ink_on(color: str) -> str:
    """Black or white, whichever reads better on a #rrggbb colour."""
    red, green, blue = _rgb(color)
    return "#111111" if 0.299 * red + 0.587 * green + 0.114 * blue > 150 else "#ffffff"


def _by_source(tree: Tree, _: Sequence[Mark]) -> list[Group]:
    found: dict[str, list[int]] = {name: [] for name in (*SOURCES, OTHER_SOURCE)}
    for position, head in enumerate(tree.heads):
        found[head.source if head.source in SOURCES else OTHER_SOURCE].append(position)
    return [
        Group(SOURCE_NAMES.get(name, name), SOURCES.get(name, INK), positions)
        for name, positions in found.items()
        if positions
    ]


def _by_branch(tree: Tree, _: Sequence[Mark]) -> list[Group]:
    """A subgraph has the colour of the branch that ran it."""
    found: list[list[int]] = [[] for _ in BRANCHES[: max(tree.outer, 1)]]
    numbers: list[int] = []
    for position, host in enumerate(tree.inside):
        own = 0 if tree.heads[position].ns else tree.branches[position]
        numbers.append(own if host < 0 else numbers[host])
        found[numbers[-1] % len(BRANCHES)].append(position)
    named = 0 < tree.outer <= len(BRANCHES)
    return [
        Group(f"branch {tree.labels[i]}" if named else "", BRANCHES[i], positions) for i, positions in enumerate(found)
    ]


def _by_tokens(_: Tree, marks: Sequence[Mark]) -> list[Group]:
    untold = [position for position, mark in enumerate(marks) if mark.at_least is not None]
    silent = [position for position, mark in enumerate(marks) if mark.tokens is None and mark.at_least is None]
    spent = [position for position, mark in enumerate(marks) if mark.tokens is not None]
    found = [
        Group("no AI message", INK, silent),
        Group("spent tokens unknown", UNKNOWN, untold),
        Group("", None, spent),
    ]
    return [group for group in found if group.positions]


def _by_run(_: Tree, marks: Sequence[Mark]) -> list[Group]:
    """A subgraph's checkpoints carry the id of the run around them."""
    found: dict[str | None, list[int]] = {}
    for position, mark in enumerate(marks):
        found.setdefault(mark.run_id, []).append(position)
    by_hand = found.pop(None, [])
    named = len(found) <= len(BRANCHES)
    groups = [
        Group(f"run {visible(str(run_id)[-6:])}" if named else "", BRANCHES[number % len(BRANCHES)], positions)
        for number, (run_id, positions) in enumerate(found.items())
    ]
    return groups + [Group("no run, or unknown", INK, by_hand)] * bool(by_hand)


def _repeating(tree: Tree, _: Sequence[Mark]) -> str:
    return _repeats("branches", tree.outer)


def _repeating_runs(_: Tree, marks: Sequence[Mark]) -> str:
    return _repeats("runs", len({mark.run_id for mark in marks} - {None}))


def _repeats(what: str, number: int) -> str:
    return f"colours repeat after {len(BRANCHES)} {what}" if number > len(BRANCHES) else ""


MODES: Mapping[str, Mode] = {
    "source": Mode("what wrote the checkpoint: an input, a node, an edit or a replay", _by_source),
    "branch": Mode("the branch that the checkpoint is on", _by_branch, _repeating),
    "run": Mode("the run that wrote the checkpoint", _by_run, _repeating_runs),
    "tokens": Mode("the tokens that were spent at the checkpoint", _by_tokens, on_scale=True),
}


def token_color(part: float) -> str:
    """The colour on the token scale, 0 being no tokens and 1 the most there are."""
    for (begin, low), (end, high) in pairwise(TOKENS):
        if part <= end:
            share = (part - begin) / (end - begin)
            mixed = (round(a + (b - a) * share) for a, b in zip(_rgb(low), _rgb(high), strict=True))
            return "#" + "".join(f"{value:02x}" for value in mixed)
    return TOKENS[-1][1]


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
