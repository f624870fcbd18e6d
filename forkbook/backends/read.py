"""Reading a thread whole: every namespace of it, and again only what may have changed."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from ..errors import ProtocolError, ThreadNotFound
from ..model.reserved import START
from ..model.secrets import hide_in_metadata
from ..model.states import State, Thread, head_of, id_of, namespace
from ..model.tree import path_of
from .contract import Backend
from .readers import AT_ONCE, side_by_side

PUSH = "__pregel_push"
REFRESH_PAGE = 20  # checkpoints per request when a thread is read again
MOST_DIGITS = 9  # of the number of a further subgraph
AT_A_TIME = 24  # tasks that are asked for a subgraph before it is looked whether any is missing still
Read = Callable[[str], list[State]]


def read_states(
    backend: Backend, thread_id: str, *, limit: int | None = None, page_size: int | None = None, subgraphs: bool = False
) -> tuple[dict[str, State], bool]:
    """The states of a thread by checkpoint id, newest first; and whether these are all.

    Args:
        backend: Where the thread is.
        thread_id: Its whole id.
        limit: At most so many of the root namespace, the newest; None: all.
        page_size: Checkpoints per request; None: chosen by their size.
        subgraphs: Read those of subgraphs, too.
    """
    states, complete = _newest(backend, thread_id, limit, page_size)
    if states and subgraphs:
        nested, _ = inside(backend, thread_id, states.values(), reading(backend, thread_id), readers=AT_ONCE)
        states |= belonging(states, nested, complete=complete)
    return states, complete


def _newest(
    backend: Backend, thread_id: str, limit: int | None, page_size: int | None
) -> tuple[dict[str, State], bool]:
    from tqdm.auto import tqdm

    states: dict[str, State] = {}
    with tqdm(desc="reading checkpoints", unit="", delay=1, leave=False) as bar:
        for page in backend.pages(thread_id, page_size=page_size):
            hide_in_metadata(page)
            for state in page:
                if len(states) == limit:
                    return states, False
                states[state["checkpoint"]["checkpoint_id"]] = state
            bar.update(len(page))
    return states, True


def reread_states(
    backend: Backend, thread_id: str, before: Mapping[str, State], *, complete: bool, subgraphs: bool
) -> dict[str, State]:
    """The states of a thread as they are now, reading only what is new and what may have changed.

    A checkpoint may still change while it is a tip, or while a task of it waits or failed.

    Args:
        backend: Where the thread is.
        thread_id: The thread.
        before: What was read of it before, by checkpoint id.
        complete: Whether that was all.
        subgraphs: Whether those of subgraphs are among it.

    Raises:
        ThreadNotFound: It has no checkpoints any more.
    """
    known = {id_: state for id_, state in before.items() if not namespace(state)}
    newest, fresh = "" if backend.keeps_rows else max(known, default=""), dict[str, State]()
    for page in backend.pages(thread_id, page_size=REFRESH_PAGE):
        hide_in_metadata(page)
        fresh |= {state["checkpoint"]["checkpoint_id"]: state for state in page}
        if min(fresh) <= newest:
            break
    if not complete:
        fresh = {id_: state for id_, state in fresh.items() if id_ >= min(known)}
    whole = backend.keeps_rows  # then all of it was read, and what did not change is the same
    kept = {} if whole else older(backend, thread_id, known, min(fresh, default=""))
    if not fresh and known:
        raise ThreadNotFound(f"thread {thread_id} has no checkpoints any more", thread_id=thread_id)
    states = kept | fresh
    if subgraphs:
        states |= again(backend, thread_id, before, states, complete=complete)
    return states


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
    backend: Backend,
    thread_id: str,
    roots: Iterable[State],
    read: Read,
    known: Iterable[str] = (),
    *,
    readers: int = 1,
    record: Thread | None = None,
) -> tuple[list[State], set[str]]:
    """The states of every subgraph of a thread; and the namespaces that are read by now.

    Where the place keeps no list of them the tasks name them, but for those that LangGraph cannot see in the graph's
    code: tasks are asked for these where the place says that it has more checkpoints. Under a task's name LangGraph
    gives the subgraph that has one memory for all tasks, too; and it numbers the further subgraphs that one task calls:
    so these are asked for.

    Args:
        backend: Where the thread is.
        thread_id: The thread.
        roots: The states whose tasks name subgraphs.
        read: Reads a namespace.
        known: Namespaces that are not to be read.
        readers: How many are read side by side, if the place allows that.
        record: The thread's record, where it was read: of a thread that no run worked on nothing more is asked.
    """
    roots, listed = list(roots), backend.namespaces(thread_id)
    found = _Found(read, known, readers if backend.parallel else 1, complete=listed is not None)
    found.read(subgraphs(roots) if listed is None else listed)
    if listed is None and not (record and never_ran(record, roots)):
        _read_unnamed(backend, thread_id, roots, found)
    return found.states, found.seen


class _Found:
    """The states of subgraphs, read namespace by namespace.

    Args:
        read: Reads a namespace.
        known: Namespaces that are not to be read.
        readers: How many are read side by side.
        complete: Whether the place lists all namespaces, so that none has to be guessed.

    Attributes:
        states: What was read.
        seen: The namespaces that are read by now.
    """

    def __init__(self, read: Read, known: Iterable[str], readers: int, *, complete: bool) -> None:
        self.states: list[State] = []
        self.seen = {"", *known}
        self._read, self._readers, self._complete = read, readers, complete
        self._apart = set[str]()

    def read(self, names: set[str]) -> None:
        """Read these namespaces, and those that their tasks name."""
        while names := names - self.seen:
            if not self._complete:
                self.seen |= {ns for ns in names if memory_of(ns) in self.seen}
            wave = _wave(names - self.seen, self._apart)
            for ns, answer in zip(wave, side_by_side(self._read, wave, self._readers), strict=True):
                names |= self._take(ns, answer)

    def _take(self, ns: str, answer: list[State]) -> set[str]:
        """Keep what is new of an answer; the namespaces that it leads to."""
        new = [state for state in answer if namespace(state) == ns or namespace(state) not in self.seen]
        self.seen |= {ns, *map(namespace, new)}
        self.states += new
        if all(namespace(state) == ns for state in new):
            self._apart.add(memory_of(ns))
        return set() if self._complete else subgraphs(new) | ({further_call(ns)} if new else set())


def _read_unnamed(backend: Backend, thread_id: str, roots: Sequence[State], found: _Found) -> None:
    """Read the subgraphs that no task names, as those that tools run, until no checkpoint of the thread is missing."""
    if not unnamed(roots) or (total := backend.n_checkpoints(thread_id)) is None:
        return
    while len(roots) + len(found.states) < total:
        names = [ns for ns in unnamed([*roots, *found.states]) if ns not in found.seen]
        if not names:
            return
        found.read(set(names[:AT_A_TIME]))


def _wave(unread: Iterable[str], apart: Container[str]) -> list[str]:
    """What can be read at a time: of tasks that may all have one memory, the first only."""
    first: dict[str, str] = {}
    for ns in sorted(unread):
        first.setdefault(ns if memory_of(ns) in apart else memory_of(ns), ns)
    return list(first.values())


def belonging(roots: Mapping[str, State], nested: Iterable[State], *, complete: bool) -> dict[str, State]:
    """The states of subgraphs by id, without those of tasks of checkpoints that were not read, or came later.

    Raises:
        ProtocolError: A checkpoint is there twice.
    """
    found: dict[str, State] = {}
    newest = max(roots, default="")
    for state in sorted(nested, key=id_of):
        id_, host = id_of(state), head_of(state).inside
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
    read = reading(backend, thread_id)
    fresh, _ = inside(backend, thread_id, [*roots.values(), *kept], read, settled, readers=AT_ONCE)
    return belonging(roots, [*kept, *fresh], complete=complete)


def subgraphs(states: Iterable[State]) -> set[str]:
    """The namespaces of the subgraphs that the tasks of these states ran."""
    tasks = (task for state in states for task in state["tasks"] or ())
    named = ((task.get("checkpoint") or {}).get("checkpoint_ns") for task in tasks)
    return {str(ns) for ns in named if ns}


def never_ran(record: Thread, roots: Iterable[State]) -> bool:
    """Whether no run ever worked on a thread, so that none of its tasks can have run a subgraph.

    A server writes the assistant of each run into the thread's record before the run begins, and the run's id into its
    checkpoints. A thread that was made by supersteps and updates has neither.
    """
    return "assistant_id" not in (record.get("metadata") or {}) and not any(map(_by_run, roots))


def _by_run(state: State) -> bool:
    metadata = state["metadata"] or {}
    return metadata.get("source") == "loop" or "run_id" in metadata


def unnamed(states: Iterable[State]) -> list[str]:
    """The namespaces of subgraphs that tasks may have run without naming them; pushed tasks, as tools are, first."""
    found: dict[str, bool] = {}
    for state in states:
        outer = f"{namespace(state)}|" if namespace(state) else ""
        for task in state["tasks"] or ():
            if task.get("id") and not task.get("checkpoint") and task.get("name") not in (None, START):
                found[f"{outer}{task['name']}:{task['id']}"] = (task.get("path") or [""])[0] == PUSH
    return sorted(found, key=lambda ns: not found[ns])


def memory_of(ns: str) -> str:
    """The namespace that a task's subgraph has if it keeps one memory for all tasks: the names of the nodes alone."""
    return "|".join(path_of(ns))


def further_call(ns: str) -> str:
    """The namespace of the next subgraph that the same task called: `a:1`, then `a:1|1`, `a:1|2`."""
    before, _, number = ns.rpartition("|")
    is_number = number.isdecimal() and len(number) <= MOST_DIGITS
    return f"{before}|{int(number) + 1}" if is_number else f"{ns}|1"


def older(backend: Backend, thread_id: str, known: Mapping[str, State], than: str) -> dict[str, State]:
    """Of the known states by id those older than a checkpoint, read again where they may have changed since."""
    changing = {id_ for id_ in unsettled(known.values()) if id_ < than}
    now = backend.states(thread_id, sorted(changing)) if changing else {}
    return {
        id_: now.get(id_, state) for id_, state in known.items() if id_ < than and (id_ in now or id_ not in changing)
    }


def unsettled(states: Iterable[State]) -> set[str]:
    """Of a thread as it was read, the checkpoints that may change: tips with a next, and where a task waits or failed.

    A tip that has run since then has children now, and the writes of its tasks; so what counts is what was known then.
    """
    states = list(states)
    parents = {(state["parent_checkpoint"] or {}).get("checkpoint_id") for state in states}
    found = set()
    for state in states:
        id_ = id_of(state)
        if state["next"] != [] and (id_ not in parents or any(map(_is_open, state["tasks"] or ()))):
            found.add(id_)
    return found


def _is_open(task: Mapping[str, Any]) -> bool:
    return task.get("result") is None and bool(task.get("interrupts") or task.get("error"))
