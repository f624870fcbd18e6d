"""What came before the roots of a history and is not there to be read. Pure."""

from .tree import Tree

PRUNED = "older checkpoints were pruned or never kept"


def completeness(tree: Tree) -> list[str]:
    """Whether a history that was read to its end is complete; if not, what it lacks."""
    said = [PRUNED] if tree.pruned else ["complete"]
    missing = len(set(tree.dangling) - set(tree.pruned))
    if missing:
        said.append(f"{missing} root{'' if missing == 1 else 's'} with a parent that does not exist")
    return said
