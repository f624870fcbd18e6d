"""Which tasks a stored checkpoint leads to, as far as the stored data prove it; None where they do not.

A graph runs a node when one of its trigger channels holds a value that is newer than what the node has seen. In what
StateGraph has written since LangGraph 0.3 (LangGraph.js 0.2) the names of these channels tell the node:
`branch:to:<node>`, `join:<a>+<b>:<node>`, `__start__`; `__pregel_tasks` holds the Sends. So next is proven there, and
so is its emptiness.
Elsewhere (0.2, the functional API, hand-made Pregel graphs) a checkpoint that the loop wrote proves that the tasks
with writes on its parent were all of them.

A task's id is a hash of its checkpoint, node and trigger channels (see `task_ids`); LangGraph.js hashes otherwise than
Python. It is taken as known where a stored write has it, or where the same node's triggers gave the id of a stored
write elsewhere in the thread.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from ...model.reserved import ERROR, INPUT, INTERRUPT, ROOT, SENDS, START
from ...model.tree import path_of
from .rows import Saved, Write
from .task_ids import PULL, PUSH, pulled_js_ids, sent_js_ids, task_ids

RETURN = "__return__"
BRANCH, JOIN = "branch:to:", "join:"
EARLIER = ("start:", f"{START}:")  # what the names of an entry's channels began with
MOST_TRIED = 10_000  # pairs of a node and a channel
NULL_TASK = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Task:
    """A task that a checkpoint leads to; `id`, and `name` with `path`, are None where they are not known."""

    id: str | None
    name: str | None
    path: list[Any] | None


@dataclass
class Layout:
    """What all checkpoints of one namespace together tell about the graph.

    Attributes:
        triggers: For each node its trigger channels.
        named: Whether channel names tell the nodes that they trigger.
        only_named: Whether no channel without such a name triggers a node.
        functional: Whether this is a functional graph: one entrypoint, no state channels.
        completed: Checkpoints with a child that the loop wrote.
        before: Pairs of nodes in the order in which the graph declares them.
        sends: For each checkpoint what its tasks sent; until 0.4 its child holds no copy.
        verified: Nodes whose triggers gave an id that a stored write has.
        writer: `python` or `js`, whose way gave the ids of stored writes; None: unknown.
    """

    triggers: dict[str, set[str]] = field(default_factory=dict)
    named: bool = False
    only_named: bool = False
    functional: bool = False
    completed: set[str] = field(default_factory=set)
    before: set[tuple[str, str]] = field(default_factory=set)
    sends: dict[str, list[Any]] = field(default_factory=dict)
    verified: set[str] = field(default_factory=set)
    writer: str | None = None


@dataclass
class Proofs:
    """What single checkpoints prove of ids, kept between two calls of `layout`.

    Attributes:
        triggers: The triggers by which they were looked at.
        found: By checkpoint id the checkpoint, the nodes that it verifies, and the writer that it tells.
    """

    triggers: dict[str, set[str]] = field(default_factory=dict)
    found: dict[str, tuple[Saved, set[str], str | None]] = field(default_factory=dict)


def layout(thread: "Sequence[Saved]", proofs: Proofs | None = None) -> Layout:
    """What the checkpoints of one namespace tell about their graph.

    Args:
        thread: The checkpoints.
        proofs: What was found before, so that only what is new is looked at.
    """
    found = Layout()
    channels: set[str] = set()
    orders: set[tuple[str, ...]] = set()
    for saved in thread:
        channels.update(saved.checkpoint.get("channel_versions") or ())
        for node, seen in (saved.checkpoint.get("versions_seen") or {}).items():
            if node == START or not node.startswith("__"):
                found.triggers.setdefault(node, set()).update(seen)
        if saved.metadata.get("source") == "loop" and saved.parent_id:
            found.completed.add(saved.parent_id)
        if sent := [write.value for write in saved.writes if write.channel == SENDS]:
            found.sends[saved.checkpoint_id] = sent
        orders.add(tuple(channel[len(BRANCH) :] for channel in saved.values if channel.startswith(BRANCH)))
    for channel in channels:
        node = channel.rpartition(":")[2]
        if channel.startswith(BRANCH):
            found.named = True
            found.triggers.setdefault(node, set()).add(channel)
        elif channel.startswith(JOIN):
            found.triggers.setdefault(node, set()).add(channel)
    seen = [channel for triggers in found.triggers.values() for channel in triggers]
    found.only_named = not any(channel.startswith(EARLIER) for channel in channels) and all(
        channel == START or channel.startswith((BRANCH, JOIN)) for channel in seen
    )
    if found.named:
        for node, triggers in found.triggers.items():
            triggers.add(START if node == START else BRANCH + node)
    found.functional = bool(channels) and all(channel.startswith("__") and channel != ROOT for channel in channels)
    for order in orders:
        found.before.update((a, b) for place, a in enumerate(order) for b in order[place + 1 :])
    _verify(thread, found, proofs or Proofs())
    return found


def _verify(thread: "Sequence[Saved]", found: Layout, proofs: Proofs) -> None:
    """Note which ids are those of stored writes, and whose way of making ids gave them."""
    versions = (v for saved in thread for v in (saved.checkpoint.get("channel_versions") or {}).values())
    if found.named and any(isinstance(version, str) for version in versions):
        found.writer = "python"  # LangGraph.js counts versions in numbers
    known = proofs.found if proofs.triggers == found.triggers else {}
    proofs.triggers, proofs.found = found.triggers, {}
    for saved in thread if found.named else ():
        before = known.get(saved.checkpoint_id)
        proof = before if before and before[0] is saved else (saved, *_proof(saved, found))
        proofs.found[saved.checkpoint_id] = proof
        found.verified |= proof[1]
        found.writer = proof[2] or found.writer


def _proof(saved: Saved, graph: Layout) -> tuple[set[str], str | None]:
    """The nodes whose ids at a checkpoint are those of stored writes, and whose way of making ids gave them."""
    written = {write.task_id for write in saved.writes}
    if not written or not saved.checkpoint.get("channel_versions"):
        return set(), None
    verified, writer = set[str](), None
    for task in triggered(saved, graph):
        if task.name is None or task.id not in written or task.path != [PULL, task.name]:
            continue
        verified.add(task.name)
        in_python = task.id in task_ids(saved, task.name, _pull_parts(task.name, graph))
        writer = "python" if in_python else "js"
    return verified, writer


def tasks_of(saved: Saved, graph: Layout) -> list[Task] | None:
    """The tasks that a checkpoint leads to, in LangGraph's order where the store has kept it; None: not proven."""
    if not saved.checkpoint.get("channel_versions"):
        return [] if saved.checkpoint.get("v") else None
    if graph.named and (saved.checkpoint["v"] >= 3 or (graph.writer == "js" and graph.only_named)):
        return None if _sends(saved, graph) is None else triggered(saved, graph)
    if graph.functional and START not in saved.values:
        return []
    ran = list(_ran(saved, graph))
    proven = saved.checkpoint_id in graph.completed or (graph.functional and ran)
    return [task for task in ran if task] if proven and None not in ran else None


def _sends(saved: Saved, graph: Layout) -> list[Any] | None:
    """The Sends that a checkpoint is to run; None where that is not proven."""
    if SENDS in saved.checkpoint["channel_versions"] or saved.checkpoint["v"] > 3:
        kept = saved.values.get(SENDS)
        return kept if isinstance(kept, list) else []
    sent = graph.sends.get(saved.parent_id or "", [])
    return sent if saved.metadata.get("source") == "loop" or not sent else None


def triggered(saved: Saved, graph: Layout) -> list[Task]:
    """The tasks whose trigger channels hold something new, by the channels' names."""
    written = {write.task_id for write in saved.writes}
    tasks = []
    for index, send in enumerate(_sends(saved, graph) or ()):
        if isinstance(send, dict) and isinstance(send.get("node"), str):
            node = send["node"]
            ids = {"python": task_ids(saved, node, (PUSH, str(index)))}
            if graph.writer != "python":
                ids["js"] = sent_js_ids(saved, node, index)
            tasks.append(Task(_id(ids, written, graph, sure=True), node, [PUSH, index, False]))
    fired: dict[str, list[str]] = {}
    for channel, node in _trigger_channels(saved):
        if _is_new(saved, channel, node):
            fired.setdefault(node, []).append(channel)
    for node in _in_order(set(fired), graph):
        ids = {"python": task_ids(saved, node, _pull_parts(node, graph))}
        if graph.writer != "python":
            ids["js"] = pulled_js_ids(saved, node, fired[node])
        sure = node == START or (len(fired[node]) == 1 if graph.writer == "js" else node in graph.verified)
        tasks.append(Task(_id(ids, written, graph, sure=sure), node, [PULL, node]))
    return tasks


def _id(ids: Mapping[str, Sequence[str]], written: set[str], graph: Layout, *, sure: bool) -> str | None:
    """The id among these that a stored write has; without one the writer's own, if that is sure."""
    known = next((id_ for each in ids.values() for id_ in each if id_ in written), None)
    return known or (next(iter(ids.get(graph.writer or "", ())), None) or None if sure else None)


def _trigger_channels(saved: Saved) -> Iterator[tuple[str, str]]:
    """The trigger channels that hold a value, each with the node that it triggers."""
    for channel, value in saved.values.items():
        late = isinstance(value, list) and len(value) == 2 and isinstance(value[1], bool)
        if late and not value[1]:
            continue  # a deferred node's, which waits for the others to end
        if channel == START:
            yield channel, START
        elif channel.startswith(BRANCH):
            yield channel, channel[len(BRANCH) :]
        elif channel.startswith(JOIN):
            names, _, node = channel[len(JOIN) :].rpartition(":")
            seen = value[0] if late else value
            arrived = seen.get("value") if isinstance(seen, dict) else seen
            if isinstance(arrived, list) and len("+".join(map(str, arrived))) == len(names):
                yield channel, node


def _is_new(saved: Saved, channel: str, node: str) -> bool:
    seen = saved.checkpoint.get("versions_seen", {}).get(node)
    if seen is None:
        return True
    version = saved.checkpoint["channel_versions"].get(channel)
    if version is None:
        return False
    before = seen.get(channel, type(version)())
    return bool(version > before) if type(before) is type(version) else bool(str(version) > str(before))


def _in_order(nodes: set[str], graph: Layout) -> list[str]:
    """Nodes as the graph declares them, by name where that is not known, those with joins only at the end."""

    def place(node: str) -> tuple[bool, int, str]:
        placed = any(node in pair for pair in graph.before)
        return not placed, sum((other, node) in graph.before for other in nodes), node

    return sorted(nodes, key=place) if len(nodes) > 1 else list(nodes)


def _pull_parts(node: str, graph: Layout) -> tuple[str, ...]:
    """What a task's id is made of beside its checkpoint; a node may have seen more channels than trigger it.

    So where LangGraph stored a snapshot of a DeltaChannel without a write.
    """
    own = BRANCH + node if node != START else START
    seen = graph.triggers.get(node) or {own}
    return (PULL, *sorted(name for name in seen if not graph.named or name == own or name.startswith((BRANCH, JOIN))))


def with_marks(saved: Saved, planned: Sequence[Task] | None, graph: Layout, namespaces: Collection[str]) -> list[Task]:
    """The planned tasks, and those that raised an interrupt or an error of which it is not known which ones they are.

    Args:
        saved: The checkpoint.
        planned: What `tasks_of` proves.
        graph: What all checkpoints tell.
        namespaces: Those of the thread; a subgraph's names the task that ran it.
    """
    tasks = list(planned or ())
    if not any(write.channel in (ERROR, INTERRUPT) for write in saved.writes):
        return tasks
    known = {task.id for task in tasks}
    marked = [
        _named(saved, task_id, written, graph)
        or Task(task_id, _that_ran(_spaces(written) or namespaces, task_id) or _tried(saved, task_id), None)
        for task_id, written in _writers(saved, graph)
        if task_id not in known and any(write.channel in (ERROR, INTERRUPT) for write in written)
    ]
    unnamed = [place for place, task in enumerate(tasks) if task.id is None]
    if len(unnamed) == len(marked) == 1:
        tasks[unnamed[0]] = replace(tasks[unnamed[0]], id=marked[0].id)
        return tasks
    return tasks + marked


def _ran(saved: Saved, graph: Layout) -> Iterator[Task | None]:
    """The tasks with writes, one by one; None for a task whose name is not known."""
    for task_id, written in _writers(saved, graph):
        yield _named(saved, task_id, written, graph)


def _writers(saved: Saved, graph: Layout) -> Iterator[tuple[str, list[Write]]]:
    """What each task wrote, by its id; not an input, an edit, or a call within a task."""
    writes: dict[str, list[Write]] = {}
    for write in saved.writes:
        writes.setdefault(write.task_id, []).append(write)
    no_tasks = {NULL_TASK, *_edits(saved)}
    for task_id, written in writes.items():
        path = written[0].path
        if task_id in no_tasks or (path and not path.startswith("~__pregel_")) or "~" in path[1:]:
            continue
        if not path and graph.functional and any(write.channel == RETURN for write in written):
            continue
        yield task_id, written


def _edits(saved: Saved) -> list[str]:
    """The ids under which `update_state` writes."""
    with suppress(ValueError):
        return [str(uuid5(UUID(saved.checkpoint_id), why)) for why in (INTERRUPT, INPUT)]
    return []


def _named(saved: Saved, task_id: str, written: list[Write], graph: Layout) -> Task | None:
    kind, _, rest = written[0].path.removeprefix("~").partition(", ")
    if kind == PULL:
        return Task(task_id, rest, [PULL, rest])
    own = next((write.channel for write in written if write.value == write.channel), None)
    by_id = (node for node, triggers in graph.triggers.items() if task_id in _pull_ids(saved, node, triggers, graph))
    name = next(by_id, own)
    return Task(task_id, name, [PULL, name]) if name and not kind else None


def _spaces(written: Sequence[Write]) -> list[str]:
    """The namespaces within which a task asked, which earlier versions of LangGraph.js kept with the question."""
    asked = (write.value for write in written if write.channel == INTERRUPT and isinstance(write.value, dict))
    return [str(ns) for item in asked if isinstance(item.get("ns"), list) for ns in item["ns"]]


def _that_ran(namespaces: Collection[str], task_id: str) -> str | None:
    """The node whose task ran a subgraph, by the names of namespaces: `node:task id`, further in after `|`."""
    return next((path_of(ns)[-1] for ns in namespaces if ns.endswith(f":{task_id}")), None)


def _tried(saved: Saved, task_id: str) -> str | None:
    """The node whose name and one trigger channel give a task's id, among all that the checkpoint's channels name."""
    channels = sorted(saved.checkpoint.get("channel_versions") or ())
    nodes = {channel.rpartition(":")[2] for channel in channels}
    if len(channels) * len(nodes) > MOST_TRIED:
        return None
    tried = ((node, channel) for node in nodes for channel in channels)
    ids = (
        (node, [*task_ids(saved, node, (PULL, channel)), *pulled_js_ids(saved, node, [channel])])
        for node, channel in tried
    )
    return next((node for node, each in ids if task_id in each), None)


def _pull_ids(saved: Saved, node: str, triggers: set[str], graph: Layout) -> list[str]:
    ways = dict.fromkeys([_pull_parts(node, graph), (PULL, *sorted(triggers))])
    return [*(id_ for parts in ways for id_ in task_ids(saved, node, parts)), *pulled_js_ids(saved, node, triggers)]
