"""The shape of a thread and of its states in a file of other people, checked once, when they are read. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..model.states import State, Thread
from ..model.text import short

PLAIN_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)")
KEPT_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?")
NEEDED = ("values", "next", "tasks", "metadata", "created_at", "parent_checkpoint")  # of every state; None: unknown
IN_TASK = tuple(
    (name, kind, f"a task's {name}")
    for name, kind in (("id", str), ("name", str), ("path", list), ("checkpoint", dict), ("interrupts", list))
)


class Unfit(ValueError):
    """Something is no thread, or no state of one; the text says what."""


def a_record(found: Any, thread_id: str) -> Thread:
    """A thread's record; dates that are none are None.

    Raises:
        Unfit: It is none, or that of another thread.
    """
    record = an_object(found, "its record")
    if record.get("thread_id") != thread_id:
        raise Unfit(f"its record is of thread {short(record.get('thread_id'))}")
    check_record(record)
    for key in ("created_at", "updated_at"):
        if record.get(key) is not None:
            record[key] = _kept_date(record[key])
    return record


def a_state(found: Any) -> State:
    """A state; what it does not say is None, and so is a date that is none.

    Raises:
        Unfit: It is none, or a part of it is of another type than LangGraph gives it.
    """
    state = an_object(found, "a state")
    for key in NEEDED:
        state.setdefault(key, None)
    at = an_object(state.get("checkpoint"), "checkpoint")
    if not isinstance(at.get("checkpoint_id"), str):
        raise Unfit(f"a state of it has no checkpoint id: {short(at)}")
    try:
        parent = an_object(state["parent_checkpoint"], "parent_checkpoint")
        _check(at.get("checkpoint_ns"), str, "the checkpoint_ns")
        _check(parent.get("checkpoint_id"), str, "the parent's checkpoint_id")
        _check(parent.get("checkpoint_ns"), str, "the parent's checkpoint_ns")
        check_state(state)
    except Unfit as error:
        raise Unfit(f"checkpoint {at['checkpoint_id']}: {error}") from None
    state["created_at"] = _kept_date(state["created_at"])
    return state


def check_record(record: Thread) -> None:
    """Check the metadata and the status of a thread's record.

    Raises:
        Unfit: They are of another type.
    """
    for key, kind, name in (("metadata", dict, "object"), ("status", str, "text")):
        if not isinstance(record.get(key), kind | None):
            raise Unfit(f"its {key} is {short(record[key])}, which is no {name}")


def check_state(state: State) -> None:
    """Check that everything has the type that LangGraph gives it, where it is known.

    Raises:
        Unfit: Something has not.
    """
    metadata = an_object(state["metadata"], "metadata")
    an_object(metadata.get("parents"), "parents")
    for name in ("next", "tasks", "interrupts"):
        _check(state.get(name), list, name)
    for number, node in enumerate(state["next"] or ()):
        if not isinstance(node, str):
            raise Unfit(f"next[{number}] is {short(node)}")
    for task in _objects(state["tasks"], "a task"):
        for name, kind, said in IN_TASK:
            _check(task.get(name), kind, said)
        _check((task.get("checkpoint") or {}).get("checkpoint_ns"), str, "a task's checkpoint_ns")
        _objects(task.get("interrupts"), "an interrupt")
    _objects(state.get("interrupts"), "an interrupt")


def check_metadata(state: State) -> None:
    """Check that what a state's metadata say of it has the type that LangGraph gives it.

    Raises:
        Unfit: Something has not.
    """
    metadata: Mapping[str, Any] = state["metadata"] or {}
    for name, kind in (("step", int), ("source", str), ("run_id", str)):
        _check(metadata.get(name), kind, name)


def date(value: Any) -> str | None:
    """A date as ISO 8601 with its zone, UTC where it has none; None if it is no such date."""
    if not isinstance(value, str):
        return None
    try:
        when = datetime.fromisoformat(value)
        if when.tzinfo is None:
            return when.replace(tzinfo=UTC).isoformat()
        when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return value if PLAIN_DATE.fullmatch(value) else when.isoformat()


def _kept_date(value: Any) -> str | None:
    """A date as it was written, where others read it, too; None if it is none."""
    found = date(value)
    return value if found and KEPT_DATE.fullmatch(value) else found


def a_list(value: Any) -> list[Any]:
    """A list, empty for None.

    Raises:
        Unfit: It is none.
    """
    if value is not None and not isinstance(value, list):
        raise Unfit(f"{short(value)} is there where a list belongs")
    return value or []


def an_object(value: Any, name: str) -> dict[str, Any]:
    """A dict, empty for None.

    Raises:
        Unfit: It is none.
    """
    if value is not None and not isinstance(value, dict):
        raise Unfit(f"{name} is {short(value)} where an object belongs")
    return value or {}


def _check(value: Any, kind: type, name: str) -> None:
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise Unfit(f"{name} is {short(value)}")


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    for item in a_list(value):
        if not isinstance(item, dict):
            raise Unfit(f"{name} is {short(item)} where an object belongs")
    return value or []
