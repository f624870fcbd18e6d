"""Threads read whole for an export, several side by side: each as it was at one moment, in the order of the list."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..errors import AccessDenied, ConnectionFailed, ForkbookError, InvalidInput, SourceError, ThreadNotFound
from ..model.redaction import thread_without_secrets
from ..model.states import State, Thread, head_of
from ..model.tree import had_a_parent
from .contract import Backend
from .read import inside
from .readers import Readers

READERS = 6  # threads read side by side from a place that allows it
LINES_BROKEN = 2  # threads in a row that cannot be reached: the place is gone
Ask = Callable[[Callable[[], Any]], Any]
Waiting = Callable[[], float | None]
Read = tuple[Any, str | None]  # of a thread as it was read: `updated_at` of its record, and its head


@dataclass(frozen=True, slots=True)
class Gathered:
    """One thread, whole: what it had when its newest page was read.

    Attributes:
        thread_id: The thread.
        record: Its record.
        states: Its states of all namespaces, each namespace newest first.
        namespaces: These.
        dangling: Parents that the place itself does not have.
        pruned: Whether older checkpoints are missing, by the steps of its roots.
        later: Checkpoints that were seen to come after the head that was read, and are left out.
        error: Why it could not be read; then the rest is empty.
        gone: Whether that is because it was deleted after it was listed.
        left_out: Names of the secrets that are not among it.
    """

    thread_id: str
    record: Thread = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    namespaces: frozenset[str] = frozenset()
    dangling: tuple[str, ...] = ()
    pruned: bool = False
    later: int = 0
    error: ForkbookError | None = None
    gone: bool = False
    left_out: tuple[str, ...] = ()

    def without_secrets(self) -> "Gathered":
        """It without the secrets in its settings and metadata."""
        record, states, names = thread_without_secrets(self.record, self.states)
        return replace(self, record=record, states=states, left_out=names) if names else self

    @property
    def head(self) -> str | None:
        """The newest checkpoint of the root namespace."""
        return max((place(state)[1] for state in self.states if not place(state)[0]), default=None)


def place(state: State) -> tuple[str, str]:
    """Namespace and id of a state's checkpoint."""
    checkpoint = state["checkpoint"]
    return str(checkpoint.get("checkpoint_ns") or ""), str(checkpoint["checkpoint_id"])


def at_once(ask: Callable[[], Any]) -> Any:
    """The answer of a request that is made once."""
    return ask()


def gather(
    backend: Backend,
    thread_ids: Iterable[str] | None = None,
    *,
    readers: int | None = None,
    ask: Ask = at_once,
    waiting: Waiting = lambda: None,
    secrets: bool = False,
) -> tuple[int, Iterator[Gathered]]:
    """Threads, whole, one after the other in the order of the list; some are read ahead, side by side.

    Args:
        backend: Where they are.
        thread_ids: Which ones; None for all.
        readers: How many are read at a time, and held ahead; by default `READERS`, or 1 where a place allows no more.
        ask: Makes a request, and makes it again where that may help.
        waiting: Called before the next thread is waited for; gives the seconds until it is to be called again.
        secrets: Whether the secrets in settings and metadata are among it.

    Returns:
        How many there are, and the threads.

    Raises:
        InvalidInput: The ids are no list of ids, or no thread can be read at a time.
        ConnectionFailed, AccessDenied: The place is gone: two threads in a row could not be reached.
    """
    if isinstance(thread_ids, str):
        raise InvalidInput(f"threads is a list of ids: give [{thread_ids!r}]")
    if readers is not None and not (isinstance(readers, int) and readers >= 1):
        raise InvalidInput(f"readers is {readers!r}: give 1 or more threads to be read side by side")
    if thread_ids is None:
        listed = ask(lambda: list(backend.threads()))
        wanted: list[tuple[str, Thread | None]] = [(thread["thread_id"], thread) for thread in listed]
    else:
        wanted = [(thread_id, None) for thread_id in dict.fromkeys(thread_ids)]
    number = (readers or READERS) if backend.parallel else 1
    found = _while_reachable(_in_order(backend, wanted, number, ask, waiting))
    return len(wanted), found if secrets else map(Gathered.without_secrets, found)


def _in_order(
    backend: Backend,
    wanted: list[tuple[str, Thread | None]],
    readers: int,
    ask: Ask,
    waiting: Waiting,
) -> Iterator[Gathered]:
    stopped = threading.Event()
    if readers == 1:
        for thread_id, record in wanted:
            waiting()
            yield _gathered(backend, thread_id, record, ask, stopped)
        return
    pool = Readers(min(readers, len(wanted)))
    ahead: deque[Future[Gathered]] = deque()
    try:
        for thread_id, record in wanted:
            ahead.append(pool.submit(partial(_gathered, backend, thread_id, record, ask, stopped)))
            if len(ahead) > 2 * readers:
                yield _next(ahead, waiting)
        while ahead:
            yield _next(ahead, waiting)
    finally:
        stopped.set()
        for future in ahead:
            future.cancel()
        pool.close()


def _next(ahead: deque[Future[Gathered]], waiting: Waiting) -> Gathered:
    future = ahead.popleft()
    while not future.done():
        wait([future], timeout=waiting())
    return future.result()


def _while_reachable(threads: Iterator[Gathered]) -> Iterator[Gathered]:
    broken = 0
    for thread in threads:
        error = thread.error
        gone = isinstance(error, ConnectionFailed) or (isinstance(error, AccessDenied) and error.everywhere)
        broken = broken + 1 if gone else 0
        if broken == LINES_BROKEN and thread.error is not None:
            raise thread.error
        yield thread


def _gathered(backend: Backend, thread_id: str, record: Thread | None, ask: Ask, stopped: threading.Event) -> Gathered:
    try:
        found: Gathered = ask(partial(read_whole, backend, thread_id, record, stopped))
        return found
    except ThreadNotFound as error:
        if _is_there(backend, thread_id, ask):
            return Gathered(thread_id, error=_unforeseen(thread_id, backend, error))
        return Gathered(thread_id, error=error, gone=record is not None)
    except ForkbookError as error:
        return Gathered(thread_id, error=error)
    except Exception as error:  # whatever it is, the other threads can be read
        return Gathered(thread_id, error=_unforeseen(thread_id, backend, error))


def _is_there(backend: Backend, thread_id: str, ask: Ask) -> bool:
    """Whether a thread may still be there whose history was not found."""
    try:
        return _found(backend, thread_id, ask) is not None
    except ForkbookError:
        return True


def _unforeseen(thread_id: str, backend: Backend, error: Exception) -> SourceError:
    told = SourceError(
        f"thread {thread_id} of {backend.kind} {backend.address} cannot be read: {type(error).__name__}: {error}",
        thread_id=thread_id,
    )
    told.__cause__ = error
    return told


def read_whole(
    backend: Backend, thread_id: str, record: Thread | None = None, stopped: threading.Event | None = None
) -> Gathered:
    """A thread with every namespace, and nothing that is newer than the head of its first page.

    Every page of a namespace is older than the one before, so what is written meanwhile does not come in. Namespaces of
    subgraphs are read after the root's: if the thread has moved on by then, what came after that is left out of them.
    """
    record = record or backend.thread(thread_id)
    read = partial(_namespace, backend, thread_id, stopped)
    roots, later = read(""), 0
    nested, seen = inside(backend, thread_id, roots, read, record=record)
    states = roots + nested
    if len(seen) > 1 and backend.is_live:
        came = _came_after(backend, thread_id, max((place(state)[1] for state in roots), default=""))
        kept = [state for state in states if not came or place(state)[1] < min(came)]
        later, states = len(came) + len(states) - len(kept), kept
    if not states:
        record = backend.thread(thread_id)  # tells a thread without checkpoints from one that is gone
    roots = list(_roots(states))
    return Gathered(
        thread_id,
        record,
        states,
        frozenset(seen),
        tuple(parent for state in roots if (parent := _parent(state))),
        any(had_a_parent(head_of(state)) for state in roots),
        later,
    )


def _namespace(backend: Backend, thread_id: str, stopped: threading.Event | None, ns: str) -> list[State]:
    states: list[State] = []
    for page in backend.pages(thread_id, ns=ns):
        if stopped is not None and stopped.is_set():
            break  # the caller has stopped
        states += page
    return states


def _came_after(backend: Backend, thread_id: str, head: str) -> list[str]:
    """The checkpoints of the root namespace that are newer than a head."""
    newer: list[str] = []
    for page in backend.pages(thread_id, page_size=10):
        ids = [place(state)[1] for state in page]
        newer += [id_ for id_ in ids if id_ > head]
        if not ids or min(ids) <= head:
            break
    return newer


def moved_on(backend: Backend, heads: Mapping[str, Read], ask: Ask = at_once, *, listed: bool = True) -> dict[str, int]:
    """How many checkpoints came to threads of a live place since they were read; only threads that gained some.

    Args:
        backend: The place.
        heads: The threads as they were read.
        ask: Makes a request.
        listed: Whether to list all threads once, not to ask for each of them.
    """
    if not backend.is_live or not heads:
        return {}
    now = (
        {thread["thread_id"]: thread for thread in ask(lambda: list(backend.threads()))}
        if listed
        else {id_: thread for id_ in heads if (thread := _found(backend, id_, ask))}
    )
    counts = {}
    for id_, (then, head) in heads.items():
        if id_ in now and (then is None or now[id_].get("updated_at") != then):
            counts[id_] = len(ask(partial(_came_after, backend, id_, head or "")))
    return {id_: count for id_, count in counts.items() if count}


def _found(backend: Backend, thread_id: str, ask: Ask) -> Thread | None:
    try:
        found: Thread = ask(lambda: backend.thread(thread_id))
        return found
    except ThreadNotFound:
        return None


def _roots(states: list[State]) -> Iterator[State]:
    """States whose parents are not among them."""
    known = {place(state) for state in states}
    return (state for state in states if (place(state)[0], _parent(state)) not in known)


def _parent(state: State) -> str:
    return str((state["parent_checkpoint"] or {}).get("checkpoint_id") or "")
