"""Whether a checkpointer can hold a copy of a thread, which is checked before anything is written."""

from collections.abc import Iterator
from typing import Any

from ...errors import Unsupported

NEWEST_ONLY = "it keeps the newest checkpoint of a thread alone"
SHALLOW = ("Shallow", "AsyncShallow")  # what the names of LangGraph's checkpointers of that kind begin with
WRITING = ("put", "put_writes")


def newest_only(saver: Any) -> bool:
    """Whether a checkpointer keeps one checkpoint a thread, as ShallowPostgresSaver and ShallowRedisSaver do."""
    return any(base.__name__.startswith(SHALLOW) for base in type(saver).__mro__)


def must_hold_copies(saver: Any, place: str, *, awaits: bool) -> None:
    """Check that a thread can be written checkpoint by checkpoint.

    Args:
        saver: The checkpointer.
        place: Where this is, for the error.
        awaits: Whether its async methods are called.

    Raises:
        Unsupported: It keeps too few checkpoints, or lacks a method.
    """
    faults = list(_faults(saver, awaits))
    if faults:
        raise Unsupported(
            f"{place} cannot hold a copy of a thread: {'; '.join(faults)}. Nothing was written. Give the "
            "graph another checkpointer and fb.migrate() the thread there, or book.export() it to an archive"
        )


def _faults(saver: Any, awaits: bool) -> Iterator[str]:
    if newest_only(saver):
        yield NEWEST_ONLY
    lacking = [name for name in WRITING if not _offers(saver, f"a{name}" if awaits else name)]
    if lacking:
        yield f"{type(saver).__name__} has no {' and no '.join(lacking)}"


def _offers(saver: Any, method: str) -> bool:
    """Whether a checkpointer has a method of its own; the one of LangGraph's base class only raises."""
    from langgraph.checkpoint.base import BaseCheckpointSaver

    own = getattr(type(saver), method, None) or getattr(saver, method, None)
    return callable(own) and own is not getattr(BaseCheckpointSaver, method)
