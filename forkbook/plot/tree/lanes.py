"""Where branches go in a picture of the tree: a lane (column) for each. Pure.

A checkpoint's row is its position, so time runs downwards; its column is its branch's lane. A branch leaves its fork
point sideways in the fork point's row and runs straight down in its own lane to its tip: it fills its lane from the
fork point's row to the tip's. A subgraph's line leaves the checkpoint whose task ran it in the same way. Lanes are
chosen so that no two of these lines ever cross.
"""

from ...model.tree import Tree


def lanes(tree: Tree) -> list[int]:
    """Give each branch a lane, 0 being the leftmost.

    Branches are placed parent first, and of one parent's branches the latest forked first, each right of its parent
    and of every placed branch that is alive in one of its rows. Whatever is alive in the fork point's row and began
    above it was placed before the parent, hence lies left of it: so the line that leaves the fork point sideways meets
    nothing, and only branches that began at or below that row have to be asked for.

    A further root starts right of the earlier roots' trees that still run in its row.

    Args:
        tree: The tree, with n checkpoints and b branches; any depth.

    Returns:
        b lane numbers, by branch number. Takes O(n + b log n) time.
    """
    forks = fork_rows(tree)
    offspring = _offspring(tree, forks)
    placed = [0] * len(forks)
    alive = _Highest(len(tree))
    trees_by_end = _Highest(len(tree))
    for root, fork in enumerate(forks):
        if fork >= 0:
            continue
        placed[root] = 1 + trees_by_end.between(tree.starts[root], len(tree) - 1)
        _place_below(tree, root, forks, offspring, placed, alive, trees_by_end)
    return placed


def fork_rows(tree: Tree) -> list[int]:
    """For each branch the row of the checkpoint it was forked from, or whose task ran it; -1 for any other root's."""
    return [tree.parents[start] if tree.parents[start] >= 0 else tree.inside[start] for start in tree.starts]


def _offspring(tree: Tree, forks: list[int]) -> list[list[int]]:
    """For each branch those forked from it: the earliest fork point first, there the youngest first, subgraphs last."""
    offspring: list[list[int]] = [[] for _ in forks]
    is_inside = [tree.parents[start] < 0 for start in tree.starts]
    for branch in sorted(range(len(forks)), key=lambda branch: (forks[branch], is_inside[branch], -branch)):
        if forks[branch] >= 0:
            offspring[tree.branches[forks[branch]]].append(branch)
    return offspring


def _place_below(
    tree: Tree,
    root: int,
    forks: list[int],
    offspring: list[list[int]],
    placed: list[int],
    alive: "_Highest",
    trees_by_end: "_Highest",
) -> None:
    """Place every branch under a root's, whose own lane is known, and note how far down and right they reach."""
    ends = tree.tips_by_branch
    end, right = ends[root], placed[root]
    alive.raise_to(tree.starts[root], placed[root])
    waiting = list(offspring[root])
    while waiting:
        branch = waiting.pop()
        beside = alive.between(forks[branch], ends[branch])
        lane = placed[branch] = 1 + max(placed[tree.branches[forks[branch]]], beside)
        alive.raise_to(forks[branch], lane)
        end, right = max(end, ends[branch]), max(right, lane)
        waiting.extend(offspring[branch])
    trees_by_end.raise_to(end, right)


class _Highest:
    """The highest value kept in any range of rows, -1 where there is none: a segment tree, bottom up."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.nodes = [-1] * (2 * size)

    def raise_to(self, row: int, value: int) -> None:
        """Keep a value at a row, unless a higher one is there."""
        node = row + self.size
        while node and self.nodes[node] < value:
            self.nodes[node] = value
            node >>= 1

    def between(self, first: int, last: int) -> int:
        """The highest value from row `first` to row `last`, both included."""
        nodes, best = self.nodes, -1
        low, high = first + self.size, last + self.size + 1
        while low < high:
            if low & 1:
                best = max(best, nodes[low])
                low += 1
            if high & 1:
                high -= 1
                best = max(best, nodes[high])
            low >>= 1
            high >>= 1
        return best
