"""How long the picture's layout takes: forkbook's lanes beside networkx and Graphviz, on the same tree.

python tests/benchmarks/layout.py [checkpoints] [branches]
"""

import gc
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable

import networkx as nx

from forkbook.model.tree import Head, Tree
from forkbook.plot.tree.lanes import lanes

DOT_CHECKPOINTS = 10_000
DOT_SECONDS = 300


def history(checkpoints: int, branches: int) -> list[Head]:
    """Heads of a thread that was forked at random moments from random checkpoints."""
    dice = random.Random(20)
    forked = set(dice.sample(range(2, checkpoints), branches - 1))
    parents = [dice.randrange(i - 1) if i in forked else i - 1 for i in range(checkpoints)]
    return [Head(f"{i:012x}", None if i == 0 else f"{parent:012x}") for i, parent in enumerate(parents)]


def best(work: Callable[[], object], times: int = 5) -> float:
    """The shortest of some runs, in seconds."""
    durations = []
    for _ in range(times):
        gc.collect()
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return min(durations)


def fresh_lanes(heads: list[Head]) -> float:
    """Seconds for the lanes of a tree that has computed nothing yet."""
    trees = iter([Tree(heads) for _ in range(5)])
    return best(lambda: lanes(next(trees)))


def edges(tree: Tree) -> list[tuple[int, int]]:
    """Parent and child of every edge."""
    return [(parent, child) for child, parent in enumerate(tree.parents) if parent >= 0]


def versus(name: str, ours: float, theirs: float) -> str:
    """One line of the report."""
    return f"  {name:<34} {theirs * 1000:10.1f} ms    lanes {ours * 1000:7.1f} ms    ratio {theirs / ours:8.1f}x"


def dot(tree: Tree) -> float | None:
    """Seconds that Graphviz dot needs for the tree; None if it was given up."""
    source = "digraph {" + ";".join(f"{a}->{b}" for a, b in edges(tree)) + "}"
    start = time.perf_counter()
    try:
        subprocess.run(
            ["dot", "-Tplain"], input=source, capture_output=True, text=True, check=True, timeout=DOT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return None
    return time.perf_counter() - start


def report_dot(branches: int) -> None:
    """Compare with Graphviz, if it is there."""
    if not shutil.which("dot"):
        print("  Graphviz dot is not installed: not compared")
        return
    heads = history(DOT_CHECKPOINTS, branches)
    seconds = dot(Tree(heads))
    if seconds is None:
        print(f"  Graphviz dot, {DOT_CHECKPOINTS:,} checkpoints: given up after {DOT_SECONDS} s")
    else:
        print(versus(f"Graphviz dot, {DOT_CHECKPOINTS:,} checkpoints", fresh_lanes(heads), seconds))


def main(checkpoints: int = 50_000, branches: int = 500) -> None:
    """Print both sides and the ratio."""
    heads = history(checkpoints, branches)
    tree = Tree(heads)
    graph = nx.DiGraph(edges(tree))
    ours = fresh_lanes(heads)
    print(f"{checkpoints:,} checkpoints, {len(tree.starts):,} branches, {max(lanes(tree)) + 1} lanes")
    print(f"  building the tree (not layout)     {best(lambda: Tree(heads)) * 1000:10.1f} ms")
    print(versus("networkx bfs_layout", ours, best(lambda: nx.bfs_layout(graph, 0))))
    report_dot(branches)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
