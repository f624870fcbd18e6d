"""What a picture shows of a tree: all of it, or the root graph alone with its subgraphs folded away. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...model.tree import Tree
from ...tokens.kinship import gathered
from .labels import Mark


@dataclass(frozen=True, slots=True)
class Shown:
    """A tree as it is drawn.

    Attributes:
        tree: What is drawn; its positions are the picture's rows.
        positions: For each row the position in the whole tree.
        rows: For each position of the whole tree the row that stands for it: its own, or that of the checkpoint of the
            root graph within whose task it is.
    """

    tree: Tree
    positions: Sequence[int]
    rows: Sequence[int]


def shown(tree: Tree, fold: bool) -> Shown:
    """The tree, or with `fold` its root namespace alone."""
    positions = [position for position, head in enumerate(tree.heads) if not fold or not head.ns]
    if len(positions) in (0, len(tree)):
        return Shown(tree, range(len(tree)), range(len(tree)))
    rows: list[int] = []
    latest = -1
    for position, head in enumerate(tree.heads):
        latest += not head.ns
        host = tree.inside[position]
        rows.append(latest if not head.ns else rows[host] if host >= 0 else max(latest, 0))
    return Shown(Tree([tree.heads[position] for position in positions]), positions, rows)


def folded(tree: Tree, marks: Sequence[Mark], view: Shown) -> list[Mark]:
    """The marks of the rows: each says how many checkpoints are folded into it, and has their tokens, too."""
    if len(view.positions) == len(tree):
        return list(marks)
    hidden = [0] * len(view.positions)
    for row in view.rows:
        hidden[row] += 1
    below = gathered(tree)
    result = []
    for row, position in enumerate(view.positions):
        result.append(replace(_together([marks[at] for at in below[position]]), inside=hidden[row] - 1))
    return result


def _together(found: Sequence[Mark]) -> Mark:
    """The first of some marks with the tokens of all; they are unknown where those of one are."""
    spent = [mark.tokens for mark in found if mark.tokens is not None]
    least = [mark.at_least for mark in found if mark.at_least is not None]
    if least:
        return replace(found[0], tokens=None, at_least=sum(least) + sum(spent))
    return replace(found[0], tokens=sum(spent) if spent else None)
