"""The copies of a thread, found again by the marks in their metadata."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..backends.contract import Backend
from ..errors import InvalidInput
from ..marks import COPY, COPY_OF, copy_mark, original_of
from ..model.states import Thread


def copies(backend: Backend, thread_id: str) -> Iterator[tuple[Thread, Mapping[str, Any]]]:
    """The records of the copies of a thread, newest first, each with its mark, which is empty where it bears none."""
    seen = set()
    for search in ({COPY_OF: thread_id}, {COPY: {"at": thread_id}}):
        for record in _search(backend, search):
            metadata = record.get("metadata") or {}
            if record["thread_id"] not in seen and original_of(record["thread_id"], metadata) == thread_id:
                seen.add(record["thread_id"])
                mark = copy_mark(metadata)
                yield record, mark if mark.get("at") == record["thread_id"] else {}


def _search(backend: Backend, metadata: Mapping[str, Any]) -> Iterator[Thread]:
    try:
        yield from backend.threads(metadata=metadata)
    except InvalidInput:  # a place that cannot search
        yield from backend.threads()
