"""How token accounting grows: 1,000, 2,000 and 4,000 checkpoints, each with one message more than its parent.

python tests/benchmarks/tokens.py [checkpoints]

In turns of 25 from a new fork the states stay small, so that the input grows as the checkpoints do. On one line every
state lists all messages before it, so the input itself grows with the square. The floor is what no account can do
without: looking once whether each list begins with its parent's, and counting each message once.
"""

import gc
import operator
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from forkbook.facts import Facts
from forkbook.frames import checkpoints_rows, messages_rows, tokens_rows
from forkbook.model.tree import Head, Tree
from forkbook.tokens import ledger
from forkbook.tokens.counting import default_counter

SAID = "the quick brown fox jumps over the lazy dog and says: tokens! " * 3


def thread(checkpoints: int, turns: int) -> tuple[Tree, list[Any]]:
    """A thread in which people and a model take turns; every other answer reports its usage.

    Args:
        checkpoints: How many there are.
        turns: After so many a branch ends, and the next one starts from the root.
    """
    values: list[Any] = []
    parents = []
    for number in range(checkpoints):
        message: dict[str, Any] = {
            "type": ("human", "ai")[number % 2],
            "id": f"m{number}",
            "content": f"{number} {SAID}",
        }
        if number % 4 == 1:
            message["usage_metadata"] = {"input_tokens": number, "output_tokens": 5, "total_tokens": number + 5}
        parents.append(-1 if number == 0 else 0 if number % turns == 0 else number - 1)
        before = values[parents[-1]]["messages"] if number else []
        values.append({"messages": [*before, message]})
    heads = [Head(f"{n:08x}", f"{parent:08x}" if n else None, n, "loop") for n, parent in enumerate(parents)]
    return Tree(heads), values


def best(work: Callable[[], object], times: int = 5) -> float:
    """The shortest of some runs, in seconds."""
    durations = []
    for _ in range(times):
        gc.collect()
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return min(durations)


def accounted(tree: Tree, values: list[Any]) -> Any:
    """Spent tokens of every checkpoint and path, and every context."""
    book = ledger(tree, values)
    return book.context, book.paths


def floor(tree: Tree, values: list[Any]) -> Any:
    """Each list beside its parent's, the last message of each counted."""
    lists = [value["messages"] for value in values]
    same = [all(map(operator.is_, lists[parent], now)) for parent, now in zip(tree.parents, lists, strict=True)]
    return same, sum(default_counter().count(now[-1]) for now in lists)


def framed(tree: Tree, values: list[Any]) -> Any:
    """The rows of the three frames with tokens."""
    state = {"next": [], "tasks": [], "metadata": {}, "created_at": None}
    facts = Facts("t", tree, [state | {"values": value} for value in values])
    return [list(rows(facts)) for rows in (checkpoints_rows, messages_rows, tokens_rows)]


def report(name: str, checkpoints: int, turns: int) -> None:
    """Print each size beside the first, and its floor."""
    first: tuple[float, ...] = ()
    for size in (checkpoints, 2 * checkpoints, 4 * checkpoints):
        tree, values = thread(size, turns)
        took = tuple(best(partial(work, tree, values)) for work in (accounted, framed, floor))
        first = first or took
        ratios = [f"{seconds:6.3f} s ({seconds / base:5.2f}x)" for seconds, base in zip(took, first, strict=True)]
        entries = sum(len(value["messages"]) for value in values)
        print(f"  {name}, {size:6,} checkpoints, {entries:9,} list entries: accounts {ratios[0]}   ", end="")
        print(f"with the rows of three frames {ratios[1]}   floor {ratios[2]}", flush=True)


def main(checkpoints: int = 1_000) -> None:
    """Print both shapes."""
    default_counter().count({"type": "human", "content": "the vocabulary loads"})
    report("forks", checkpoints, 25)
    report("one line", checkpoints, sys.maxsize)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
