"""A thread as the page reads it: a few bytes for each checkpoint, and labels of those in sight. Pure."""

import sys
from array import array
from collections.abc import Collection, Iterable
from functools import cached_property

from ..facts import Facts
from ..model.messages import role
from . import codes
from .labels import label, starts
from .order import Order, display_parents, fold, order

ROW_BYTES = 8
FIRST_LABELS = 40
MOST_NODES = 2**16 - 1  # names that a row has room for; further ones are no name


class Document:
    """What the page is given of a thread before it asks for anything.

    Attributes:
        facts: The thread.
        nodes: Names of the nodes that made checkpoints, those of one superstep as "a, b"; the first, "", stands for
            none. A thread that grows only adds to them.
        kinds: For each position its kind (see `codes`).
        all_flags: For each position its flags.

    Example:
        >>> from forkbook.face.document import Document
        >>> document = Document(history.facts)
        >>> len(document.rows()), document.counts["branches"], document.nodes
        (48, 2, ['', 'generate_topic', 'write_joke'])
    """

    def __init__(self, facts: Facts, starred: Collection[str] = frozenset()) -> None:
        """Read the facts.

        Args:
            facts: The thread.
            starred: Ids of the checkpoints that people marked with a star.
        """
        self.facts = facts
        self.nodes: list[str] = [""]
        self.kinds: list[int] = []
        self._node: list[int] = []
        self._name(facts)
        self.all_flags: list[int] = _flags(facts, frozenset(starred))

    def _name(self, facts: Facts) -> None:
        numbers = {"": 0}
        for position, head in enumerate(facts.tree.heads):
            is_start = starts(facts, position)
            self.kinds.append(codes.START if is_start else codes.KINDS.get(head.source or "", codes.UNCLEAR))
            name = "" if is_start else ", ".join(facts.made_by(position))
            number = numbers.get(name)
            if number is None and len(self.nodes) <= MOST_NODES:
                number = numbers[name] = len(self.nodes)
                self.nodes.append(name)
            self._node.append(number or 0)

    def __len__(self) -> int:
        return len(self.kinds)

    @cached_property
    def parents(self) -> list[int]:
        """For each position the one that it is drawn below; -1 for a root."""
        return display_parents(self.facts.tree)

    @cached_property
    def order(self) -> Order:
        """The order of reading, and the lanes."""
        return order(self.parents, self.kinds, self.all_flags)

    def rows(self, start: int = 0) -> bytes:
        """The columns that the page keeps, from a position on, one after the other: 8 bytes a checkpoint.

        Display parent (Int32), node (Uint16: its number in `nodes`), kind (Uint8), flags (Uint8); little-endian.
        """
        parents, node = array("i", self.parents[start:]), array("H", self._node[start:])
        if sys.byteorder == "big":
            parents.byteswap()
            node.byteswap()
        return b"".join(map(bytes, (parents, node, self.kinds[start:], self.all_flags[start:])))

    @cached_property
    def summary(self) -> str:
        """One line about the thread."""
        return self.facts.summary()

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many checkpoints failed, wait, were edited, have a star; how many there are, and how many branches."""
        return {
            "failed": self._count(codes.FAILED),
            "waiting": self._count(codes.WAITS),
            "edited": self._count(codes.EDITED),
            "starred": self._count(codes.STARRED),
            "checkpoints": len(self),
            "branches": len(self.facts.tree.numbers[""]),
        }

    def _count(self, flag: int) -> int:
        return sum(1 for flags in self.all_flags if flags & flag)

    def flags(self, position: int) -> int:
        """The flags of a checkpoint (see `codes`)."""
        return self.all_flags[position]

    def labels(self, positions: Iterable[int]) -> dict[str, list[str]]:
        """The labels of checkpoints, by their position as text."""
        return {str(position): label(self.facts, position) for position in positions}

    def first_labels(self, position: int) -> dict[str, list[str]]:
        """The labels of about 40 rows around a checkpoint, as the page folds them at first; -1: of the first ones."""
        folded = fold(self.order, self.kinds, self.all_flags, {position} - {-1}).rows
        at = folded.index(position) if position >= 0 else 0
        start = max(0, min(at - FIRST_LABELS // 2, len(folded) - FIRST_LABELS))
        return self.labels(row for row in folded[start : start + FIRST_LABELS] if isinstance(row, int))


def _flags(facts: Facts, starred: Collection[str]) -> list[int]:
    tree = facts.tree
    result = []
    for position, (head, held) in enumerate(zip(tree.heads, facts.holdings, strict=True)):
        is_tip = not tree.children[position]
        flags = (
            codes.TIP * is_tip
            | codes.INSIDE * bool(head.ns)
            | codes.EDITED * (head.source == "update")
            | codes.STARRED * (head.id in starred)
            | codes.UNKNOWN * bool(held.hidden)
        )
        if any(message.get("status") == "error" and role(message) == "tool" for message in held.fresh.values()):
            flags |= codes.FAILED
        for task in facts.states[position]["tasks"] or ():
            if task.get("error") and facts.error(position):
                flags |= codes.FAILED
            if task.get("interrupts"):
                flags |= codes.WAITS if is_tip and facts.status(position) == "waiting" else codes.ASKED
        result.append(flags)
    return result
