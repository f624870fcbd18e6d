"""From the rows of a checkpoint store to the states that LangGraph shows; shared by all stores. Pure."""

from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any

from ...model.reserved import END, ERROR, INTERRUPT, ROOT
from ...model.states import State
from ..shape import date
from .rebuild import NOTHING, Rebuilder, Rebuilt
from .rows import MARKS, Saved, Write
from .rules import Rules
from .tasks import RETURN, Layout, Task, layout, tasks_of, with_marks

INTERNAL = ("__", "branch:", "join:", "start:")


def states(saved: Sequence[Saved], namespaces: Collection[str], rules: Rules | None = None) -> list[State]:
    """The checkpoints of one thread and namespace in the shape of LangGraph's `ThreadState`, newest first.

    `next` and `tasks` are those that the stored data prove (see `tasks`), else None. A task's `id` is None where only
    that is not known; if that holds for every task, `tasks` is None. A task that raised an interrupt or an error is
    there all the same, its `name` None where it is not known which one it is; where `next` is None there may be more.
    Values are as stored, with what a `Command` wrote to them and the next step has not taken up yet, as far as the
    store tells how (see `databases.commands`).

    Args:
        saved: All checkpoints; more of them prove more.
        namespaces: The namespaces that the thread has checkpoints in.
        rules: The rules that were given for DeltaChannels.
    """
    graph = layout(saved)
    rebuilt = Rebuilder(saved[0].ns if saved else "", rules).rebuilt({item.checkpoint_id: item for item in saved})
    newest_first = sorted(saved, key=attrgetter("checkpoint_id"), reverse=True)
    return [state_of(item, graph, namespaces, rebuilt.get(item.checkpoint_id, NOTHING)) for item in newest_first]


def state_of(saved: Saved, graph: Layout, namespaces: Collection[str], rebuilt: Rebuilt) -> State:
    """A checkpoint in the shape of LangGraph's `ThreadState`; see `states`.

    Args:
        saved: The checkpoint.
        graph: What its namespace tells about the graph.
        namespaces: The namespaces that the thread has checkpoints in.
        rebuilt: The channels that the store does not hold as they are.
    """
    planned = tasks_of(saved, graph)
    internal = set[str]()
    if saved.checkpoint.get("v", 0) < 3:  # then each node had a channel of its name
        internal = {node for node in graph.triggers if not node.startswith("__")}
    shown = with_marks(saved, planned, graph, namespaces)
    tasks = None
    if (planned is not None or shown) and all_or_some_known(shown):
        written: dict[str | None, list[Write]] = {}
        for write in sorted(saved.writes, key=attrgetter("path", "task_id", "idx")):
            written.setdefault(write.task_id, []).append(write)
        tasks = [_task(task, saved, written.get(task.id, []), internal, namespaces, graph.functional) for task in shown]
    state = {
        "values": _values(saved, internal, graph, rebuilt),
        "next": None if planned is None else [task.name for task in planned],
        "tasks": tasks,
        "metadata": saved.metadata,
        "created_at": date(saved.checkpoint.get("ts")),
        "checkpoint": _address(saved, saved.checkpoint_id),
        "parent_checkpoint": _address(saved, saved.parent_id) if saved.parent_id else None,
        "interrupts": None if tasks is None else [item for task in tasks for item in task["interrupts"]],
    }
    return state | {"rebuilt": dict(rebuilt.rules)} if rebuilt.rules else state


def all_or_some_known(planned: Sequence[Task]) -> bool:
    """Whether there is something to tell about tasks: none to run, or one with an id."""
    return not planned or any(task.id for task in planned)


def _address(saved: Saved, checkpoint_id: str) -> dict[str, str]:
    return {"thread_id": saved.thread_id, "checkpoint_ns": saved.ns, "checkpoint_id": checkpoint_id}


def _is_state(channel: str, internal: set[str]) -> bool:
    return channel == ROOT or not (channel.startswith(INTERNAL) or channel in internal)


def _values(saved: Saved, internal: set[str], graph: Layout, rebuilt: Rebuilt) -> Any:
    if not saved.checkpoint:
        return saved.values  # the one opaque value that says why
    if graph.functional:
        return saved.values.get(END, saved.values.get(ROOT))
    held = {**saved.values, **rebuilt.values}
    values = {channel: value for channel, value in held.items() if _is_state(channel, internal)}
    return values[ROOT] if values.keys() == {ROOT} else values


def _task(
    task: Task, saved: Saved, writes: Sequence[Write], internal: set[str], namespaces: Collection[str], functional: bool
) -> dict[str, Any]:
    """A task with what its writes tell: a task has finished just where it wrote something that is no control."""
    output = [write for write in writes if write.channel not in MARKS]
    returned = [write.value for write in output if write.channel == RETURN]
    kept = [write for write in output if _is_state(write.channel, internal)]
    ended = [write.value for write in output if write.channel == END] if functional else []
    result = (returned or ended or [_folded(kept)])[0]
    ns = f"{task.name}:{task.id}" if not saved.ns else f"{saved.ns}|{task.name}:{task.id}"
    return {
        "id": task.id,
        "name": task.name,
        "path": task.path,
        "error": next((_error(write.value) for write in writes if write.channel == ERROR), None),
        "interrupts": [_asked(item) for write in writes if write.channel == INTERRUPT for item in _listed(write.value)],
        "checkpoint": {"thread_id": saved.thread_id, "checkpoint_ns": ns} if ns in namespaces else None,
        "state": None,
        "result": result if output else None,
    }


def _error(value: Any) -> Any:
    """An exception as Python's repr, or as LangGraph.js shows one: `TypeError: …`."""
    if isinstance(value, dict) and value.keys() == {"name", "message"}:
        return f"{value['name']}: {value['message']}"
    return value


def _asked(item: Any) -> dict[str, Any]:
    """An interrupt as later versions show it; earlier ones of LangGraph.js wrote `when`, `resumable` and `ns`."""
    if not isinstance(item, dict) or "value" not in item or "__type__" in item:
        return {"id": None, "value": item}
    return {"id": item.get("id")} | {name: item[name] for name in ("value", "response_schema") if name in item}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _folded(writes: Sequence[Write]) -> Any:
    """Writes as a dict of channels, several to one channel as `$writes`; a graph without channels has just a value."""
    result: dict[str, Any] = {}
    several: set[str] = set()
    for write in writes:
        if result.get(write.channel) is None:
            result[write.channel] = write.value
        elif write.channel in several:
            result[write.channel]["$writes"].append(write.value)
        else:
            several.add(write.channel)
            result[write.channel] = {"$writes": [result[write.channel], write.value]}
    return result[ROOT] if result.keys() == {ROOT} else result
