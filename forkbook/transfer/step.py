"""One checkpoint to be written anew: the updates that may make it, the likeliest first. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..backends.wire import ROOT
from ..model.messages import canonical
from .match_messages import sendable

START, INPUT, COPY = "__start__", "__input__", "__copy__"
Update = dict[str, Any]
Writes = Mapping[int, Any]  # by the task's place in `Step.nodes`
NOTHING: tuple[str, Writes] = ("nothing", {})


@dataclass
class Tries:
    """Writes that may make a channel what it was, each with a label, the likeliest first; costly ones when needed.

    Attributes:
        known: Those at hand.
        later: Gives the others, one at a time; None: there are none.
    """

    known: list[tuple[str, Writes]]
    later: Iterator[tuple[str, Writes]] | None = None

    def at(self, number: int) -> tuple[str, Writes] | None:
        """The number-th, if there are so many."""
        while number >= len(self.known) and self.later is not None:
            if (found := next(self.later, None)) is None:
                self.later = None
            else:
                self.known = distinct([*self.known, found])
        return self.known[number] if number < len(self.known) else None

    def number_of(self, label: str) -> int | None:
        """Which one has a label."""
        while (found := next((n for n, (name, _) in enumerate(self.known) if name == label), None)) is None:
            if self.later is None:
                return None
            self.at(len(self.known))
        return found


@dataclass
class Step:
    """One checkpoint to be made.

    Attributes:
        position: Of the checkpoint in the original's tree.
        base: Position of the checkpoint at which the update is made: the parent, of a copy the sibling; -1: none.
        way: `input`, `run`, `replay`, `copy` or `edit`.
        nodes: The nodes that write; of an edit or replay the one that is tried now.
        results: What each node wrote, as recorded; None: nothing.
        tries: For each channel the writes that may make it what it was.
        choice: For each channel which of them is taken.
        others: Nodes to try in the place of the only one, the likeliest first.
        settled: Whether everything was tried.
        last: Whether it is known that nothing comes next, though the checkpoint does not say so.
    """

    position: int
    base: int
    way: str
    nodes: list[str | None]
    results: list[Any]
    tries: dict[str, Tries] = field(default_factory=dict)
    choice: dict[str, int] = field(default_factory=dict)
    others: list[str | None] = field(default_factory=list)
    settled: bool = False
    last: bool = False

    @property
    def node(self) -> str | None:
        """The node that writes, the first of several."""
        return self.nodes[0]

    @node.setter
    def node(self, name: str | None) -> None:
        self.nodes = [name, *self.nodes[1:]]

    def updates(self) -> list[Update]:
        """The updates of one superstep."""
        if not self.tries:
            whole = self.results if self.way == "run" else [self.results[0]]
            return [
                {"values": sendable(result) if self.way == "run" else result, "as_node": node}
                for result, node in zip(whole, self.nodes, strict=True)
            ]
        values: list[dict[str, Any]] = [{} for _ in self.nodes]
        for channel, tries in self.tries.items():
            label_and_writes = tries.at(self.choice.get(channel, 0))
            for place, write in label_and_writes[1].items() if label_and_writes else ():
                values[place][channel] = write
        whole = [each[ROOT] if each.keys() == {ROOT} else each for each in values]
        return [{"values": each, "as_node": node} for each, node in zip(whole, self.nodes, strict=True)]


def distinct(tries: Sequence[tuple[str, Writes]]) -> list[tuple[str, Writes]]:
    """Tries without those that write what an earlier one does."""
    seen: set[bytes] = set()
    kept = []
    for label, writes in tries:
        if (key := canonical(list(writes.items()))) not in seen:
            seen.add(key)
            kept.append((label, writes))
    return kept
