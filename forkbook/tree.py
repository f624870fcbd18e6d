"""The tree of a thread's checkpoints: parents, branches, tips, fork points. Pure: no I/O, no pandas.

Positions (0 is the oldest) stand for checkpoints throughout; a parent always comes before its children.
"""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .errors import ProtocolError


@dataclass(frozen=True, slots=True)
class Head:
    """What the tree needs of a checkpoint: everything but its values.

    Attributes:
        id: The checkpoint's id; ids of one thread sort by time.
        parent_id: The parent's id; None for a root.
        step: LangGraph's superstep, -1 for an input; not unique across branches. None: unknown.
        source: `input`, `loop`, `update` or `fork`. None: unknown.
        ns: The checkpoint namespace, "" for the root graph.
    """

    id: str
    parent_id: str | None
    step: int | None = None
    source: str | None = None
    ns: str = ""


def branch_label(number: int) -> str:
    """The label of the number-th branch: 0 is A, 25 is Z, 26 is AA."""
    label = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        label = chr(65 + letter) + label
    return label


class Tree:
    """The checkpoints of one thread and namespace, ordered by id, oldest first.

    A **branch**: at a fork point the oldest child continues its parent's branch, every other child starts a new one;
    so does every root. Branches are numbered in the order of their first checkpoints, so a label never changes when
    branches are added.

    Attributes:
        heads: The heads, by position.
        parents: For each position the parent's, or -1 (a root, or a parent that is not in the history).
        children: For each position its children's, oldest first.
        branches: For each position its branch's number.
        starts: For each branch its first position.
    """

    def __init__(self, heads: Sequence[Head]) -> None:
        self.heads: tuple[Head, ...] = parents_first(heads)
        self.index: dict[str, int] = {head.id: position for position, head in enumerate(self.heads)}
        self.parents: list[int] = [self.index.get(head.parent_id or "", -1) for head in self.heads]
        self.children: list[list[int]] = [[] for _ in self.heads]
        self.branches: list[int] = []
        self.starts: list[int] = []
        for position, parent in enumerate(self.parents):
            siblings = self.children[parent] if parent >= 0 else None
            if siblings is not None:
                siblings.append(position)
            if siblings is not None and len(siblings) == 1:
                self.branches.append(self.branches[parent])
            else:
                self.branches.append(len(self.starts))
                self.starts.append(position)

    def __len__(self) -> int:
        return len(self.heads)

    @cached_property
    def roots(self) -> list[int]:
        """Positions without a parent in this history."""
        return [position for position, parent in enumerate(self.parents) if parent < 0]

    @cached_property
    def dangling(self) -> list[int]:
        """Roots that name a parent which is not in this history."""
        return [position for position in self.roots if self.heads[position].parent_id is not None]

    @cached_property
    def tips(self) -> list[int]:
        """Positions without children; the tip of branch n is `tips_by_branch[n]`."""
        return [position for position, children in enumerate(self.children) if not children]

    @cached_property
    def tips_by_branch(self) -> list[int]:
        """For each branch its last position; a branch always ends in a tip."""
        ends = [0] * len(self.starts)
        for tip in self.tips:
            ends[self.branches[tip]] = tip
        return ends

    @cached_property
    def fork_points(self) -> list[int]:
        """Positions with two or more children."""
        return [position for position, children in enumerate(self.children) if len(children) > 1]

    @cached_property
    def labels(self) -> list[str]:
        """For each branch its label."""
        return [branch_label(number) for number in range(len(self.starts))]

    def label(self, position: int) -> str:
        """The label of the branch that a position is on."""
        return self.labels[self.branches[position]]

    def up(self, position: int) -> Iterator[int]:
        """A position, its parent, and so on up to the root."""
        while position >= 0:
            yield position
            position = self.parents[position]

    def lineage(self, position: int) -> list[int]:
        """The path from the root down to a position."""
        return list(self.up(position))[::-1]

    def common_ancestor(self, a: int, b: int) -> int | None:
        """The youngest position that is on both lineages; None under different roots."""
        while a != b:
            if a > b:
                a = self.parents[a]
            else:
                b = self.parents[b]
        return a if a >= 0 else None

    @cached_property
    def tips_below(self) -> list[int]:
        """For each position how many tips are at or below it; a path's checkpoint is *own* where this is 1."""
        counts = [0 if children else 1 for children in self.children]
        for position in range(len(counts) - 1, -1, -1):
            if (parent := self.parents[position]) >= 0:
                counts[parent] += counts[position]
        return counts


def parents_first(heads: Sequence[Head]) -> tuple[Head, ...]:
    """Heads by id; where clocks disagreed, a parent still comes before its children.

    Raises:
        ProtocolError: A checkpoint occurs twice, or is its own ancestor.
    """
    ordered = sorted(heads, key=lambda head: head.id)
    by_id = {head.id: head for head in ordered}
    if len(by_id) < len(ordered):
        twice = next(a.id for a, b in itertools.pairwise(ordered) if a.id == b.id)
        raise ProtocolError(f"checkpoint {twice} occurs twice in this history", checkpoint_id=twice)
    if all(head.parent_id is None or head.parent_id < head.id or head.parent_id not in by_id for head in ordered):
        return tuple(ordered)

    waiting: dict[str, list[str]] = {}
    ready: list[str] = []
    for head in ordered:
        if head.parent_id in by_id:
            waiting.setdefault(head.parent_id or "", []).append(head.id)
        else:
            ready.append(head.id)
    result = []
    while ready:
        result.append(by_id[heapq.heappop(ready)])
        for child in waiting.pop(result[-1].id, ()):
            heapq.heappush(ready, child)
    if waiting:
        looped = min(waiting)
        raise ProtocolError(f"checkpoint {looped} is its own ancestor: this is no history", checkpoint_id=looped)
    return tuple(result)
