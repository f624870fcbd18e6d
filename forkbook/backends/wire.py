"""Checks of what a server sent: everything past them has LangGraph's shape."""

from collections.abc import Collection, Mapping
from typing import Any

from ..marks import SERVER_PREFIXES
from ..model.reserved import END, ROOT
from ..model.states import State
from ..model.text import short

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


def a_state(answer: Any) -> State:
    """The answer, if it is a `ThreadState`: its ids are there, and agree with each other."""
    state = an_object(answer)
    checkpoint, parent = state.get("checkpoint"), state.get("parent_checkpoint")
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("checkpoint_id"), str):
        raise UnexpectedAnswer(f"sent a state without a checkpoint id: {short(state)}")
    for key, kind in (("next", list), ("tasks", list), ("metadata", dict)):
        if not isinstance(state.get(key), kind) and not (key == "metadata" and state.get(key) is None):
            raise UnexpectedAnswer(
                f"sent checkpoint {checkpoint['checkpoint_id']} with {key} = {short(state.get(key))}"
            )
    _check_items(state, checkpoint["checkpoint_id"])
    if parent is not None and not isinstance(parent, dict):
        raise UnexpectedAnswer(
            f"sent checkpoint {checkpoint['checkpoint_id']} with parent_checkpoint = {short(parent)}"
        )
    state["parent_checkpoint"] = parent
    for key in ("values", "metadata", "created_at"):
        state.setdefault(key, None)
    if not isinstance(state["values"], dict | None):
        state["values"] = {ROOT: state["values"]}
    return state


def a_run(answer: Any) -> dict[str, Any]:
    """The answer, if it is the record of a run: its id and status are texts."""
    run = an_object(answer)
    for key in ("run_id", "status"):
        if not isinstance(run.get(key), str):
            raise UnexpectedAnswer(f"sent a run with {key} = {short(run.get(key))}")
    return run


def _check_items(state: State, checkpoint_id: str) -> None:
    """Check that a state's nodes are texts, and its tasks and interrupts objects."""
    tasks = state["tasks"]
    interrupts = [item for task in tasks if isinstance(task, dict) for item in task.get("interrupts") or ()]
    for name, items, kind in (("next", state["next"], str), ("tasks", tasks, dict), ("interrupts", interrupts, dict)):
        if odd := [item for item in items if not isinstance(item, kind)]:
            raise UnexpectedAnswer(f"sent checkpoint {checkpoint_id} with {short(odd[0])} among its {name}")


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
