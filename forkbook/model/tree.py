"""The tree of a thread's checkpoints: parents, branches, tips, fork points. Pure: no I/O, no pandas.

Positions (0 is the oldest) stand for checkpoints throughout; a parent always comes before its children.
"""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..errors import ProtocolError

TIP_WORD = "tip"  # what users see at the end of a branch


@dataclass(frozen=True, slots=True)
class Head:
    """What the tree needs of a checkpoint: everything but its values.

    Attributes:
        id: The checkpoint's id; ids of one thread sort by time.
        parent_id: The parent's id; None for a root.
        step: LangGraph's superstep, -1 for an input; not unique across branches. None: unknown.
        source: `input`, `loop`, `update` or `fork`. None: unknown.
        ns: The checkpoint namespace, "" for the root graph.
        inside: Of a subgraph's checkpoint the id of the one, a namespace further out, whose task ran it. None: unknown.
    """

    id: str
    parent_id: str | None
    step: int | None = None
    source: str | None = None
    ns: str = ""
    inside: str | None = None


def branch_label(number: int) -> str:
    """The label of the number-th branch: 0 is A, 25 is Z, 26 is AA.

    Example:
        >>> from forkbook.model.tree import branch_label
        >>> [branch_label(number) for number in (0, 25, 26)]
        ['A', 'Z', 'AA']
    """
    label = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        label = chr(65 + letter) + label
    return label


def path_of(ns: str) -> list[str]:
    """The nodes that lead to a namespace, the outermost first: task ids and numbers of repeated calls are left out.

    Example:
        >>> from forkbook.model.tree import path_of
        >>> path_of("research:8a1f|search:77c2")
        ['research', 'search']
    """
    return [part.partition(":")[0] for part in ns.split("|") if part and not part.isdigit()]


class Tree:
    """The checkpoints of one thread, ordered by id, oldest first; those of subgraphs stand inside another checkpoint.

    A **branch**: at a fork point the oldest child continues its parent's branch, every other child starts a new one;
    so does every root. Branches are numbered in the order of their first checkpoints, those of the root namespace
    before all others, so a label never changes when branches are added or subgraphs are read.

    A parent is always of the same namespace; `inside` leads from a subgraph's checkpoint to the one whose task ran it.

    Attributes:
        heads: The heads, by position.
        index: The position of each id.
        parents: For each position the parent's, or -1 (a root, or a parent that is not in the history).
        children: For each position its children's, oldest first.
        inside: For each position that of the checkpoint whose task ran its namespace, or -1 (the root namespace, or
            not in the history).
        branches: For each position its branch's number.
        starts: For each branch its first position.
        outer: How many branches the root namespace has; the others' numbers follow.

    Example:
        >>> history.tree.labels
        ['A', 'B']
    """

    def __init__(self, heads: Sequence[Head]) -> None:
        self.heads: tuple[Head, ...] = parents_first(heads)
        self.index: dict[str, int] = {head.id: position for position, head in enumerate(self.heads)}
        by_id = {head.id: head for head in self.heads}
        self.parents: list[int] = [self._place(parent_of(head, by_id)) for head in self.heads]
        self.inside: list[int] = [self._place(host_of(head, by_id)) for head in self.heads]
        self.children: list[list[int]] = [[] for _ in self.heads]
        for position, parent in enumerate(self.parents):
            if parent >= 0:
                self.children[parent].append(position)
        self.branches: list[int] = [0] * len(self.heads)
        self.starts: list[int] = []
        self._number(position for position, head in enumerate(self.heads) if not head.ns)
        self.outer: int = len(self.starts)
        self._number(position for position, head in enumerate(self.heads) if head.ns)

    def _place(self, id_: str | None) -> int:
        return -1 if id_ is None else self.index[id_]

    def _number(self, positions: Iterable[int]) -> None:
        """Give these positions their branches, parents first."""
        for position in positions:
            parent = self.parents[position]
            if parent >= 0 and self.children[parent][0] == position:
                self.branches[position] = self.branches[parent]
            else:
                self.branches[position] = len(self.starts)
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
    def pruned(self) -> list[int]:
        """Roots before which there were checkpoints once, by their steps."""
        return [position for position in self.roots if had_a_parent(self.heads[position])]

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
        """For each branch its label: A, B, C … in each namespace."""
        counts: dict[str, int] = {}
        labels = []
        for start in self.starts:
            number = counts.get(ns := self.heads[start].ns, 0)
            labels.append(branch_label(number))
            counts[ns] = number + 1
        return labels

    @cached_property
    def numbers(self) -> dict[str, dict[str, int]]:
        """For each namespace its branches' numbers by their labels."""
        found: dict[str, dict[str, int]] = {"": {}}
        for number, (start, label) in enumerate(zip(self.starts, self.labels, strict=True)):
            found.setdefault(self.heads[start].ns, {})[label] = number
        return found

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

    def outwards(self, position: int) -> list[int]:
        """The checkpoints within whose tasks a position is, the nearest first; none in the root namespace."""
        found = []
        while (position := self.inside[position]) >= 0:
            found.append(position)
        return found

    @cached_property
    def nested(self) -> dict[int, list[int]]:
        """For each position whose tasks ran subgraphs the positions in these, oldest first; not those further in."""
        found: dict[int, list[int]] = {}
        for position, host in enumerate(self.inside):
            if host >= 0:
                found.setdefault(host, []).append(position)
        return found

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


def parent_of(head: Head, by_id: Mapping[str, Head]) -> str | None:
    """The id of a head's parent, if it is there."""
    parent = None if head.parent_id is None else by_id.get(head.parent_id)
    return parent.id if parent is not None and parent.ns == head.ns else None


def host_of(head: Head, by_id: Mapping[str, Head]) -> str | None:
    """The id of the checkpoint whose task ran a head's namespace, if it is there and further out."""
    host = None if head.inside is None else by_id.get(head.inside)
    return host.id if host is not None and len(host.ns) < len(head.ns) else None


def had_a_parent(head: Head) -> bool:
    """Whether a checkpoint had a parent when it was made, by its step, which counts on from the parent's.

    From nothing, and from a parent that never was, LangGraph begins with an input at step -1, or an edit at step 0.
    """
    return head.step is not None and head.step > (0 if head.source == "update" else -1)


def parents_first(heads: Sequence[Head]) -> tuple[Head, ...]:
    """Heads by id; where clocks disagreed, a parent still comes before its children, and a host before what it ran.

    Raises:
        ProtocolError: A checkpoint occurs twice, or is its own ancestor.
    """
    ordered = sorted(heads, key=lambda head: head.id)
    by_id = {head.id: head for head in ordered}
    if len(by_id) < len(ordered):
        twice = next(a.id for a, b in itertools.pairwise(ordered) if a.id == b.id)
        raise ProtocolError(f"checkpoint {twice} occurs twice in this history", checkpoint_id=twice)
    before = {head.id: {id_ for of in (parent_of, host_of) if (id_ := of(head, by_id)) is not None} for head in ordered}
    if all(id_ < head.id for head in ordered for id_ in before[head.id]):
        return tuple(ordered)

    after: dict[str, list[str]] = {}
    for head in ordered:
        for id_ in before[head.id]:
            after.setdefault(id_, []).append(head.id)
    ready = [head.id for head in ordered if not before[head.id]]
    result = []
    while ready:
        result.append(by_id[heapq.heappop(ready)])
        for id_ in after.pop(result[-1].id, ()):
            before[id_].remove(result[-1].id)
            if not before[id_]:
                heapq.heappush(ready, id_)
    if len(result) < len(ordered):
        loop = _loop({id_: min(above) for id_, above in before.items() if above})
        raise ProtocolError(
            f"checkpoint {loop[0]!r} is its own ancestor: its parents lead to {', '.join(map(repr, loop[1:6]))}"
            f"{', …' if len(loop) > 6 else ''}, so this is no history",
            checkpoint_id=loop[0],
            candidates=loop,
        )
    return tuple(result)


def _loop(above: Mapping[str, str]) -> list[str]:
    """Of ids that each have one above them the ids of a loop, its smallest first and last."""
    at = min(above)
    for _ in above:
        at = above[at]
    loop = [at]
    while (at := above[at]) != loop[0]:
        loop.append(at)
    first = loop.index(min(loop))
    return [*loop[first:], *loop[: first + 1]]


PRUNED = "older checkpoints were pruned or never kept"


def completeness(tree: Tree) -> list[str]:
    """Whether a history that was read to its end is complete; if not, what it lacks."""
    said = [PRUNED] if tree.pruned else ["complete"]
    missing = len(set(tree.dangling) - set(tree.pruned))
    if missing:
        said.append(f"{missing} root{'' if missing == 1 else 's'} with a parent that does not exist")
    return said
