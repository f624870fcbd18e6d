"""Checkpoints written into a checkpointer as they are: ids, times, values, tasks, in every namespace.

What a history shows is written as it is shown. What it does not show, and LangGraph needs in order to go on from there,
is derived: the channels that trigger nodes (see `triggers`), and what routing made of results (see `routing`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
import xxhash
from langgraph.channels import DeltaChannel, UntrackedValue
from langgraph.channels.base import BaseChannel
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Interrupt, Send

from ...errors import InvalidInput
from ...model.reserved import END, ERROR, INTERRUPT, PREVIOUS, ROOT, SENDS, START
from ...model.states import State, head_of, id_of
from ...model.tree import Tree, path_of
from ..classes import Classes
from ..databases.rows import Saved
from ..databases.task_ids import PULL, PUSH, task_ids
from .calls import Caller
from .lineage import Before, before, planned_of
from .objects import Objects
from .revive import revived
from .routing import Router
from .snapshots import Saver, config
from .triggers import Channels, Ground, Seen, Triggers, kept

FORMAT = 4  # of checkpoints, LangGraph's `v`
NO_WRITES = "__no_writes__"

NO_SUBGRAPH = "namespace {}: the graph has no such subgraph, so its checkpoints were not written"
SENT = "what was sent to {}: a history does not show it, and the graph's own routing does not give it again"
UNTAKEN = "an input that no task has taken up: a history does not show it"
ANSWERS = "answers that {} got before its open question, if any: a history does not show them, so it asks again"
UNKNOWN = "what runs next: unknown at the source, so that some checkpoints lead nowhere"
JOINED = "which joins an edit reached: a history does not show it"
ROUTES = "where {} leads to: routing it again failed ({})"


@dataclass
class Row:
    """One checkpoint on its way: what `put` and `put_writes` take."""

    checkpoint: dict[str, Any]
    metadata: dict[str, Any]
    parent_id: str | None
    new_versions: dict[str, Any]
    ground: Ground
    prints: dict[str, int]


def plant(
    graph: Any,
    saver: Saver,
    call: Caller,
    acting: Caller,
    thread_id: str,
    states: Sequence[State],
    classes: Classes = "unknown",
) -> tuple[str, ...]:
    """Write a thread's checkpoints, parents first; each becomes visible when it is whole.

    Planting again what is there writes the same again, so that what was cut short goes on.

    Args:
        graph: The compiled graph.
        saver: Its checkpointer.
        call: How the checkpointer is called.
        acting: How the graph's own code is called.
        thread_id: The thread to write.
        states: Of all its namespaces.
        classes: What the states tell of the classes of objects in them.

    Returns:
        Notes on what could not be known, in words.
    """
    notes: dict[str, None] = {}
    by_ns: dict[str, list[State]] = {}
    for state in states:
        by_ns.setdefault(state["checkpoint"].get("checkpoint_ns") or "", []).append(state)
    for ns in sorted(by_ns, reverse=True):  # the root last: a thread is there when its subgraphs are
        inner = graph_at(graph, ns)
        if inner is None:
            notes[NO_SUBGRAPH.format(ns)] = None
        else:
            bed = Bed(inner, saver, Router(inner, saver, acting), thread_id, ns, classes)
            bed.write(call, by_ns[ns])
            notes |= dict.fromkeys(bed.notes)
    return tuple(notes)


def graph_at(graph: Any, ns: str) -> Any:
    """The graph whose checkpoints a namespace holds; None if there is none."""
    for name in path_of(ns):
        graph = next((inner for path, inner in graph.get_subgraphs(namespace=name) if path == name), None)
        if graph is None:
            return None
    return graph


class Bed:
    """The checkpoints of one namespace, made one after the other.

    Args:
        graph: The graph whose namespace it is.
        saver: The checkpointer.
        router: Routes results again.
        thread_id: The thread to write.
        ns: The namespace.
        classes: What the states tell of the classes of objects in them.

    Attributes:
        notes: What could not be known.
    """

    def __init__(
        self, graph: Any, saver: Saver, router: Router, thread_id: str, ns: str, classes: Classes = "unknown"
    ) -> None:
        self._graph, self._saver, self._router = graph, saver, router
        self._thread_id, self._ns = thread_id, ns
        self._objects = Objects(graph.channels, classes)
        self._triggers = Triggers(graph, saver.get_next_version(None, None))
        self._shown = graph.stream_channels_asis
        self.notes: list[str] = []

    def write(self, call: Caller, states: Sequence[State]) -> None:
        """Write the checkpoints, parents first, each after its tasks' writes."""
        tree = Tree([head_of(state) for state in states])
        by_id = {id_of(state): state for state in states}
        ordered = [by_id[head.id] for head in tree.heads]
        rows: list[Row] = []
        for position, state in enumerate(ordered):
            rows.append(row := self._row(state, before(tree, ordered, position), rows))
            went_on = any(tree.heads[child].source == "loop" for child in tree.children[position])
            place = config(self._thread_id, row.checkpoint["id"], self._ns)
            for task_id, path, writes in self._writes(state, row, went_on):
                call(self._saver, "put_writes", place, writes, task_id, path)
            below = config(self._thread_id, row.parent_id, self._ns)
            call(self._saver, "put", below, row.checkpoint, row.metadata, row.new_versions)

    def _row(self, state: State, before: Before, rows: Sequence[Row]) -> Row:
        checkpoint_id = id_of(state)
        base = rows[before.position] if before.position is not None else None
        above = base.ground if base else Ground()
        new = self._triggers.version(above.depth + 1, checkpoint_id)
        values, prints = self._values(state, base)
        ground = Ground(above.depth + 1, dict(above.versions), self._seen(above, before.ran))
        old = base.prints if base else {}
        ground.versions.update(dict.fromkeys(_changed(prints, old), new))
        channels = self._triggers.after(above, before.ran, before.arrived)
        if state["metadata"] and state["metadata"].get("source") == "update" and not before.arrived:
            self.notes += [JOINED] if self._triggers.has_joins else []
        self._lead(state, base, values, ground, channels, new, before)
        checkpoint = {
            "v": FORMAT,
            "id": checkpoint_id,
            "ts": state["created_at"],
            "channel_values": values,
            "channel_versions": ground.versions,
            "versions_seen": ground.seen,
            "updated_channels": None,
        }
        stored = {name: version for name, version in ground.versions.items() if above.versions.get(name) != version}
        parent_id = (state["parent_checkpoint"] or {}).get("checkpoint_id")
        return Row(checkpoint, self._metadata(state), parent_id, stored, ground, prints)

    def _seen(self, above: Ground, ran: Iterable[str]) -> Seen:
        """What the nodes have seen once these have run."""
        seen = {node: dict(versions) for node, versions in above.seen.items()}
        for node in ran:
            triggers = self._graph.nodes[node].triggers if node in self._graph.nodes else ()
            now = {name: above.versions[name] for name in triggers if name in above.versions}
            seen.setdefault(node, {}).update(now)
        return seen

    def _metadata(self, state: State) -> dict[str, Any]:
        metadata = dict(state["metadata"] or {})
        with suppress(InvalidInput):
            metadata = {name: revived(value) for name, value in metadata.items()}
        if metadata.get("thread_id") == state["checkpoint"].get("thread_id"):
            return metadata | ({"thread_id": self._thread_id} if "thread_id" in metadata else {})
        return metadata

    def _values(self, state: State, parent: Row | None) -> tuple[dict[str, Any], dict[str, int]]:
        """The channels' values, those of the parent where nothing changed, and a fingerprint of each."""
        values: dict[str, Any] = {}
        prints: dict[str, int] = {}
        for name, value in self._channels(state["values"]).items():
            spec = self._graph.channels.get(name)
            if not isinstance(spec, BaseChannel) or isinstance(spec, UntrackedValue):
                continue
            prints[name] = xxhash.xxh3_64_intdigest(orjson.dumps(value))
            if parent and parent.prints.get(name) == prints[name]:
                values[name] = parent.checkpoint["channel_values"][name]
            else:
                held = self._objects.held(name, value)
                values[name] = _DeltaSnapshot(held) if isinstance(spec, DeltaChannel) else held
        return values, prints

    def _channels(self, shown: Any) -> dict[str, Any]:
        """A state's values by channel, also where the graph has one channel only and shows its bare value."""
        if not isinstance(self._shown, str):
            return shown if isinstance(shown, dict) else {}
        bare = shown[ROOT] if isinstance(shown, dict) and shown.keys() == {ROOT} else shown
        if self._shown == END:  # a functional graph: what it returned is what it remembers
            return {} if bare is None else {END: bare, PREVIOUS: bare}
        return {self._shown: bare}

    def _lead(
        self,
        state: State,
        base: Row | None,
        values: dict[str, Any],
        ground: Ground,
        channels: Channels,
        new: Any,
        before: Before,
    ) -> None:
        """Let the checkpoint lead to the tasks that its state shows."""
        planned = planned_of(state)
        if planned is None:
            self.notes.append(UNKNOWN)
        pulled = [name for name, path in planned or () if path[0] == PULL]
        if planned is not None:
            for name in self._triggers.lead_to(channels, {name: self._input(state, name) for name in pulled}):
                ground.versions[name] = new
        held = kept(channels)
        ground.versions.update(dict.fromkeys(_changed(held, base.ground.held if base else {}), new))
        ground.held.update(held)
        values.update(held)
        if sends := self._sends(base, before, [name for name, path in planned or () if path[0] == PUSH]):
            values[SENDS] = sends
        if sends or (base and SENDS in base.checkpoint["channel_values"]):
            ground.versions[SENDS] = new
        if planned is not None:
            available = {name for name in values if name not in held} | {n for n in held if channels[n].is_available()}
            self._triggers.settle(ground, available, pulled, new)

    def _input(self, state: State, node: str) -> Any:
        """What a node that the input triggers is to take up: what `__start__` wrote is what came in."""
        if START not in (self._graph.nodes[node].triggers if node in self._graph.nodes else ()):
            return None
        task = next((task for task in state["tasks"] or () if task["name"] == START), None)
        if task is not None and task["result"] is not None:
            return self._result(task["result"])
        self.notes.append(UNTAKEN)
        return {} if node == START else None

    def _sends(self, base: Row | None, before: Before, nodes: list[str]) -> list[Send]:
        """The Sends that a checkpoint is to run: those of the one that it repeats, else routed again."""
        if not nodes:
            return []
        sends: list[Send] = []
        if base and before.repeats:
            sends = base.checkpoint["channel_values"].get(SENDS) or []
        elif base:
            updates = [(task["name"], self._result(task["result"])) for task in before.finished]
            with suppress(Exception):  # the graph's own code may raise anything
                routed = self._router.route(base.checkpoint, base.metadata, updates)
                sends = [value for channel, value in routed if channel == SENDS]
        if [send.node for send in sends] == nodes:
            return sends
        self.notes.append(SENT.format(", ".join(sorted(set(nodes)))))
        return [Send(node, None) for node in nodes]

    def _writes(self, state: State, row: Row, went_on: bool) -> Iterator[tuple[str, str, list[tuple[str, Any]]]]:
        """What the tasks wrote, by task; with where it leads to, unless the graph has gone on from here already."""
        for task in state["tasks"] or ():
            path = list(task.get("path") or (PULL, task["name"]))
            task_id = self._task_id(state, task, path)
            marks: list[tuple[str, Any]] = [(ERROR, task["error"])] if task.get("error") is not None else []
            if task.get("interrupts"):
                marks.append((INTERRUPT, [self._question(item) for item in task["interrupts"]]))
                if task["result"] is None and not went_on:
                    self.notes.append(ANSWERS.format(task["name"]))
            writes = [] if task["result"] is None else list(self._folded_out(task["result"]))
            if task["result"] is not None and not went_on:
                writes += self._routes(row, task)
            if task["result"] is not None and not writes:
                writes = [(NO_WRITES, None)]
            if task_id:
                yield from ((task_id, _path(path), each) for each in (marks, writes) if each)

    def _question(self, item: Mapping[str, Any]) -> Interrupt:
        more = {name: item[name] for name in ("id", "response_schema") if item.get(name) is not None}
        return Interrupt(self._objects.written(INTERRUPT, item["value"]), **more)

    def _task_id(self, state: State, task: Mapping[str, Any], path: Sequence[Any]) -> Any:
        """The id that this graph gives to a task; of a node that it has not, the task's own."""
        known = self._graph.nodes.get(task["name"])
        if known is None:
            return task["id"]
        parts = (PUSH, str(path[1])) if path[0] == PUSH else (PULL, *sorted(known.triggers))
        at = state["checkpoint"]
        saved = Saved(self._thread_id, self._ns, at["checkpoint_id"], None, {}, {}, state["metadata"] or {}, [])
        return task_ids(saved, task["name"], parts)[0] or task["id"]

    def _routes(self, row: Row, task: Mapping[str, Any]) -> list[tuple[str, Any]]:
        joins = self._triggers.joined(task["name"])
        try:
            result = self._result(task["result"])
            return joins + self._router.route(row.checkpoint, row.metadata, [(task["name"], result)])
        except Exception as error:  # the graph's own code may raise anything
            self.notes.append(ROUTES.format(task["name"], type(error).__name__))
            return joins

    def _folded_out(self, result: Any) -> Iterator[tuple[str, Any]]:
        """A task's result as the writes that it stands for."""
        if isinstance(self._shown, str):
            for name in (END, PREVIOUS) if self._shown == END else (self._shown,):
                yield name, self._objects.written(name, result)
            return
        for name, value in result.items() if isinstance(result, dict) else ():
            several = isinstance(value, dict) and value.keys() == {"$writes"}
            for each in value["$writes"] if several else [value]:
                yield name, self._objects.written(name, each)

    def _result(self, result: Any) -> Any:
        """A task's result as what its node returned."""
        writes = list(self._folded_out(result))
        if isinstance(self._shown, str):
            return writes[0][1]
        return dict(writes) if len(dict(writes)) == len(writes) else writes


def _changed(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """Keys with another value, or in one of the two only."""
    names = dict.fromkeys([*new, *old])
    return [name for name in names if (name in new, new.get(name)) != (name in old, old.get(name))]


def _path(part: Any) -> str:
    """A task's path as LangGraph spells it for savers, which order writes by it."""
    if isinstance(part, list | tuple):
        return f"~{', '.join(map(_path, part))}"
    return f"{part:010d}" if isinstance(part, int) else str(part)
