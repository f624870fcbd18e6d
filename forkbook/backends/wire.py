"""Checks of what a server sent: everything past them has LangGraph's shape."""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from ..marks import SERVER_PREFIXES
from ..model.reserved import END, ROOT
from ..model.states import State, Thread
from ..model.text import short, visible
from .shape import date

IN_CONFIG = {
    "run_id", "thread_id", "graph_id", "assistant_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map", "cron_id",
}  # fmt: skip
IN_METADATA = IN_CONFIG | {
    "created_by", "run_attempt", "source", "step", "parents", "writes", "counters_since_delta_snapshot", "task_id",
}  # fmt: skip


class UnexpectedAnswer(ValueError):
    """The answer has not the shape that LangGraph's protocol says."""


def an_object(answer: Any) -> dict[str, Any]:
    """The answer, if it is a JSON object."""
    if not isinstance(answer, dict):
        raise UnexpectedAnswer(f"sent {short(answer)} where an object belongs: is it an Agent Server?")
    return answer


def objects(answer: Any) -> list[dict[str, Any]]:
    """The answer, if it is a list of JSON objects."""
    if not isinstance(answer, list):
        raise UnexpectedAnswer(f"sent {short(answer)} where a list belongs: is it an Agent Server?")
    return [an_object(item) for item in answer]


def text_in(answer: Any, key: str) -> str:
    """The text under a key of a JSON object."""
    found = an_object(answer).get(key)
    if not isinstance(found, str):
        raise UnexpectedAnswer(f"sent {short(found)} where the text of {key} belongs")
    return found


def an_assistant(answer: Any) -> dict[str, Any]:
    """The answer, if it is the record of an assistant."""
    text_in(answer, "assistant_id")
    text_in(answer, "graph_id")
    return _fitting(an_object(answer), ASSISTANT)


def a_schema(answer: Any) -> dict[str, Any] | None:
    """The answer, if it is the JSON Schema of a state, with its properties by name; None where there is none."""
    schema = None if answer is None else an_object(answer)
    if schema and "properties" in schema:
        an_object(schema["properties"])
    return schema


def a_thread(answer: Any) -> Thread:
    """The answer, if it is the record of a thread; of its fields those that do not fit are unknown, None.

    Raises:
        UnexpectedAnswer: It has no id.
    """
    record = an_object(answer)
    if not isinstance(record.get("thread_id"), str) or not record["thread_id"]:
        raise UnexpectedAnswer(f"sent a thread with thread_id = {short(record.get('thread_id'))}")
    return _fitting(record, RECORD)


def threads_of(answer: Any) -> list[Thread]:
    """The records of a list of threads; one without an id, which nobody can read, is passed over with a warning."""
    records, unnamed = objects(answer), list[UnexpectedAnswer]()
    found = []
    for record in records:
        try:
            found.append(a_thread(record))
        except UnexpectedAnswer as error:
            unnamed.append(error)
    if unnamed:
        warnings.warn(visible(f"{len(unnamed)} of {len(records)} threads left out: it {unnamed[0]}"), stacklevel=2)
    return found


def a_state(answer: Any) -> State:
    """The answer, if it is a `ThreadState`; what of it may be unknown and does not fit is None.

    Raises:
        UnexpectedAnswer: It has no ids, or what it says of tasks and nodes is no list.
    """
    state = an_object(answer)
    checkpoint = state.get("checkpoint")
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("checkpoint_id"), str):
        raise UnexpectedAnswer(f"sent a state without a checkpoint id: {short(state)}")
    for name, items, kind in _declared(state):
        if not isinstance(items, kind):
            raise UnexpectedAnswer(f"sent checkpoint {checkpoint['checkpoint_id']} with {name.format(short(items))}")
    for key in ("values", "metadata", "created_at", "parent_checkpoint"):
        state.setdefault(key, None)
    state["tasks"] = [_fitting(task, TASK) for task in state["tasks"]]
    if not isinstance(state["values"], dict | None):
        state["values"] = {ROOT: state["values"]}
    return _fitting(state, STATE)


def _declared(state: State) -> Iterator[tuple[str, Any, Any]]:
    """Parts of a state, with what they must be, so that its tree can be told."""
    for key, kind in (("next", list), ("tasks", list), ("metadata", dict | None), ("parent_checkpoint", dict | None)):
        yield f"{key} = {{}}", state.get(key), kind
    yield from (("{} among its next", node, str) for node in state["next"])
    yield from (("{} among its tasks", task, dict) for task in state["tasks"])
    for task in state["tasks"]:
        yield "the interrupts of a task = {}", task.get("interrupts"), list | None
        yield from (("{} among its interrupts", item, dict) for item in task.get("interrupts") or ())
    yield "checkpoint_ns = {}", state["checkpoint"].get("checkpoint_ns"), str | None
    yield "its parent = {}", (state.get("parent_checkpoint") or {}).get("checkpoint_id"), str | None


def _fitting(found: dict[str, Any], shape: Mapping[str, Any]) -> dict[str, Any]:
    """What was found, in place; a field that has not its declared type is unknown, None."""
    for name, fitting in shape.items():
        if name in found:
            found[name] = fitting(found[name])
    return found


def _is(kind: Any) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, kind) else None


RECORD = {
    "created_at": date, "updated_at": date, "metadata": _is(dict), "status": _is(str), "interrupts": _is(dict),
    "config": _is(dict),
}  # fmt: skip
STATE = {"created_at": date, "interrupts": _is(list)}
TASK = {"id": _is(str), "name": _is(str), "path": _is(list), "checkpoint": _is(dict), "result": _is(dict)}


def a_run(answer: Any) -> dict[str, Any]:
    """The answer, if it is the record of a run: its id and status are texts."""
    run = an_object(answer)
    for key in ("run_id", "status"):
        if not isinstance(run.get(key), str):
            raise UnexpectedAnswer(f"sent a run with {key} = {short(run.get(key))}")
    return _fitting(run, RUN)


ASSISTANT = {"metadata": _is(dict), "name": _is(str)}
RUN = {"kwargs": _is(dict), "metadata": _is(dict), "assistant_id": _is(str)}


def a_part(mode: str, data: Any) -> Any:
    """What a part of a run's stream says, if it has the shape of its mode; one of another mode may be anything.

    Raises:
        UnexpectedAnswer: It has not. Of a checkpoint the state is checked when it is made, by `a_state`.
    """
    if mode == "messages":
        if not isinstance(data, list | tuple) or len(data) != 2:
            raise UnexpectedAnswer(f"sent {short(data)} where a message with its metadata belongs")
        return _fitting(an_object(data[0]), MESSAGE), _fitting(an_object(data[1]), OF_MESSAGE)
    if mode == "tasks":
        text_in(data, "id"), text_in(data, "name")
    if mode == "checkpoints":
        objects(an_object(data).get("tasks"))
        for key in ("metadata", "config", "parent_config"):
            an_object(data.get(key) or {})
        for key in ("config", "parent_config"):
            an_object((data.get(key) or {}).get("configurable") or {})
    return data


MESSAGE, OF_MESSAGE = {"id": _is(str)}, {"langgraph_node": _is(str)}


def items_in(state: State) -> int:
    """How many list items a state's channels hold."""
    values = state["values"]
    return sum(len(value) for value in values.values() if isinstance(value, list)) if isinstance(values, dict) else 0


def own(keys: Mapping[str, Any], added: Collection[str]) -> dict[str, Any]:
    """The keys that a person gave, without those that the server adds."""
    return {key: value for key, value in keys.items() if key not in added and not key.startswith(SERVER_PREFIXES)}


def as_written(values: Any, as_node: str | None) -> Any:
    """An update's values as LangGraph takes them: those of a state that is no mapping alone, none to end a thread."""
    if as_node == END and not values:
        return None
    return values[ROOT] if isinstance(values, Mapping) and set(values) == {ROOT} else values


def whole_of(schema: Any) -> str | None:
    """The one channel that is a graph's whole state, by a server's schema of it; None: there are several channels."""
    if not isinstance(schema, Mapping) or not schema:
        return None
    return ROOT if "properties" not in schema else END if set(schema["properties"]) == {END} else None
