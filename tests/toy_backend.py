"""A backend of somebody who knows only the contract: threads as JSON in a key-value store, as Redis or MongoDB are one.

This is all that a new kind of place takes: `fb.connect(ToyBackend(store))` opens it, and in test_toy_backend.py
forkbook's own suite tests it.
"""

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

import forkbook as fb
from forkbook.backends.contract import Backend
from forkbook.model.states import State, Thread, id_of, namespace

SEARCHES = ("ids", "limit")


class ToyBackend(Backend):
    """The threads in a store of keys and values; read-only.

    The keys are `thread/ID` and `state/ID/NAMESPACE/CHECKPOINT`; the values are JSON.

    Args:
        store: The store, such as one of `dbm.open`.
    """

    kind = "the toy store"

    def __init__(self, store: MutableMapping[bytes, bytes]) -> None:
        self._store, self.address = store, type(store).__name__

    def threads(self, **search: Any) -> Iterator[Thread]:
        if unknown := search.keys() - set(SEARCHES):
            raise fb.InvalidInput(f"{self.kind} is searched by {' and '.join(SEARCHES)}, not by {', '.join(unknown)}")
        found = [self._loaded(key) for key in self._store if key.startswith(b"thread/")]
        ids, limit = search.get("ids"), search.get("limit")
        fit = [thread for thread in found if ids is None or thread["thread_id"] in ids]
        yield from sorted(fit, key=lambda thread: thread["created_at"], reverse=True)[:limit]

    def thread(self, thread_id: str) -> Thread:
        key = b"thread/" + thread_id.encode()
        if key not in self._store:
            raise fb.ThreadNotFound(f"no thread {thread_id!r} in {self.kind}", thread_id=thread_id)
        return self._loaded(key)

    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        keys = sorted(self._keys(thread_id, ns), reverse=True)  # newest first: ids sort by time
        size = page_size or 100
        for start in range(0, len(keys), size):
            yield [self._loaded(key) for key in keys[start : start + size]]

    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        if checkpoint_id is None:
            key = max(self._keys(thread_id, ns), default=b"")
        else:
            key = state_key(thread_id, ns, checkpoint_id)
        return self._loaded(key) if key in self._store else None

    def namespaces(self, thread_id: str) -> set[str]:
        keys = (key for key in self._store if key.startswith(b"state/" + thread_id.encode() + b"/"))
        return {key.decode().split("/")[2] for key in keys} - {""}

    def _keys(self, thread_id: str, ns: str) -> list[bytes]:
        return [key for key in self._store if key.startswith(state_key(thread_id, ns, ""))]

    def _loaded(self, key: bytes) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._store[key])
        return found


def state_key(thread_id: str, ns: str, checkpoint_id: str) -> bytes:
    """The key of a state."""
    return f"state/{thread_id}/{ns}/{checkpoint_id}".encode()


def write(store: MutableMapping[bytes, bytes], record: Thread, states: list[State]) -> None:
    """Write a thread."""
    store[b"thread/" + record["thread_id"].encode()] = json.dumps(record).encode()
    for state in states:
        store[state_key(record["thread_id"], namespace(state), id_of(state))] = json.dumps(state).encode()
