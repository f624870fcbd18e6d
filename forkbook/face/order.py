"""In which order checkpoints are read, in which lane each stands, and which of them are folded away. Pure.

`rows.js` does the same in the page; both are tested on `tests/face/order_cases.json`.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..model.tree import Tree
from .codes import EDITED, FAILED, INSIDE, STARRED, START, TIP, WAITS

LONGEST, ENDS = 8, 2  # rows of a stretch that is not folded; rows that a folded one keeps at each end
NEVER_HIDDEN = FAILED | WAITS | STARRED
BREAKS = FAILED | WAITS | EDITED | TIP
COUNTED = ((FAILED, "failed"), (WAITS, "waiting"), (STARRED, "starred"))


@dataclass(frozen=True)
class Order:
    """Checkpoints as a page shows them.

    Attributes:
        rows: Positions in the order of reading: a side branch stands right below the checkpoint that it leaves, the
            branch that goes on comes last.
        parents: For each position the one that it is drawn below: its parent, or for the first of a subgraph the
            checkpoint whose task ran it. -1: a root.
        lanes: For each position its lane, 0 being the leftmost.
    """

    rows: Sequence[int]
    parents: Sequence[int]
    lanes: Sequence[int]


@dataclass(frozen=True)
class Fold:
    """Checkpoints that are folded away.

    Attributes:
        key: What opens it: `steps:` or `inside:` and the position of the stretch's first row, or of the host.
        positions: The hidden ones.
        text: How many, and what happened in them: "37 steps", "5 inside, 1 failed".
    """

    key: str
    positions: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class Folded:
    """What is left in sight.

    Attributes:
        rows: Positions, and folds in the place of stretches.
        inside: For each position whose subgraphs are folded into it their fold.
        starts: For each position that also stands for the input before it, that one.
    """

    rows: tuple[int | Fold, ...]
    inside: dict[int, Fold]
    starts: dict[int, int]


def display_parents(tree: Tree) -> list[int]:
    """For each position the one that it is drawn below; -1 for a root."""
    return [parent if parent >= 0 else host for parent, host in zip(tree.parents, tree.inside, strict=True)]


def order(parents: Sequence[int], kinds: Sequence[int], flags: Sequence[int]) -> Order:
    """Put checkpoints in the order of reading.

    Of the children of a checkpoint the first that does not begin a subgraph goes on in its lane and is drawn last; the
    others are drawn before it, oldest first, one lane further right. Their lines leave the lane of the checkpoint at
    their own rows, as in a tree of files: a line that goes on has no mark on its way, so none crosses another.

    Args:
        parents: For each position the one that it is drawn below, which comes before it; -1 for a root.
        kinds: For each position its kind (see `codes`).
        flags: For each position its flags.
    """
    children = _children(parents)
    begins = _beginnings(parents, kinds, flags)
    for drawn in children:
        if len(drawn) > 1 and (main := next((child for child in drawn if not begins[child]), -1)) >= 0:
            drawn.remove(main)
            drawn.append(main)
    lanes = [0] * len(parents)
    rows: list[int] = []
    waiting = [position for position in range(len(parents) - 1, -1, -1) if parents[position] < 0]
    while waiting:
        position = waiting.pop()
        rows.append(position)
        drawn = children[position]
        for child in reversed(drawn):
            lanes[child] = lanes[position] + (child != drawn[-1])
            waiting.append(child)
    return Order(rows, parents, lanes)


def fold(
    order: Order,
    kinds: Sequence[int],
    flags: Sequence[int],
    keep: Collection[int] = (),
    opened: Collection[str] = (),
) -> Folded:
    """Fold away what needs no row of its own.

    - Subgraphs are folded into the checkpoint whose task ran them, unless one of `keep` is among them.
    - An input whose only child is the start that it leads to stands in that child's row.
    - A stretch of more than 8 rows without fork, tip, failure, open question and edit keeps two rows at each end, those
      with a star and those of `keep`; what is hidden between is one fold, or several.

    Args:
        order: The order of reading.
        kinds: For each position its kind (see `codes`).
        flags: For each position its flags.
        keep: Positions that stay in sight, such as the selected one.
        opened: Keys of folds that were opened; `start:` and a position for a start.
    """
    parents = order.parents
    hosts = _hosts(parents, kinds, flags)
    inside = _inside(hosts, flags, keep, opened)
    hidden = {position for fold in inside.values() for position in fold.positions}
    seen = list(flags)
    for host, fold in inside.items():
        for position in fold.positions:
            seen[host] |= flags[position] & NEVER_HIDDEN
    count = [0] * len(parents)
    for position, parent in enumerate(parents):
        if parent >= 0 and position not in hidden:
            count[parent] += 1
    seconds = _seconds(parents, kinds, flags)
    starts = {
        position: parent
        for position, parent in enumerate(parents)
        if seconds[position]
        and count[parent] == 1
        and not {position, parent} & hidden
        and not seen[parent] & (NEVER_HIDDEN | BREAKS)
        and parent not in keep
        and f"start:{position}" not in opened
    }
    hidden.update(starts.values())
    above = [parents[starts.get(position, position)] for position in range(len(parents))]
    in_sight = [position for position in order.rows if position not in hidden]
    plain = [count[position] == 1 and not seen[position] & BREAKS for position in range(len(parents))]
    rows: list[int | Fold] = []
    for stretch in _stretches(in_sight, above, plain):
        rows.extend(_folded(stretch, seen, keep, opened))
    return Folded(tuple(rows), inside, starts)


def _children(parents: Sequence[int]) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in parents]
    for position, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(position)
    return children


def _seconds(parents: Sequence[int], kinds: Sequence[int], flags: Sequence[int]) -> list[bool]:
    """Which positions are a start that an input leads to: the second of two of this kind, both inside or both not."""
    found = [False] * len(parents)
    for position, parent in enumerate(parents):
        if parent >= 0 and kinds[position] == kinds[parent] == START and not found[parent]:
            found[position] = not (flags[position] ^ flags[parent]) & INSIDE
    return found


def _beginnings(parents: Sequence[int], kinds: Sequence[int], flags: Sequence[int]) -> list[bool]:
    """Which positions begin a subgraph."""
    seconds = _seconds(parents, kinds, flags)
    return [
        kind == START and bool(flag & INSIDE) and not second
        for kind, flag, second in zip(kinds, flags, seconds, strict=True)
    ]


def _hosts(parents: Sequence[int], kinds: Sequence[int], flags: Sequence[int]) -> list[int]:
    """For each position of a subgraph the one whose task ran it; -1 for the others, and where it is not known."""
    begins = _beginnings(parents, kinds, flags)
    hosts = [-1] * len(parents)
    for position, parent in enumerate(parents):
        if parent >= 0 and flags[position] & INSIDE:
            hosts[position] = parent if begins[position] or not flags[parent] & INSIDE else hosts[parent]
    return hosts


def _inside(
    hosts: Sequence[int], flags: Sequence[int], keep: Collection[int], opened: Collection[str]
) -> dict[int, Fold]:
    """For each position in sight that hides subgraphs their fold."""
    wide_open = set()
    for position in keep:
        while (position := hosts[position]) >= 0:
            wide_open.add(position)
    shows = list(range(len(hosts)))  # the row in which each position is seen
    hidden: dict[int, list[int]] = {}
    for position, host in enumerate(hosts):
        if host >= 0 and (shows[host] != host or (host not in wide_open and f"inside:{host}" not in opened)):
            shows[position] = shows[host]
            hidden.setdefault(shows[host], []).append(position)
    return {
        host: Fold(f"inside:{host}", tuple(positions), _text(len(positions), "inside", positions, flags))
        for host, positions in hidden.items()
    }


def _stretches(rows: Sequence[int], above: Sequence[int], plain: Sequence[bool]) -> Iterator[list[int]]:
    """Rows in pieces: plain ones, each below the one before, together, any other alone."""
    stretch = list(rows[:1])
    for before, row in pairwise(rows):
        if not (plain[before] and plain[row] and above[row] == before):
            yield stretch
            stretch = []
        stretch.append(row)
    if stretch:
        yield stretch


def _folded(
    stretch: Sequence[int], flags: Sequence[int], keep: Collection[int], opened: Collection[str]
) -> Iterator[int | Fold]:
    key = f"steps:{stretch[0]}"
    if len(stretch) <= LONGEST or key in opened:
        yield from stretch
        return
    hidden: list[int] = []
    for number, row in enumerate(stretch):
        stays = not ENDS <= number < len(stretch) - ENDS or row in keep or flags[row] & NEVER_HIDDEN
        if not stays:
            hidden.append(row)
            continue
        yield from _piece(key, hidden)
        hidden = []
        yield row


def _piece(key: str, hidden: Sequence[int]) -> Iterator[int | Fold]:
    if len(hidden) > 1:
        yield Fold(key, tuple(hidden), f"{len(hidden):,} steps")
    else:
        yield from hidden


def _text(number: int, what: str, positions: Sequence[int], flags: Sequence[int]) -> str:
    counts = ((sum(1 for position in positions if flags[position] & flag), word) for flag, word in COUNTED)
    return ", ".join([f"{number:,} {what}", *(f"{count:,} {word}" for count, word in counts if count)])
