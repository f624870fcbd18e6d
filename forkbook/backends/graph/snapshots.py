"""What LangGraph's own objects say, in the shape in which an Agent Server says it; and checkpoints from one saver to
another."""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.base import (
    EXCLUDED_METADATA_KEYS,
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde import _msgpack
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Interrupt, PregelTask, StateSnapshot
from pydantic import TypeAdapter

from ...model.reserved import END, ROOT, START
from ...model.states import State
from ...model.tree import Head
from ..records import Graph
from ..values.decode import Decoder
from ..values.plain import opaque
from .calls import Caller

Saver = BaseCheckpointSaver[Any]
Hook = Callable[[int, bytes], Any]
PYDANTIC = 5  # the extension that holds messages
SPECIAL_NODES = (START, END)
DECLARED = frozenset({*CheckpointMetadata.__annotations__, *EXCLUDED_METADATA_KEYS})  # metadata of LangGraph's own


@dataclass(frozen=True, slots=True)
class Stub:
    """A checkpoint without its values."""

    thread_id: str
    head: Head
    created_at: str
    metadata: Mapping[str, Any]


def stub(saved: CheckpointTuple) -> Stub:
    """A stored checkpoint without its values."""
    at, metadata = saved.config["configurable"], saved.metadata or {}
    above = (saved.parent_config or {}).get("configurable", {})
    head = Head(
        id=at["checkpoint_id"],
        parent_id=above.get("checkpoint_id"),
        step=metadata.get("step"),
        source=metadata.get("source"),
        ns=at.get("checkpoint_ns") or "",
    )
    return Stub(str(at["thread_id"]), head, saved.checkpoint["ts"], metadata)


def without_objects(saver: Saver) -> Saver:
    """The saver, reading every object in a value as None: for all that is asked of checkpoints but their values."""
    return _reading(saver, lambda hook: lambda code, data: None)


def _reading(saver: Saver, change: Callable[[Hook], Hook]) -> Saver:
    """The saver with another way to read objects; itself, if its serializer is not LangGraph's own as it comes."""
    if type(saver.serde) is not JsonPlusSerializer or not hasattr(saver.serde, "_unpack_ext_hook"):
        return saver
    reader, serde = copy.copy(saver), copy.copy(saver.serde)
    serde._unpack_ext_hook = change(serde._unpack_ext_hook)
    serde._custom_unpack_ext_hook = True
    reader.serde = serde
    return reader


class Reading:
    """One reading of a thread: each message is built once by LangGraph and made plain once, whoever repeats it."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._messages: dict[bytes, BaseMessage] = {}
        self._plain: dict[int, Any] = {}

    def sharing(self, saver: Saver) -> Saver:
        """The saver, giving equal messages as one object.

        Not where LangGraph is told to build known classes only: it makes the list of these for its own hook. Nor a
        message without an id: reducers write one into it.
        """
        return saver if _msgpack.STRICT_MSGPACK_ENABLED else _reading(saver, self._shared)

    def _shared(self, hook: Hook) -> Hook:
        def built(code: int, data: bytes) -> Any:
            if code != PYDANTIC:
                return hook(code, data)
            if (known := self._messages.get(data)) is not None:
                return known
            value = hook(code, data)
            if isinstance(value, BaseMessage) and value.id:
                self._messages[data] = value
                self._plain[id(value)] = None
            return value

        return built

    def state(self, snapshot: StateSnapshot) -> State:
        """What LangGraph says of a checkpoint."""
        return {
            "values": self.channels(snapshot.values if isinstance(snapshot.values, dict) else {ROOT: snapshot.values}),
            "next": list(snapshot.next),
            "tasks": [self._task(task) for task in snapshot.tasks],
            "metadata": self.plain(snapshot.metadata),
            "created_at": snapshot.created_at,
            "checkpoint": address(snapshot.config),
            "parent_checkpoint": address(snapshot.parent_config),
            "interrupts": [self._interrupt(item) for item in snapshot.interrupts],
        }

    def unread(self, saved: CheckpointTuple, channels: Iterable[str]) -> State:
        """What a saver alone says of a checkpoint: nothing of what runs next."""
        held = saved.checkpoint["channel_values"]
        names = held if saved.config["configurable"].get("checkpoint_ns") else channels  # those of a subgraph: all
        return {
            "values": self.channels({name: held[name] for name in names if name in held}),
            "next": None,
            "tasks": None,
            "metadata": self.plain(saved.metadata),
            "created_at": saved.checkpoint["ts"],
            "checkpoint": address(saved.config),
            "parent_checkpoint": address(saved.parent_config),
            "interrupts": None,
        }

    def _task(self, task: PregelTask) -> dict[str, Any]:
        below = task.state
        return {
            "id": task.id,
            "name": task.name,
            "path": self.plain(list(task.path)),
            "error": task.error if task.error is None or isinstance(task.error, str) else repr(task.error),
            "interrupts": [self._interrupt(item) for item in task.interrupts],
            "checkpoint": dict(below["configurable"]) if isinstance(below, dict) else None,
            "state": self.state(below) if isinstance(below, StateSnapshot) else None,
            "result": self.channels(task.result),
        }

    def _interrupt(self, item: Interrupt) -> dict[str, Any]:
        said = {"id": item.id, "value": self.plain(item.value)}
        schema = getattr(item, "response_schema", None)
        return said | ({"response_schema": self.plain(schema)} if schema is not None else {})

    def channels(self, values: Any) -> Any:
        """Channels with their values as plain data, a state that is no dict of channels as a whole."""
        if type(values) is not dict or "__type__" in values or not all(type(name) is str for name in values):
            return self.plain(values)
        return {name: self.plain(value) for name, value in values.items()}

    def plain(self, value: Any) -> Any:
        """A value as the plain data that every kind of place gives for it."""
        if type(value) is list and any(id(item) in self._plain for item in value):
            return [self._message(item) if id(item) in self._plain else self.plain(item) for item in value]
        try:
            return self._decoder.decode(*SERIALIZER.dumps_typed(value))
        except Exception as error:  # what a custom serializer stored may be anything
            return opaque(f"cannot be shown: {error}", len(repr(value)))

    def _message(self, message: BaseMessage) -> Any:
        known = self._plain[id(message)]
        if known is None:
            known = self._plain[id(message)] = self._decoder.decode(*SERIALIZER.dumps_typed(message))
        return known


SERIALIZER = JsonPlusSerializer()


def config(thread_id: str, checkpoint_id: str | None = None, ns: str = "") -> Any:
    """How LangGraph names a checkpoint, or a thread."""
    at = {"thread_id": thread_id, "checkpoint_ns": ns}
    return {"configurable": at | ({"checkpoint_id": checkpoint_id} if checkpoint_id else {})}


def address(config: Any) -> dict[str, Any] | None:
    """Where a checkpoint is, as `ThreadState` has it."""
    at = (config or {}).get("configurable") or {}
    if not at.get("checkpoint_id"):
        return None
    found = {"checkpoint_id": at["checkpoint_id"], "thread_id": at["thread_id"], "checkpoint_ns": ""}
    return found | {key: at[key] for key in ("checkpoint_ns", "checkpoint_map") if at.get(key)}


def described(graph: Any, assistant: str, name: str) -> Graph:
    """What a graph is made of.

    Args:
        graph: The graph, or a subgraph of it.
        assistant: The name of the outermost graph.
        name: This one's name.
    """
    return Graph(
        assistant,
        name,
        tuple(node for node in graph.nodes if node not in SPECIAL_NODES),
        tuple(graph.stream_channels_list),
        state_schema(graph),
        whole=shown if isinstance(shown := graph.stream_channels_asis, str) else None,
    )


def state_schema(graph: Any) -> dict[str, Any]:
    """JSON Schema of a graph's state; a channel whose type has none takes anything."""
    properties: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for name in graph.stream_channels_list:
        try:
            schema = TypeAdapter(graph.channels[name].UpdateType).json_schema()
        except Exception:  # types may be anything
            schema = {}
        definitions |= schema.pop("$defs", {})
        properties[name] = {"title": name.replace("_", " ").title()} | schema
    return {"title": graph.get_name(), "type": "object", "properties": properties, "$defs": definitions}


def on_memory(graph: Any, saver: Saver) -> Any:
    """The graph, on a checkpointer of its own that holds nothing yet and serializes and counts as the saver does."""
    memory = InMemorySaver(serde=saver.serde)
    memory.get_next_version = saver.get_next_version  # type: ignore[method-assign]
    twin = copy.copy(graph)
    twin.checkpointer = memory
    return twin


def transcribe(
    call: Caller, source: Saver, target: Saver, places: Iterable[tuple[str, str]], thread_id: str, copy_id: str
) -> None:
    """Write checkpoints of a thread (namespaces and ids) into another one, through the savers' own methods.

    Ids, parents, namespaces, metadata, values and pending writes stay as they are; only the thread's id changes. The
    order of tasks' writes is kept by a made-up task path where their ids alone would not: savers do not give the
    real one.
    """
    written: set[tuple[str, str, Any]] = set()
    for ns, checkpoint_id in places:
        saved = call(source, "get_tuple", config(thread_id, checkpoint_id, ns))
        if saved is None:
            continue
        held, versions = saved.checkpoint["channel_values"], saved.checkpoint["channel_versions"]
        fresh = {(ns, name, version) for name, version in versions.items() if name in held} - written
        written |= fresh
        metadata = dict(saved.metadata)
        if metadata.get("thread_id") == thread_id:
            metadata["thread_id"] = copy_id
        below = config(copy_id, stub(saved).head.parent_id, ns)
        new_versions = {name: version for _, name, version in fresh}
        place = call(target, "put", below, saved.checkpoint, metadata, new_versions)
        for task_id, path, writes in _writes(saved.pending_writes or []):
            call(target, "put_writes", place, writes, task_id, path)


def _writes(pending: list[tuple[str, str, Any]]) -> Iterable[tuple[str, str, list[tuple[str, Any]]]]:
    """Pending writes by task, LangGraph's own marks (error, interrupt …) apart: those have fixed places."""
    tasks = list(dict.fromkeys(task_id for task_id, _, _ in pending))
    in_order = tasks == sorted(tasks)
    for n, task_id in enumerate(tasks):
        mine = [(channel, value) for owner, channel, value in pending if owner == task_id]
        for marks in (True, False):
            if writes := [write for write in mine if (write[0] in WRITES_IDX_MAP) == marks]:
                yield task_id, "" if in_order else f"~{n:06d}", writes
