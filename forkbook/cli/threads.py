"""What is said of threads beside their ids."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..backends.contract import Backend
from ..errors import ForkbookError
from ..marks import OURS, SERVERS_OWN, SWEEP_AT, SWEEP_OF, import_mark, original_of
from ..model.text import cut

METADATA_SHOWN = 300
ID_SHOWN = 6


def told(row: Mapping[str, Any]) -> str:
    """A thread's title, what else people put in its metadata, what made it, and last what the server put there."""
    metadata = {key: value for key, value in (row["metadata"] or {}).items() if value is not None}
    own = {key: value for key, value in metadata.items() if not key.startswith(OURS)}
    title = str(own.pop("title", ""))
    servers = {key: own.pop(key) for key in SERVERS_OWN if key in own}
    parts = (title, _pairs(own), origin(str(row["thread_id"]), metadata), _pairs(servers))
    return cut(" · ".join(filter(None, parts)), METADATA_SHOWN)


def origin(thread_id: str, metadata: Mapping[str, Any]) -> str:
    """What made a thread, as forkbook's marks in its metadata say; "" where none does."""
    if metadata.get(SWEEP_AT) == thread_id:
        return f"variant of {_end(metadata.get(SWEEP_OF))}"
    if (original := original_of(thread_id, metadata)) is not None:
        return f"copy of {_end(original)}"
    if mark := import_mark(metadata):
        half = "half " if mark.get("state") == "writing" else ""
        return f"{half}migrated" + ("" if mark.get("of") in (None, thread_id) else f" from {_end(mark['of'])}")
    return ""


def faults_of(backend: Backend, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Why threads of a JSON file cannot be read, by id; elsewhere that shows when a thread is opened."""
    from ..backends.jsonfile.backend import JsonBackend

    faults = {}
    for thread_id in [str(row["thread_id"]) for row in rows] if isinstance(backend, JsonBackend) else ():
        try:
            backend.state(thread_id)
        except ForkbookError as error:
            faults[thread_id] = str(error)
    return faults


def _pairs(metadata: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in metadata.items())


def _end(thread_id: Any) -> str:
    return f"…{str(thread_id)[-ID_SHOWN:]}"
