"""Reading a thread whole: every namespace of it, and again only what may have changed."""

from collections.abc import Iterable, Mapping
from typing import Any

from .base import Backend, State


def everything(backend: Backend, thread_id: str) -> tuple[list[State], set[str]]:
    """All states of a thread, of the root namespace and of every subgraph's that a task names; and these namespaces."""
    states: list[State] = []
    unread, seen = {""}, set[str]()
    while unread:
        seen.add(ns := unread.pop())
        found = [state for page in backend.pages(thread_id, ns=ns) for state in page]
        states += found
        unread |= subgraphs(found) - seen
    return states, seen


def subgraphs(states: Iterable[State]) -> set[str]:
    """The namespaces of the subgraphs that the tasks of these states ran."""
    tasks = (task for state in states for task in state["tasks"] or ())
    named = ((task.get("checkpoint") or {}).get("checkpoint_ns") for task in tasks)
    return {str(ns) for ns in named if ns}


def older(backend: Backend, thread_id: str, known: Mapping[str, State], than: str) -> dict[str, State]:
    """Of the known states by id those older than a checkpoint, read again where they may have changed since."""
    changing, kept = unsettled(known.values()), dict[str, State]()
    for id_, state in known.items():
        if id_ < than:
            now = backend.state(thread_id, id_) if id_ in changing else state
            if now is not None:
                kept[id_] = now
    return kept


def unsettled(states: Iterable[State]) -> set[str]:
    """Of a thread as it was read, the checkpoints that may change: tips with a next, and where a task waits or failed.

    A tip that has run since then has children now, and the writes of its tasks; so what counts is what was known then.
    """
    states = list(states)
    parents = {(state["parent_checkpoint"] or {}).get("checkpoint_id") for state in states}
    found = set()
    for state in states:
        id_ = state["checkpoint"]["checkpoint_id"]
        if state["next"] and (id_ not in parents or any(map(_is_open, state["tasks"] or ()))):
            found.add(id_)
    return found


def _is_open(task: Mapping[str, Any]) -> bool:
    return task.get("result") is None and bool(task.get("interrupts") or task.get("error"))
