"""Which checkpoints have what an earlier one spent: its descendants, and those of the graphs around it. Pure."""

from collections.abc import Callable

from ..model.tree import Tree


class Kinship:
    """Tells whether a later position has what an earlier one brought; each answer in constant time, or nearly."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._covers = ancestry(tree)
        self._hosts: dict[int, tuple[int, ...]] = {-1: ()}
        self._ends: dict[int, list[int]] = {}

    def hosts_of(self, position: int) -> tuple[int, ...]:
        """The checkpoints within whose tasks a position is, the nearest first."""
        if (host := self._tree.inside[position]) not in self._hosts:
            self._hosts[host] = (host, *self._tree.outwards(host))
        return self._hosts[host]

    def on_line(self, at: int, position: int) -> bool:
        """Whether the position's own line has it, or that of a graph further out, which handed it in."""
        return self._covers(at, position) or any(self._covers(at, host) for host in self.hosts_of(position))

    def has(self, at: int, position: int) -> bool:
        """The same, or a task that led to the position has it, or one that led to the other."""
        return self.on_line(at, position) or self._from_task(at, position) or self._from_task(position, at)

    def _from_task(self, at: int, position: int) -> bool:
        parent = self._tree.parents[position]
        return parent >= 0 and (
            parent in self.hosts_of(at) or any(self._covers(at, end) for end in self._last_of(parent))
        )

    def _last_of(self, host: int) -> list[int]:
        """Where the subgraphs ended that the tasks of a checkpoint ran: one with a memory began long before."""
        if host not in self._ends:
            tree = self._tree
            own = tree.nested.get(host, [])
            self._ends[host] = [at for at in own if not any(tree.inside[child] == host for child in tree.children[at])]
        return self._ends[host]


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
                stack.extend((child, False) for child in tree.children[position])
    return lambda above, below: entered[above] <= entered[below] and left[below] <= left[above]
