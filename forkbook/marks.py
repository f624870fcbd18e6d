"""The keys that forkbook writes into metadata, so that it finds its work again; and the keys that belong to servers.

Every key of ours stands here, and begins with `OURS`. Pure: who searches a place for a key does that elsewhere.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .errors import InvalidInput
from .model.edits import plain
from .model.secrets import MaskedDict
from .model.text import short

OURS = "forkbook"

# In the metadata of threads
SCRATCH = {OURS: "scratch"}  # of a copy on which an edit is tried, and which is deleted afterwards
PERHAPS_SCRATCH = {OURS: "scratch?"}  # of what may be one: the server's answer, with its id, was lost
SCRATCH_OF = "forkbook_of"  # beside it: the thread that it is a copy of
SCRATCH_SINCE = "forkbook_since"  # beside it: when it was made, as ISO 8601
COPY_OF = "forkbook_copy_of"  # of a copy: the original's id
COPY = "forkbook_copy"  # beside COPY_OF: `of`, `at` (the copy itself), `copied_at`, `checkpoint_id`, `state`
IMPORT = "forkbook_import"  # of a migrated thread: `of`, `at`, `digest`, `by`, `state`, `verdict` and more
SWEEP_AT = "forkbook_sweep_at"  # of a copy that a sweep made: the copy's own id
SWEEP_OF = "forkbook_sweep_of"  # beside it, and in the checkpoints of a sweep: the thread that the sweep began in

# In the metadata of checkpoints
MARKS = "forkbook_marks"  # the names of the keys that an act put there, as JSON
SWEEP = "forkbook_sweep"  # the sweep and the variant, as JSON; with `_` and the sweep's id in the thread: its journal

# What servers write themselves
RUN_KEYS = ("thread_id", "assistant_id", "run_id", "cron_id")  # at every run
SERVERS_OWN = ("graph_id", *RUN_KEYS)
SERVER_PREFIXES = ("__", "langgraph_")


def mark_of_scratch(thread_id: str) -> dict[str, str]:
    """The metadata of a scratch copy of a thread that is made now."""
    return SCRATCH | {SCRATCH_OF: thread_id, SCRATCH_SINCE: datetime.now(UTC).isoformat()}


def is_scratch(metadata: Mapping[str, Any] | None) -> bool:
    """Whether the metadata of a thread are those of a scratch copy."""
    return (metadata or {}).get(OURS) == SCRATCH[OURS]


def mark_of_copy(thread_id: str, copy_id: str, checkpoint_id: str | None = None, state: str = "done") -> dict[str, Any]:
    """The metadata of a copy.

    Args:
        thread_id: The original.
        copy_id: The copy.
        checkpoint_id: The original's checkpoint up to which it was copied; None: all of it was.
        state: `writing` until all is there, then `done`.
    """
    now = datetime.now(UTC).isoformat()
    mark = {"of": thread_id, "at": copy_id, "copied_at": now, "checkpoint_id": checkpoint_id, "state": state}
    return {COPY_OF: thread_id, COPY: mark}


def copy_mark(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `COPY` says in the metadata of a thread; empty where it is not there."""
    return _mapping(metadata.get(COPY))


def original_of(thread_id: str, metadata: Mapping[str, Any]) -> Any:
    """The id of the thread that a thread is a copy of; None: it is no copy that forkbook knows.

    A server's own copy of a copy by forkbook has the mark of that copy: then that copy is its original.
    """
    mark, named = copy_mark(metadata), metadata.get(COPY_OF)
    is_own = mark.get("at") in (None, thread_id) or mark.get("of", named) != named
    return named if is_own else mark["at"]


def import_mark(metadata: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What `IMPORT` says in the metadata of a thread; empty where no migration wrote it."""
    return _mapping((metadata or {}).get(IMPORT))


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
    return {key: value for key, value in metadata.items() if not key.startswith(OURS) and key not in RUN_KEYS}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
