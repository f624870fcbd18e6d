"""Which checkpoint of a rebuilt thread stands for which of the original: by the shape of the tree alone. Pure."""

from ..model.tree import Tree


def by_shape(original: Tree, rebuilt: Tree) -> dict[int, int]:
    """Positions of the original with those of the other tree that stand at the same place.

    The n-th root stands for the n-th root, and the n-th child for the n-th child; children are in the order of their
    ids, which is that in which they were written. What has no counterpart is left out.
    """
    found = dict(zip(original.roots, rebuilt.roots, strict=False))
    for position in range(len(original)):
        if (other := found.get(position)) is not None:
            found |= dict(zip(original.children[position], rebuilt.children[other], strict=False))
    return found
