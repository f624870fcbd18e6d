"""The shared memory at one moment, and what was written from one moment to another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ..backends.store import Item, Namespace, place_of, text_of
from ..columns import FLOAT, OBJECT, TEXT, TIME, Columns, Row
from ..compare.diff import Diff, diff
from ..frames import frame
from ..model.meaning import same
from ..model.text import shown
from .show_memory import Written, change_text, diff_html, diff_text

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("added", "changed", "rewritten", "removed")
ITEMS: Columns = {
    "namespace": TEXT, "key": TEXT, "value": OBJECT, "created_at": TIME, "updated_at": TIME, "expires_at": TIME,
    "score": FLOAT,
}  # fmt: skip
CHANGES: Columns = {"namespace": TEXT, "key": TEXT, "kind": KINDS, "old": OBJECT, "new": OBJECT, "written_at": TIME}


def items_rows(items: Iterable[Item]) -> Iterator[Row]:
    """One row per item; the namespace as text, its labels joined by periods, which no label has."""
    for item in items:
        yield {"namespace": text_of(item.namespace)} | {
            name: getattr(item, name) for name in ITEMS if name != "namespace"
        }


def ordered(items: Iterable[Item]) -> list[Item]:
    """Items by namespace, in it those that were written first before the others."""
    return sorted(items, key=lambda item: (item.namespace, item.updated_at or "", item.key))


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot:
    """What the memory held when it was read; stays as it is.

    Attributes:
        items: The items, by namespace, in it by time.
        taken_at: When it was read, by this machine's clock.
        prefix: What the namespaces of the items begin with; empty: all were read.
        source: The place.
    """

    items: tuple[Item, ...]
    taken_at: datetime
    prefix: Namespace
    source: str

    def __len__(self) -> int:
        return len(self.items)

    def df(self) -> pd.DataFrame:
        """One row per item; see `Store.items_df`."""
        return frame(list(items_rows(self.items)), ITEMS)

    @shown
    def __repr__(self) -> str:
        under = f" under {text_of(self.prefix)}" if self.prefix else ""
        count = f"{len(self):,} item{'' if len(self) == 1 else 's'}"
        return f"{count}{under} of the store of {self.source} at {self.taken_at:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True, repr=False)
class ItemChange:
    """What happened to one item from one snapshot to another.

    Attributes:
        kind: `added`, `removed`, `changed`, or `rewritten`: written again with the value that it had.
        old: The item before; None where it was added.
        new: The item after; None where it was removed.
    """

    kind: str
    old: Item | None
    new: Item | None

    @property
    def item(self) -> Item:
        """The item as it is now, or was before it was removed."""
        found = self.new or self.old
        assert found is not None  # noqa: S101  # one of the two is there
        return found

    @property
    def diff(self) -> Diff:
        """What changed inside its value."""
        return diff(self.old and self.old.value, self.new and self.new.value)

    @shown
    def __repr__(self) -> str:
        return change_text(self.kind, self.old, self.new)


@dataclass(frozen=True, slots=True, repr=False)
class StoreDiff:
    """What was written to the memory between two moments, by whoever wrote it; false where nothing was.

    An item that was written and deleted in between, or written several times, shows only as what it is in the end.

    Attributes:
        before: The earlier snapshot.
        after: The later one.
        changes: A change an item, by namespace, in it by time.
    """

    before: Snapshot
    after: Snapshot
    changes: tuple[ItemChange, ...]

    def __len__(self) -> int:
        return len(self.changes)

    def __iter__(self) -> Iterator[ItemChange]:
        return iter(self.changes)

    def of(self, kind: str) -> list[ItemChange]:
        """The changes of one kind: added, changed, rewritten or removed."""
        return [change for change in self.changes if change.kind == kind]

    def df(self) -> pd.DataFrame:
        """One row per change.

        Returns:
            Columns `namespace`, `key` (string), `kind` (category), `old` and `new` (the values), `written_at` (UTC;
            null where it was removed).
        """
        rows: list[Row] = [
            {
                "namespace": text_of(change.item.namespace),
                "key": change.item.key,
                "kind": change.kind,
                "old": change.old and change.old.value,
                "new": change.new and change.new.value,
                "written_at": change.new and change.new.updated_at,
            }
            for change in self.changes
        ]
        return frame(rows, CHANGES)

    @shown
    def __repr__(self) -> str:
        return diff_text(self.after.source, self._written)

    def _repr_html_(self) -> str:
        return diff_html(self.after.source, self._written)

    @property
    def _written(self) -> list[Written]:
        return [(change.kind, change.old, change.new) for change in self.changes]


def compared(before: Snapshot, after: Snapshot) -> StoreDiff:
    """What happened from one snapshot to another."""
    old, new = ({place_of(item): item for item in taken.items} for taken in (before, after))
    kinds = ((place, _kind(old.get(place), new.get(place))) for place in {**old, **new})
    changes = {place: ItemChange(kind, old.get(place), new.get(place)) for place, kind in kinds if kind}
    return StoreDiff(
        before, after, tuple(changes[place_of(item)] for item in ordered(c.item for c in changes.values()))
    )


def _kind(old: Item | None, new: Item | None) -> str | None:
    """What happened to an item; None: nothing."""
    if old is None or new is None:
        return "added" if old is None else "removed"
    if not same(old.value, new.value):
        return "changed"
    return None if old.updated_at == new.updated_at else "rewritten"
