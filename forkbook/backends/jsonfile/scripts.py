"""Threads in the shapes that migration scripts write, as records and states; what they do not say is None. Pure."""

from collections.abc import Mapping
from typing import Any

from ...model.states import State, Thread, id_of
from ...model.text import short
from ..shape import Unfit, a_list, an_object, check_metadata, check_record, check_state, date

HISTORIES = ("history", "checkpoints", "states")
RECORD = ("metadata", "status", "created_at", "updated_at", "interrupts")
CONTENT = (*HISTORIES, "values", "state", "subgraphs", "thread")
MADE_UP = "00000000-0000-6000-8000-000000000000"  # the checkpoint of a thread of which only the values are known
STATE = (
    "values", "next", "tasks", "metadata", "created_at", "checkpoint", "parent_checkpoint", "interrupts",
)  # fmt: skip
TASK = {
    "id": None, "name": None, "path": None, "error": None, "interrupts": None, "checkpoint": None, "state": None,
    "result": None,
}  # fmt: skip


def thread_id_of(item: Any) -> str:
    """The id of what may be a thread.

    Raises:
        Unfit: It has none.
    """
    if not isinstance(item, dict):
        raise Unfit(f"{short(item)} is no object")
    inner = an_object(item.get("thread"), "thread")
    found = item.get("thread_id", inner.get("thread_id", item.get("id")))
    if not isinstance(found, str) or (not found and {*item, *inner}.isdisjoint((*RECORD, *CONTENT))):
        raise Unfit(f"its thread_id is {short(found)}")
    return found


def record_of(item: Mapping[str, Any], thread_id: str) -> Thread:
    """A thread's record: all that a file says of it but its content; dates that are none are None.

    Raises:
        Unfit: It says nothing of a thread, or its metadata are no object.
    """
    inner = an_object(item.get("thread"), "thread")
    said = {*inner, *item} - {"thread_id", "id"}
    if said and said.isdisjoint((*RECORD, *CONTENT)):
        raise Unfit("it has neither metadata nor values nor a history")
    record = {"thread_id": thread_id} | {
        key: value for key, value in {**inner, **item}.items() if key not in CONTENT and key != "id"
    }
    for key in ("created_at", "updated_at"):
        record[key] = date(record.get(key))
    record.setdefault("metadata", {})
    record.setdefault("status", None)
    check_record(record)
    return record


def states_of(item: Mapping[str, Any], thread_id: str) -> dict[str, list[State]]:
    """A thread's states by namespace, newest first.

    Raises:
        Unfit: They are no history.
    """
    given = [item[key] for key in HISTORIES if item.get(key) is not None]
    found: list[tuple[str | None, Any]] = [(None, state) for state in a_list(given[0])] if given else []
    if not found and isinstance(item.get("state"), dict):
        found = [(None, item["state"])]
    for ns, states in an_object(item.get("subgraphs"), "subgraphs").items():
        found += [(ns, state) for state in a_list(states)]
    if not found and item.get("values"):
        return {"": [_values_alone(item, thread_id)]}
    by_ns: dict[str, dict[str, State]] = {}
    for known_ns, raw in found:
        state = _state(raw, thread_id, known_ns)
        known = by_ns.setdefault(state["checkpoint"]["checkpoint_ns"], {})
        id_ = id_of(state)
        if known.setdefault(id_, state) != state:
            raise Unfit(f"checkpoint {id_} is there twice, and not the same")
    return {ns: [known[id_] for id_ in sorted(known, reverse=True)] for ns, known in by_ns.items()}


def _values_alone(item: Mapping[str, Any], thread_id: str) -> State:
    at = {"checkpoint_id": MADE_UP, "thread_id": thread_id, "checkpoint_ns": ""}
    when = date(item.get("updated_at")) or date(item.get("created_at"))
    return dict.fromkeys(STATE) | {"values": item["values"], "created_at": when, "checkpoint": at}


def _state(raw: Any, thread_id: str, ns: str | None) -> State:
    state = dict(an_object(raw, "a state"))
    state["checkpoint"] = _address(state, "", thread_id, ns)
    if state["checkpoint"] is None:
        raise Unfit(f"a state of it has no checkpoint id: {short(raw)}")
    state["parent_checkpoint"] = _address(state, "parent_", thread_id, state["checkpoint"]["checkpoint_ns"])
    for key in STATE:
        state.setdefault(key, None)
    state["created_at"] = date(state["created_at"])
    try:
        check_state(state)
        check_metadata(state)
    except Unfit as error:
        raise Unfit(f"checkpoint {state['checkpoint']['checkpoint_id']}: {error}") from None
    if state["tasks"] is not None:
        state["tasks"] = [task if task.keys() >= TASK.keys() else {**TASK, **task} for task in state["tasks"]]
    return state


def _address(state: State, prefix: str, thread_id: str, ns: str | None) -> dict[str, Any] | None:
    """Where a state, or its parent, is: as a server says it, as it said it once, or as a graph in a process does."""
    at = an_object(state.get(f"{prefix}checkpoint"), f"{prefix}checkpoint")
    if not at:
        config = an_object(state.get(f"{prefix}config"), f"{prefix}config")
        at = an_object(config.get("configurable"), "configurable")
    if not at:
        at = {"checkpoint_id": state.get(f"{prefix}checkpoint_id")}
    if at.get("checkpoint_id") is None:
        return None
    at = at if "checkpoint_ns" in at else at | {"thread_id": thread_id, "checkpoint_ns": ns or ""}
    for key in ("checkpoint_id", "checkpoint_ns"):
        if not isinstance(at[key], str):
            raise Unfit(f"a {key} is {short(at[key])}, which is no text")
    return at
