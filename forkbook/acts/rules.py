"""What can be done at a checkpoint inside a subgraph: only that after which LangGraph would go on from there.

LangGraph goes on in a subgraph from the newest checkpoint of its namespace, and only while the task that runs it has
not ended, and only from the thread's head. Everywhere else it starts the subgraph over, without a word.
"""

from __future__ import annotations

from typing import Any

from ..backends.contract import Backend
from ..errors import ActFailed, Refused
from ..model.states import State, namespace
from ..model.tree import path_of
from .now import state_now
from .spot import Spot

STARTS_OVER = "LangGraph would silently start the subgraph over"


def only_outside(spot: Spot, what: str) -> None:
    """Check that a checkpoint is one of the root graph.

    Raises:
        Refused: It is not.
    """
    if spot.namespace:
        raise refused(spot, f"{what} sets out from a checkpoint of the root graph{pick(outermost(spot))}")


def must_go_on(spot: Spot) -> None:
    """Check that LangGraph would go on from what is written at a checkpoint; in the root graph it always would.

    Raises:
        Refused: It would start the subgraph over.
    """
    inner = spot
    while inner.namespace:
        if (host := inner.inside) is None:
            raise refused(spot, f"it is not known which task ran this subgraph, so {STARTS_OVER}, as far as one knows")
        newest = _newest(host)
        if newest["checkpoint"]["checkpoint_id"] != host.id:
            where = "the thread's head" if not host.namespace else "the newest of its subgraph"
            why = f"the task that ran it started from {host.short_id}, which is not {where} any more"
            raise refused(spot, f"{why}: {STARTS_OVER}{_instead(spot)}")
        task = inner.task
        now = next((found for found in newest["tasks"] or () if task and found.get("id") == task["id"]), None)
        if now is None or now.get("result") is not None:
            why = f"the task that ran it, from {host.short_id}, has ended"
            raise refused(spot, f"{why}: {STARTS_OVER}{_instead(spot)}")
        inner = host


def must_be_next(spot: Spot) -> None:
    """Check that LangGraph would go on from this very checkpoint.

    Raises:
        Refused: It would start the subgraph over, or go on from a newer checkpoint.
    """
    must_go_on(spot)
    newest = _newest(spot)["checkpoint"]["checkpoint_id"]
    if newest != spot.id:
        raise refused(
            spot,
            f"LangGraph goes on in a subgraph from its newest checkpoint alone, which is {newest[-6:]}: an edit of "
            "this one, cp.fork(…) or cp.edit(…), makes a newer one",
        )


def starts_over(spot: Spot, state: State) -> tuple[str, ...]:
    """Notes on a run from a checkpoint of the root graph, whose subgraphs LangGraph starts over.

    Raises:
        Refused: The thread's head would go on without an edit that was made inside one of them.
    """
    backend, head = spot.backend, state_now(spot.backend, spot.thread_id)
    if head is None or head["checkpoint"]["checkpoint_id"] != spot.id:
        return ()  # whatever is inside was left behind when the head moved
    begun = _unfinished(backend, spot.thread_id, state)
    edits = [found for found in begun if (found["metadata"] or {}).get("source") == "update"]
    if edits:
        edit, ns = edits[0]["checkpoint"]["checkpoint_id"], namespace(edits[0])
        raise Refused(
            f"checkpoint {spot.short_id} waits with an edit inside subgraph {' › '.join(path_of(ns))}, {edit[-6:]}, "
            f"and from here {STARTS_OVER}, without it: book.run(thread_id) goes on from the edit, and answer() does "
            "where something is asked",
            thread_id=spot.thread_id,
            checkpoint_id=spot.id,
            candidates=[edit],
        )
    names = dict.fromkeys(path_of(namespace(found))[0] for found in begun)
    return (f"the subgraph {', '.join(names)} started over: book.run(thread_id) goes on inside it",) if names else ()


def asks_anew(backend: Backend, thread_id: str, state: State) -> bool:
    """Whether a subgraph was edited since it asked: under LangGraph it asks again then, under an id of its own."""
    head = state_now(backend, thread_id)
    if head is None or head["checkpoint"]["checkpoint_id"] != state["checkpoint"]["checkpoint_id"]:
        return False
    inner = _inner(backend, thread_id, state)
    edited = any((found["metadata"] or {}).get("source") in ("update", "fork") for _, found in inner)
    shown = {item["id"] for task in _under_way(state) for item in task.get("interrupts") or ()}
    hosts = [task for task, _ in inner]
    tasks = [task for found in (state, *(found for _, found in inner)) for task in _under_way(found)]
    asked = {item["id"] for task in tasks if task not in hosts for item in task.get("interrupts") or ()}
    return edited and bool(shown - asked)


def _inner(backend: Backend, thread_id: str, state: State) -> list[tuple[dict[str, Any], State]]:
    """The tasks under way that run subgraphs, at any depth, each with the newest checkpoint of its subgraph."""
    found = []
    for task in _under_way(state):
        ns = (task.get("checkpoint") or {}).get("checkpoint_ns")
        inner = state_now(backend, thread_id, ns=str(ns)) if ns else None
        if inner is not None:
            found += [(task, inner), *_inner(backend, thread_id, inner)]
    return found


def _under_way(state: State) -> list[dict[str, Any]]:
    return [task for task in state["tasks"] or () if task.get("result") is None]


def _unfinished(backend: Backend, thread_id: str, state: State) -> list[State]:
    """The checkpoints of subgraphs, at any depth, whose tasks have begun and not ended; not of those with a memory."""
    spaces = [
        str(task["checkpoint"]["checkpoint_ns"])
        for task in state["tasks"] or ()
        if task.get("result") is None and task.get("checkpoint")
    ]
    found = []
    for ns in spaces:
        inside = [each for page in backend.pages(thread_id, ns=ns) for each in page] if ":" in ns else []
        found += inside + [deeper for newest in inside[:1] for deeper in _unfinished(backend, thread_id, newest)]
    return found


def outermost(spot: Spot) -> Spot:
    """The checkpoint of the root graph within whose task a checkpoint is."""
    while (host := spot.inside) is not None:
        spot = host
    return spot


def _newest(spot: Spot) -> State:
    """The newest checkpoint of the same namespace, as it is now."""
    state = state_now(spot.backend, spot.thread_id, ns=spot.namespace)
    if state is None:
        raise ActFailed(f"thread {spot.thread_id} has no checkpoints any more", thread_id=spot.thread_id)
    return state


def _instead(spot: Spot) -> str:
    """Where in the root graph it can be done that cannot be done inside a subgraph any more."""
    root = outermost(spot)
    if root.namespace:
        return ""
    here = f"history[{root.short_id!r}]"
    if any(task.get("interrupts") for task in root.state["tasks"] or ()):
        return f"; the root checkpoint that asked can be answered, {here}.answer('…'), or forked, on a new branch"
    return f"; the root checkpoint whose task ran it can be resumed, {here}.resume(), or forked, on a new branch"


def pick(root: Spot) -> str:
    return "" if root.namespace else f": pick {root.short_id}, within whose task this one is"


def refused(spot: Spot, why: str) -> Refused:
    return Refused(
        f"checkpoint {spot.short_id} is inside subgraph {' › '.join(path_of(spot.namespace))}: {why}",
        thread_id=spot.thread_id,
        checkpoint_id=spot.id,
    )
