"""What forkbook leaves in the metadata of a copy, so that it is found again. Pure, but for the search."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from .backends.contract import COPY_OF, Backend, Thread
from .backends.wire import SERVER_PREFIXES
from .errors import InvalidInput
from .model.edits import plain
from .model.secrets import MaskedDict
from .model.text import short

COPY = "forkbook_copy"  # beside COPY_OF: `of`, `at` (the copy itself), `copied_at`, `checkpoint_id`, `state`
OURS = "forkbook"
SERVERS_OWN = ("graph_id", "thread_id", "assistant_id", "run_id", "cron_id")


def mark_of_copy(thread_id: str, copy_id: str, checkpoint_id: str | None = None, state: str = "done") -> dict[str, Any]:
    """The metadata of a copy.

    Args:
        thread_id: The original.
        copy_id: The copy.
        checkpoint_id: The original's checkpoint up to which it was copied; None: all of it was.
        state: `writing` until all is there, then `done`.
    """
    now = datetime.now(UTC).isoformat()
    told = {"of": thread_id, "at": copy_id, "copied_at": now, "checkpoint_id": checkpoint_id, "state": state}
    return {COPY_OF: thread_id, COPY: told}


def checked_metadata(metadata: Any) -> dict[str, Any]:
    """What a user wants in a copy's metadata, in plain JSON.

    Raises:
        InvalidInput: It is no mapping of names to JSON, or a name belongs to forkbook or the server.
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise InvalidInput(f"metadata is {short(metadata)}: give a mapping, as in {{'purpose': 'template'}}")
    taken = [key for key in map(str, metadata) if key in SERVERS_OWN or key.startswith((OURS, *SERVER_PREFIXES))]
    if taken:
        raise InvalidInput(
            f"metadata cannot set {', '.join(taken)}: names that begin with {OURS!r} mark what forkbook made, and "
            f"{', '.join(SERVERS_OWN)} are the server's",
            candidates=taken,
        )
    return MaskedDict(plain(metadata))


def inherited(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Of a thread's metadata what a copy that is written anew has, too: no marks, nothing that is the server's."""
    return {
        key: value
        for key, value in metadata.items()
        if not key.startswith(OURS) and (key == "graph_id" or key not in SERVERS_OWN)
    }


def copies(backend: Backend, thread_id: str) -> Iterator[tuple[Thread, Mapping[str, Any]]]:
    """The records of the copies of a thread, newest first, each with its mark, which is empty where it bears none."""
    seen = set()
    for search in ({COPY_OF: thread_id}, {COPY: {"at": thread_id}}):
        for record in _searched(backend, search):
            metadata = record.get("metadata") or {}
            if record["thread_id"] not in seen and _original_of(record["thread_id"], metadata) == thread_id:
                seen.add(record["thread_id"])
                mark = _mark(metadata)
                yield record, mark if mark.get("at") == record["thread_id"] else {}


def _searched(backend: Backend, metadata: Mapping[str, Any]) -> Iterator[Thread]:
    try:
        yield from backend.threads(metadata=metadata)
    except InvalidInput:  # a place that cannot search
        yield from backend.threads()


def _original_of(thread_id: str, metadata: Mapping[str, Any]) -> Any:
    """What a thread is a copy of.

    The server's own copy leaves no trace, but of a copy by forkbook it has that one's mark.
    """
    mark = _mark(metadata)
    is_own = mark.get("at") in (None, thread_id) or mark.get("of") != metadata.get(COPY_OF)
    return metadata.get(COPY_OF) if is_own else mark["at"]


def _mark(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    found = metadata.get(COPY)
    return found if isinstance(found, Mapping) else {}
