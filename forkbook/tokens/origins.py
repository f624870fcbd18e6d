"""At which checkpoints people brought what is new, and not the graph's own work. Pure.

An input is taken up one step after its own checkpoint, by the task `__start__`. An edit (`update`) is a person's, too.
Threads that were rebuilt from supersteps have `update` where the graph once ran: there no `loop` comes after the input.
"""

from collections.abc import Sequence

from ..model.tree import Tree

START = "__start__"
Next = Sequence[str] | None


def brought(tree: Tree, nexts: Sequence[Next] | None = None) -> list[bool]:
    """For each position whether what is new there came with an input or an edit.

    Args:
        tree: The checkpoints.
        nexts: For each position the nodes that run next; None: unknown.
    """
    nexts = [None] * len(tree) if nexts is None else nexts
    rebuilt = _rebuilt(tree)
    return [
        head.source == "input"
        or _takes_input(tree, nexts, position)
        or (head.source == "update" and not rebuilt[position])
        for position, head in enumerate(tree.heads)
    ]


def _takes_input(tree: Tree, nexts: Sequence[Next], position: int) -> bool:
    """Whether the step that led to a checkpoint was that of `__start__`."""
    head, parent = tree.heads[position], tree.parents[position]
    if head.source not in ("loop", "update", None):
        return False
    if parent < 0:
        return head.step == 0 and head.source == "loop" and head.parent_id is not None
    if (after := nexts[parent]) is not None:
        return START in after
    while parent >= 0 and tree.heads[parent].source == "fork":  # it repeats its parent
        parent = tree.parents[parent]
    return parent >= 0 and tree.heads[parent].source == "input"


def _rebuilt(tree: Tree) -> list[bool]:
    """For each position whether its path has an input, and no step that a graph took."""
    result: list[bool] = []
    ran: list[bool] = []
    for position, parent in enumerate(tree.parents):
        source = tree.heads[position].source
        ran.append(source == "loop" or (parent >= 0 and ran[parent]))
        result.append(not ran[position] and (source == "input" or (parent >= 0 and result[parent])))
    return result
