"""Which AI messages spend, and how much: those that a model's call in this thread wrote, each once. Pure."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..model.messages import Key, Message, role, text
from ..model.tree import Tree
from .kinship import Kinship, Marks
from .spending import Spend, spend_of
from .usage import HalfReport, Report, half_report_of, is_hidden, report_of, written_without_model

CHUNK = "AIMessageChunk"
Version = tuple[Key, Report | HalfReport | None]  # a message and what was reported of it


class Unknown(Exception):
    """It is unknown what a message spent."""


@dataclass(frozen=True, slots=True)
class Part:
    """A version of a message that was spent, with its whole cost so far."""

    position: int
    key: Key
    message: Message
    spend: Spend


class Spender:
    """Decides what each AI message spends where it is new; asked position by position, parents first.

    Args:
        tree: The checkpoints.
        brought: For each position whether what is new there came with an input or an edit.
        came_with_command: Tells whether a message that is new at a position came with a command.
        count: Counts a message's tokens.
        context_of: Gives the context tokens of a position, -1 is none; None: unknown.

    Attributes:
        superseded: Positions and keys of estimates that a later report of the same message takes the place of.
    """

    def __init__(
        self,
        tree: Tree,
        brought: Sequence[bool],
        came_with_command: Callable[[int, Message], bool],
        count: Callable[[Message], int],
        context_of: Callable[[int], int | None],
    ) -> None:
        self.kin = Kinship(tree)
        self.superseded: set[tuple[int, Key]] = set()
        self._tree, self._brought, self._count, self._context_of = tree, brought, count, context_of
        self._came_with_command = came_with_command
        self._seen: dict[Version, Marks] = defaultdict(lambda: Marks(self.kin))
        self._handed: dict[Version, Marks] = defaultdict(lambda: Marks(self.kin))
        self._parts: dict[Key, tuple[Marks, list[Part]]] = defaultdict(lambda: (Marks(self.kin), []))

    def spend(self, position: int, key: Key, message: Message) -> Spend | None:
        """What a message that is new at a position spends there; None: nothing.

        Raises:
            Unknown: There is no way to know.
        """
        if role(message) != "ai" or written_without_model(message):
            return None
        report = report_of(message)
        if report is None and is_hidden(message):
            raise Unknown
        head, version = self._tree.heads[position], (_identity(key), report or half_report_of(message))
        if head.ns and head.source != "update" and self._brought[position]:
            self._handed[version].add(position)  # by the node that ran the subgraph
            return None
        paid = self._is_paid(version, position)
        self._seen[version].add(position)
        if paid or head.source == "fork" or self._brought[position] or self._came_with_command(position, message):
            return None
        return self._first_time(position, key, message)

    def _is_paid(self, version: Version, position: int) -> bool:
        """Whether a checkpoint has a message version from one that paid for it, or that was handed it."""
        if any(True for _ in self._seen[version].akin(position)):
            return True
        return version in self._handed and any(True for _ in self._handed[version].on_line(position))

    def _first_time(self, position: int, key: Key, message: Message) -> Spend | None:
        parent = self._tree.parents[position]
        spend = spend_of(key, message, self._count, lambda: self._context_of(parent))
        if spend is None:
            raise Unknown
        marks, parts = self._parts[_identity(key)]
        earlier = (parts[mark] for mark in marks.akin(position))
        before = next((part for part in earlier if _continues(part, spend)), None)
        if before is not None and before.spend.reported and not spend.reported:
            return None  # the last report counts
        marks.add(position)
        parts.append(Part(position, key, message, spend))
        if before is None:
            return spend
        if spend.reported and not before.spend.reported:
            self.superseded.add((before.position, before.key))
            return spend
        return _beyond(spend, before.spend)


def _continues(part: Part, spend: Spend) -> bool:
    """Whether a message is one that a part, which its checkpoint has, holds the beginning of."""
    before = part.spend
    if CHUNK in (part.message.get("type"), spend.message.get("type")):
        return True
    if not text(spend.message).startswith(text(part.message)):
        return False
    if not (before.reported and spend.reported):
        return True
    return spend.output >= before.output and (spend.input == before.input or not before.input or not spend.input)


def _identity(key: Key) -> Key:
    """What identifies a message wherever it stands: its id, or its content and which of several it is."""
    return key[:2] if key[0] == "id" else ("", *key[1:])


def _beyond(spend: Spend, before: Spend) -> Spend | None:
    """What a message cost beyond an earlier part of it; None: nothing."""
    read, written = (max(now - then, 0) for now, then in ((spend.input, before.input), (spend.output, before.output)))
    total = max(spend.total - before.total, read + written)
    if not total:
        return None
    details: dict[str, Any] = {
        name: None if (now := getattr(spend, name)) is None else max(now - (getattr(before, name) or 0), 0)
        for name in ("cache_read", "cache_creation", "reasoning", "reported_part")
    }
    return replace(spend, input=read, output=written, total=total, **details)
