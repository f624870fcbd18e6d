"""Reading a thread whole: every namespace of it, and again only what may have changed."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import ProtocolError
from ..tree import path_of
from .base import Backend, State, head_of, namespace

Read = Callable[[str], list[State]]


def everything(backend: Backend, thread_id: str) -> tuple[list[State], set[str]]:
    """All states of a thread, of the root namespace and of every subgraph's; and these namespaces."""
    read = reading(backend, thread_id)
    roots = read("")
    nested, names = inside(backend, thread_id, roots, read)
    return roots + nested, names


def reading(backend: Backend, thread_id: str) -> Read:
    """A function that reads a namespace of a thread to its end."""
    return lambda ns: [state for page in backend.pages(thread_id, ns=ns) for state in page]


def inside(
    backend: Backend, thread_id: str, roots: Iterable[State], read: Read, known: Iterable[str] = ()
) -> tuple[list[State], set[str]]:
    """The states of every subgraph of a thread; and the namespaces that are read by now.

    Where the place keeps no list of them the tasks name them. Under such a name LangGraph gives the subgraph that has
    one memory for all tasks, too; and it numbers the further subgraphs that one task calls: so these are asked for.

    Args:
        backend: Where the thread is.
        thread_id: The thread.
        roots: The states whose tasks name subgraphs.
        read: Reads a namespace.
        known: Namespaces that are not to be read.
    """
    listed = backend.namespaces(thread_id)
    states, seen = list[State](), {"", *known}
    unread = subgraphs(roots) if listed is None else listed
    while unread := unread - seen:
        ns = min(unread)
        if listed is None and memory_of(ns) in seen:
            seen.add(ns)
            continue
        found = [state for state in read(ns) if namespace(state) == ns or namespace(state) not in seen]
        seen |= {ns, *map(namespace, found)}
        states += found
        if listed is None:
            unread |= subgraphs(found) | ({further_call(ns)} if found else set())
    return states, seen


def belonging(roots: Mapping[str, State], nested: Iterable[State], *, complete: bool) -> dict[str, State]:
    """The states of subgraphs by id, without those of tasks of checkpoints that were not read, or came later.

    Raises:
        ProtocolError: A checkpoint is there twice.
    """
    found: dict[str, State] = {}
    newest = max(roots, default="")
    for state in sorted(nested, key=lambda state: str(state["checkpoint"]["checkpoint_id"])):
        id_, host = state["checkpoint"]["checkpoint_id"], head_of(state).inside
        if id_ in roots or id_ in found:
            raise ProtocolError(f"checkpoint {id_} occurs in two namespaces of this thread", checkpoint_id=id_)
        if host is None or host in roots or host in found or (complete and host <= newest):
            found[id_] = state
    return found


def again(
    backend: Backend, thread_id: str, before: Mapping[str, State], roots: Mapping[str, State], *, complete: bool
) -> dict[str, State]:
    """The states of subgraphs by id: those of `before`, read again where they or their tasks may have changed.

    Args:
        backend: Where the thread is.
        thread_id: The thread.
        before: All states that were read before.
        roots: Those of the root namespace, as they are now.
        complete: Whether all of these were read.
    """
    old = {id_: state for id_, state in before.items() if namespace(state)}
    changed = unsettled(old.values()) | {id_ for id_, state in roots.items() if before.get(id_) is not state}
    stale = {ns for ns in map(namespace, old.values()) if memory_of(ns) == ns}
    for id_, state in sorted(old.items()):
        host = head_of(state).inside or ""
        if id_ in changed or host in changed or (host in old and namespace(old[host]) in stale):
            stale.add(namespace(state))
    kept = [state for state in old.values() if namespace(state) not in stale]
    settled = {namespace(state) for state in kept}
    fresh, _ = inside(backend, thread_id, [*roots.values(), *kept], reading(backend, thread_id), settled)
    return belonging(roots, [*kept, *fresh], complete=complete)


def subgraphs(states: Iterable[State]) -> set[str]:
    """The namespaces of the subgraphs that the tasks of these states ran."""
    tasks = (task for state in states for task in state["tasks"] or ())
    named = ((task.get("checkpoint") or {}).get("checkpoint_ns") for task in tasks)
    return {str(ns) for ns in named if ns}


def memory_of(ns: str) -> str:
    """The namespace that a task's subgraph has if it keeps one memory for all tasks: the names of the nodes alone."""
    return "|".join(path_of(ns))


def further_call(ns: str) -> str:
    """The namespace of the next subgraph that the same task called: `a:1`, then `a:1|1`, `a:1|2`."""
    before, _, number = ns.rpartition("|")
    return f"{before}|{int(number) + 1}" if number.isdigit() else f"{ns}|1"


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
