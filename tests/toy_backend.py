"""A backend made outside forkbook, from the contract alone: threads as JSON in a key-value store, such as Redis.

This is all that a new kind of place takes: `fb.connect(ToyBackend(store))` opens it, and in test_toy_backend.py
forkbook's own suite tests it.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import forkbook as fb
from forkbook.backends.contract import Backend
from forkbook.backends.records import RunOutcome, RunSettings
from forkbook.model.states import State, Thread, id_of, namespace

SEARCHES = ("ids", "metadata", "limit")


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
        ids, wanted = search.get("ids"), (search.get("metadata") or {}).items()
        fit = [
            thread
            for thread in found
            if (ids is None or thread["thread_id"] in ids) and wanted <= (thread["metadata"] or {}).items()
        ]
        yield from sorted(fit, key=lambda thread: thread["created_at"], reverse=True)[: search.get("limit")]

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

    def n_checkpoints(self, thread_id: str) -> int:
        return sum(key.startswith(b"state/" + thread_id.encode() + b"/") for key in self._store)

    def _keys(self, thread_id: str, ns: str) -> list[bytes]:
        return [key for key in self._store if key.startswith(state_key(thread_id, ns, ""))]

    def _loaded(self, key: bytes) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._store[key])
        return found


class RunningToy(ToyBackend):
    """The same store, to which a graph of one node writes: `count` adds 1 to the channel of that name."""

    kind = "the toy graph"

    def update(
        self, thread_id: str, checkpoint_id: str | None, values: Any, as_node: str | None, *, ns: str = ""
    ) -> str:
        return self._add(thread_id, checkpoint_id, values, "update")

    def run(
        self, thread_id: str, checkpoint_id: str | None, settings: RunSettings, *, input: Any = None, **more: Any
    ) -> RunOutcome:
        state = self.state(thread_id, checkpoint_id)
        count = (input or state["values"] if state else {}).get("count", 0)
        self._add(thread_id, checkpoint_id, {"count": count + 1}, "loop")
        return RunOutcome(str(uuid.uuid4()), "success")

    def run_settings(self, thread_id: str, metadata: Mapping[str, Any]) -> RunSettings:
        return RunSettings("count")

    def copy(self, thread_id: str) -> str:
        copy_id = str(uuid.uuid4())
        states = [
            state for ns in ("", *self.namespaces(thread_id)) for page in self.pages(thread_id, ns=ns) for state in page
        ]
        renamed = json.loads(json.dumps([self.thread(thread_id), states]).replace(thread_id, copy_id))
        write(self._store, *renamed)
        return copy_id

    def tag(self, thread_id: str, metadata: Mapping[str, Any]) -> None:
        record = self.thread(thread_id)
        write(self._store, record | {"metadata": record["metadata"] | metadata}, [])

    def delete(self, thread_id: str) -> None:
        for key in [key for key in self._store if key.split(b"/")[1] == thread_id.encode()]:
            del self._store[key]

    def _add(self, thread_id: str, parent_id: str | None, values: Any, source: str) -> str:
        """Write a checkpoint below another one, or below the newest; its id."""
        parent = self.state(thread_id, parent_id)
        assert parent is not None
        number = self.n_checkpoints(thread_id)
        place = parent["checkpoint"] | {"checkpoint_id": f"1f1f0000-{number:04x}-6000-8000-000000000000"}
        step = parent["metadata"]["step"] + 1
        new = {"values": parent["values"] | values, "metadata": {"source": source, "step": step, "parents": {}}}
        ended = {"next": [], "tasks": [], "interrupts": [], "checkpoint": place}
        write(self._store, self.thread(thread_id), [parent | new | ended | {"parent_checkpoint": parent["checkpoint"]}])
        return str(place["checkpoint_id"])


def state_key(thread_id: str, ns: str, checkpoint_id: str) -> bytes:
    """The key of a state."""
    return f"state/{thread_id}/{ns}/{checkpoint_id}".encode()


def write(store: MutableMapping[bytes, bytes], record: Thread, states: list[State]) -> None:
    """Write a thread."""
    store[b"thread/" + record["thread_id"].encode()] = json.dumps(record).encode()
    for state in states:
        store[state_key(record["thread_id"], namespace(state), id_of(state))] = json.dumps(state).encode()
