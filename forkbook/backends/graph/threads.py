"""The records of a checkpointer's threads, and among which checkpoints threads are searched."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...errors import SourceError, Unsupported
from ...marks import OURS
from ...model.states import Thread
from .snapshots import Stub

REFUSALS = (NotImplementedError, ValueError, TypeError, KeyError, AttributeError)
OPEN_ONE = (
    "If this checkpointer lists one thread at a time only, open a thread by its id, book[{!r}]; copy, export and "
    "migrate take threads=[…]"
)


def record_of(thread_id: str, stubs: Iterable[Stub], metadata: Mapping[str, Any]) -> Thread:
    """A thread's record, its times those of its first and last checkpoint."""
    times = [found.created_at for found in stubs if found.created_at]
    return {
        "thread_id": thread_id,
        "status": None,
        "created_at": min(times, default=None),
        "updated_at": max(times, default=None),
        "metadata": dict(metadata),
    }


def to_search(
    stubs: Callable[[str | None], list[Stub]],
    ids: Iterable[str] | None,
    names: Sequence[str],
    tagged: Iterable[str],
) -> list[Stub]:
    """The checkpoints of the threads among which to search.

    A checkpointer may list one thread only, as one on a key-value store does. Then a search by our own tags looks
    among the threads that were tagged: no other thread bears them.

    Args:
        stubs: Lists the checkpoints of one thread, or of all (None).
        ids: The threads that are asked for; None: all.
        names: The keys of the metadata that is searched for.
        tagged: The threads that bear our tags.

    Raises:
        Unsupported: All are asked for, and the checkpointer refuses that.
    """
    if ids is not None:
        return _of_each(stubs, ids)
    try:
        return stubs(None)
    except SourceError as error:
        if not isinstance(error.__cause__, REFUSALS):
            raise
        if names and all(name.startswith(OURS) for name in names):
            return _of_each(stubs, tagged)
        raise Unsupported(f"{error}. {OPEN_ONE.format('thread_id')}") from error


def _of_each(stubs: Callable[[str | None], list[Stub]], ids: Iterable[str]) -> list[Stub]:
    return [found for thread_id in dict.fromkeys(ids) for found in stubs(thread_id)]
