"""Which checkpoints have what an earlier one spent: its descendants, and those of the graphs around it. Pure."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from heapq import merge

from ..model.tree import Tree


class Kinship:
    """The relations of a tree's positions, within a namespace and across those of subgraphs.

    Attributes:
        tree: The checkpoints.
        entered: For each position when a walk that goes down before it goes on comes to it.
        left: For each position when that walk has been to all below it.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.entered, self.left = walk(tree)
        self._hosts: dict[int, tuple[int, ...]] = {-1: ()}
        self._ends: dict[int, list[int]] = {}

    def hosts_of(self, position: int) -> tuple[int, ...]:
        """The checkpoints within whose tasks a position is, the nearest first."""
        if (host := self.tree.inside[position]) not in self._hosts:
            self._hosts[host] = (host, *self.tree.outwards(host))
        return self._hosts[host]

    def ends_of(self, host: int) -> list[int]:
        """Where the subgraphs ended that the tasks of a checkpoint ran: one with a memory began long before."""
        if host not in self._ends:
            tree = self.tree
            own = tree.nested.get(host, [])
            self._ends[host] = [at for at in own if not any(tree.inside[child] == host for child in tree.children[at])]
        return self._ends[host]


class Marks:
    """Positions that are marked, parents first; finds those akin to another position without a look at the others.

    A mark is named by its number. Finding one takes logarithmic time in the number of marks.
    """

    __slots__ = ("_above", "_at", "_by_host", "_by_parent", "_ends", "_entered", "_kin", "_order")

    def __init__(self, kin: Kinship) -> None:
        self._kin = kin
        self._at: list[int] = []  # of each mark its position
        self._above: list[int | None] = []  # of each mark the nearest one that its line has
        self._entered: list[int] = []  # when the walk comes to the marks, in this order
        self._order: list[int] = []  # the marks in that order
        self._by_host: dict[int, list[int]] = {}
        self._by_parent: dict[int, list[int]] = {}
        self._ends: list[tuple[int, int]] = []  # of subgraphs: when the walk comes to them, and whose tasks ran them

    def add(self, position: int) -> None:
        """Mark a position; a later one than all before."""
        mark, tree = len(self._at), self._kin.tree
        self._above.append(next(self._covering(position), None))
        self._at.append(position)
        place = bisect_right(self._entered, self._kin.entered[position])
        self._entered.insert(place, self._kin.entered[position])
        self._order.insert(place, mark)
        if tree.nested:
            for host in self._kin.hosts_of(position):
                self._by_host.setdefault(host, []).append(mark)
            if (parent := tree.parents[position]) >= 0:
                self._add_parent(parent, mark)

    def _add_parent(self, parent: int, mark: int) -> None:
        if parent not in self._by_parent:
            self._by_parent[parent] = []
            for end in self._kin.ends_of(parent):
                insort(self._ends, (self._kin.entered[end], parent))
        self._by_parent[parent].append(mark)

    def on_line(self, position: int) -> Iterator[int]:
        """The marks that a position's own line has, or that of a graph further out, which handed them in; latest first.

        Like those of `akin`, a mark may come more than once.
        """
        return merge(*map(self._covering, (position, *self._kin.hosts_of(position))), reverse=True)

    def akin(self, position: int) -> Iterator[int]:
        """The same, and those that a task which led to the position has, or one that led to the mark; latest first."""
        kin = self._kin
        if not self._at or not kin.tree.nested:
            return self._covering(position)
        marks = [self.on_line(position)]
        if (parent := kin.tree.parents[position]) >= 0:
            marks += [reversed(self._by_host.get(parent, [])), *map(self._covering, kin.ends_of(parent))]
        hosts = {*kin.hosts_of(position), *self._hosts_below(position)}
        marks += [reversed(self._by_parent.get(host, [])) for host in hosts]
        return merge(*marks, reverse=True)

    def _covering(self, position: int) -> Iterator[int]:
        """The marks at a position and above it, the nearest first."""
        entered, left = self._kin.entered[position], self._kin.left
        place = bisect_right(self._entered, entered)
        mark = self._order[place - 1] if place else None
        while mark is not None:
            if left[self._at[mark]] >= left[position]:
                yield mark
            mark = self._above[mark]

    def _hosts_below(self, position: int) -> Iterator[int]:
        """The marks' parents of which a task's subgraph ended at a position, or below it."""
        first = bisect_left(self._ends, (self._kin.entered[position], -1))
        after = bisect_left(self._ends, (self._kin.left[position], -1))
        return (parent for _, parent in self._ends[first:after])


def gathered(tree: Tree) -> list[list[int]]:
    """For each position those whose spending counts there on a path: itself, and the subgraphs of tasks that led to it.

    What a task spent that led nowhere yet counts at the checkpoint that it started from.
    """
    found = [[position] for position in range(len(tree))]
    for position, head in enumerate(tree.heads):
        for host in tree.outwards(position) if head.ns else ():
            later = (child for child in tree.children[host] if child > position)
            found[next((child for child in later if tree.heads[child].source in ("loop", None)), host)].append(position)
    return found


def ancestry(tree: Tree) -> Callable[[int, int], bool]:
    """A test whether one position is the other's ancestor (or itself), in constant time."""
    entered, left = walk(tree)
    return lambda above, below: entered[above] <= entered[below] and left[below] <= left[above]


def walk(tree: Tree) -> tuple[list[int], list[int]]:
    """When a walk that goes down before it goes on comes to each position, and when it has been to all below it."""
    entered, left, clock = [0] * len(tree), [0] * len(tree), 0
    for root in tree.roots:
        stack = [(root, False)]
        while stack:
            position, done = stack.pop()
            clock += 1
            if done:
                left[position] = clock
            else:
                entered[position] = clock
                stack.append((position, True))
                stack.extend((child, False) for child in reversed(tree.children[position]))
    return entered, left
