"""The memory that threads share, LangGraph's Store: what the agent knows of a user, whichever thread it is in.

Forking a thread does not fork it: all branches and all threads read and write the same items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ..acts.spot import HasSpot
from ..backends.capabilities import Capability
from ..backends.labels import is_ours
from ..backends.store import Item, Memory, Namespace, checked_key, namespace_of, text_of
from ..columns import BOOL, Columns
from ..errors import InvalidInput
from ..frames import frame
from ..marks import OURS
from ..model.edits import plain
from ..model.text import short, shown
from ..twins import twin
from .recording import Recording
from .snapshot import ITEMS, Snapshot, StoreDiff, compared, items_rows, ordered
from .write_item import Write

if TYPE_CHECKING:
    import pandas as pd

    from ..backends.contract import Backend

Place = str | Iterable[str]
KNOWN: Columns = {**ITEMS, "after_checkpoint": BOOL}


class HasBackend(Protocol):
    """A book: it has another backend once it is closed."""

    backend: Backend


class Store:
    """The shared memory of a book; `book.store` gives it.

    A namespace is its labels, ("memories", "123"), or their text, "memories.123". Reading changes nothing, not even
    when an item expires. Items that have expired are there until the place sweeps them away. The labels of checkpoints
    (`history.label`) are items, too: under ("forkbook", thread id), shown only where a prefix asks for them.

    Every method but `recording` has a twin for async code, as in `await book.store.aitems_df()`.
    """

    def __init__(self, book: HasBackend) -> None:
        self._book = book

    @shown
    def __repr__(self) -> str:
        return f"<Store of {self._book.backend.kind} {self._book.backend.address}>"

    @property
    def _memory(self) -> Memory:
        return self._book.backend.memory()

    def namespaces(self, prefix: Place | None = None) -> list[Namespace]:
        """Every namespace that holds items, sorted; all pages are read.

        Args:
            prefix: Only those that begin with these labels.

        Raises:
            Unsupported: This place has no shared memory; the text says which places have one.
        """
        labels = namespace_of(prefix)
        return sorted(found for found in self._memory.namespaces(labels) if is_shown(found, labels))

    def items(self, prefix: Place | None = None, query: str | None = None, limit: int | None = None) -> list[Item]:
        """The items themselves, as `items_df` has them."""
        if limit is not None and not (isinstance(limit, int) and limit > 0):
            raise InvalidInput(f"limit is {short(limit)}: give 1 or more, or None for all")
        found = self._shown(namespace_of(prefix), query, limit)
        return found if query is not None else ordered(found)

    def _shown(self, prefix: Namespace, query: str | None = None, limit: int | None = None) -> list[Item]:
        """The items under a prefix, without the labels of checkpoints, of which there may be some among the first."""
        wanted = limit
        while True:
            found = self._memory.items(prefix, query, wanted)
            shown = [item for item in found if is_shown(item.namespace, prefix)]
            if limit is None or wanted is None or len(shown) >= limit or len(found) < wanted:
                return shown[:limit]
            wanted = limit + len(found) - len(shown)

    def items_df(self, prefix: Place | None = None, query: str | None = None, limit: int | None = None) -> pd.DataFrame:
        """One row per item; all pages are read.

        Args:
            prefix: Only items whose namespace begins with these labels.
            query: What to search for by meaning, the nearest first, where the store has an index.
            limit: At most so many, those that the place lists first; on Postgres those written last.

        Returns:
            Columns `namespace`, `key` (string), `value` (a dict), `created_at`, `updated_at`, `expires_at` (UTC; null
            where an item never expires, or the place does not know it; only SQLite and Postgres do), `score`. SQLite
            keeps no time of creation beside that of the last write.

        Raises:
            Unsupported: This place has no shared memory, or cannot search by meaning.
        """
        return frame(list(items_rows(self.items(prefix, query, limit))), ITEMS)

    def get(self, namespace: Place, key: str) -> Item | None:
        """One item; None if there is none."""
        return self._memory.item(_whole(namespace), checked_key(key))

    def put(self, namespace: Place, key: str, value: Mapping[str, Any], *, confirm: bool = False) -> Write:
        """Show what writing an item would change; `.confirm()` on the result, or `confirm=True`, writes it.

        Args:
            namespace: Where.
            key: Its name.
            value: The whole new value, a dict: what it leaves out of an old one is gone.
            confirm: Write at once.

        Raises:
            InvalidInput: This can be no item.
            Unsupported: This place has no shared memory, or is read-only.
        """
        if not isinstance(value, Mapping):
            raise InvalidInput(f"an item's value is a dict, as in {{'fact': 'likes chess'}}, not {short(value)}")
        if (labels := _whole(namespace))[0] == "langgraph":
            raise InvalidInput("LangGraph keeps namespaces that begin with 'langgraph' to itself: take another label")
        return self._write(labels, key, plain(value), confirm)

    def delete(self, namespace: Place, key: str, *, confirm: bool = False) -> Write:
        """Show what would be deleted; `.confirm()` on the result, or `confirm=True`, deletes it.

        Raises:
            InvalidInput: There is no such item.
            Unsupported: This place has no shared memory, or is read-only.
        """
        return self._write(namespace, key, None, confirm)

    def _write(self, namespace: Place, key: str, value: dict[str, Any] | None, confirm: bool) -> Write:
        memory, place = self._memory, (_whole(namespace), checked_key(key))
        memory.check_writable()
        old = memory.item(*place)
        if value is None and old is None:
            raise InvalidInput(
                f"there is no item {key!r} in {text_of(place[0])} of {memory.name}; book.store.items_df() lists them"
            )
        write = Write(*place, old, value, memory)
        return write.confirm() if confirm else write

    def snapshot(self, prefix: Place | None = None) -> Snapshot:
        """What the memory holds now, to keep; `diff` shows what was written since."""
        labels, memory = namespace_of(prefix), self._memory
        return Snapshot(tuple(ordered(self._shown(labels))), datetime.now(UTC), labels, memory.name)

    def diff(self, before: Snapshot, after: Snapshot | None = None) -> StoreDiff:
        """What was added, changed, rewritten and removed from one snapshot to another.

        Args:
            before: The earlier one.
            after: The later one; None: the memory as it is now.

        Raises:
            InvalidInput: They are of different prefixes or places, so that nearly all would differ.
        """
        after = self.snapshot(before.prefix) if after is None else after
        if (before.prefix, before.source) != (after.prefix, after.source):
            raise InvalidInput(f"these snapshots are of different things: {before!r}, and {after!r}")
        return compared(before, after)

    def recording(self, prefix: Place | None = None) -> Recording:
        """Record what is written while a block runs, with `with` or `async with`.

        ```python
        with book.store.recording() as recording:
            act = checkpoint.fork({"topic": "chickens"})
        recording.diff
        ```

        What other threads' runs write meanwhile is in it, too.
        """
        return Recording(partial(self.snapshot, prefix), self.diff)

    def known_to(self, checkpoint: HasSpot, key: str = "user_id") -> pd.DataFrame:
        """What is known today about the user for whom a checkpoint's run was run.

        The store is not forked and keeps no past: an item that was changed or deleted since is not as the agent saw it.

        Args:
            checkpoint: The checkpoint.
            key: What in the run's `configurable` or context names the user.

        Returns:
            The columns of `items_df`, of every namespace that has the user's id as a label, and `after_checkpoint`:
            whether it was last written after the checkpoint; null: unknown.

        Raises:
            InvalidInput: The run has no such setting.
            Unsupported: This place has no shared memory.
        """
        from .show_memory import is_after

        spot = checkpoint.spot
        user = user_of(checkpoint, key)
        if user is None:
            raise InvalidInput(
                f"no {key} is known for the run that led to checkpoint {spot.short_id}: neither its configurable "
                "nor its context has one; book.store.items_df() lists everything"
            )
        since = spot.created_at
        items = self.about(user)
        rows = zip(items_rows(items), items, strict=True)
        return frame([{**row, "after_checkpoint": is_after(item, since)} for row, item in rows], KNOWN)

    def about(self, label: str) -> list[Item]:
        """The items of every namespace that has this label, such as a user's id."""
        [label] = namespace_of((label,))
        prefixes = {found[: found.index(label) + 1] for found in self.namespaces() if label in found}
        return ordered({(i.namespace, i.key): i for prefix in prefixes for i in self.items(prefix)}.values())

    anamespaces, aitems, aitems_df, aget = twin(namespaces), twin(items), twin(items_df), twin(get)
    aput, adelete = twin(put, "The result has `aconfirm`."), twin(delete, "The result has `aconfirm`.")
    asnapshot, adiff, aknown_to = twin(snapshot), twin(diff), twin(known_to)


def user_of(checkpoint: HasSpot, key: str = "user_id") -> str | None:
    """The user for whom a checkpoint's run was run; None: unknown."""
    spot = checkpoint.spot
    if Capability.RUN in spot.backend.capabilities:
        how = spot.own_settings()
        given = {**(how.config.get("configurable") or {}), **(how.context or {})}
    else:  # a store knows no runs, but LangGraph writes a run's configurable into its checkpoints
        ran = (cp.metadata for cp in reversed(spot.lineage) if cp.source in ("input", "loop"))
        given = next(ran, {})
    return None if given.get(key) in (None, "") else str(given[key])


def is_shown(namespace: Namespace, prefix: Namespace) -> bool:
    """Whether the items of a namespace are shown under a prefix: labels of checkpoints only on request."""
    return not is_ours(namespace) or OURS in prefix


def _whole(namespace: Place) -> Namespace:
    labels = namespace_of(namespace)
    if not labels:
        raise InvalidInput("an item is in a namespace of at least one label, as in ('memories', '123')")
    return labels
