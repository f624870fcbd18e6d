"""Copy a thread at its place, prove the copy checkpoint by checkpoint, and find the copies again."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context
from datetime import datetime
from threading import Event
from typing import Any

from ..acts.leftovers import naming_a_lost_copy
from ..aio import given_up
from ..backends.capabilities import Capability
from ..backends.contract import Backend
from ..backends.gather import read_whole
from ..backends.retry import RETRYABLE, Retry
from ..columns import BOOL, TEXT, TIME, Columns, Row
from ..errors import ActFailed, ForkbookError, InvalidInput, ThreadBusy, ThreadNotFound
from ..frames import THREADS, threads_rows
from ..marks import COPY, COPY_OF, IMPORT, checked_metadata, copy_mark, mark_of_copy, original_of
from ..model.states import State, Thread, key_of
from ..model.text import visible_lines
from ..snippets import place_of
from .equality import Difference, differences
from .original import pruned
from .outcome import CopyReport

STATUS = (
    "the original's status is {!r}, the copy's {!r}: servers copy the checkpoints, not the status; an open interrupt "
    "can still be answered"
)
RECORD = "{} of the thread's record: empty in the copy until its first run; its checkpoints have them"
RUNS = "the records of runs: its checkpoints bear the ids of runs that are kept under the original alone"
OWN_ID = "the thread's own id inside {}: the server wrote the copy's id in its place"
LATER = "checkpoints that came to the original after it was copied"
UNHELD = (
    "that it is a copy, and what metadata it has: checkpointers keep none, so they last as long as the book is open"
)


def copy_thread(
    backend: Backend, thread_id: str, metadata: Mapping[str, Any] | None = None, verify: bool = True
) -> CopyReport:
    """Copy a thread with all its branches, read both histories back whole, and compare them.

    Args:
        backend: Where it is.
        thread_id: The thread.
        metadata: Merged into the metadata that the copy has from the original.
        verify: Whether to compare.

    Raises:
        ThreadBusy: A run is under way.
        ForkbookError: It failed. The copy was deleted, or the error names it: `details["new_thread_id"]`.
    """
    given = checked_metadata(metadata)
    backend.require(Capability.WRITE, "copy a thread")
    backend.must_hold_copies()
    ask = Retry().read
    before = ask(lambda: backend.thread(thread_id))
    if before.get("status") == "busy":
        raise ThreadBusy(f"thread {thread_id} is busy with a run: copy it when the run has ended", thread_id=thread_id)
    thread_id = str(before["thread_id"])
    copy_id = made(backend, before)
    tags = (
        given | mark_of_copy(thread_id, copy_id) | ({IMPORT: None} if IMPORT in (before.get("metadata") or {}) else {})
    )
    with whole_or_gone(backend, copy_id):
        ask(lambda: backend.tag(copy_id, tags))
        after = ask(lambda: backend.thread(copy_id))
        lost = _lost_by_the_record(before, after)
        if not verify:
            return CopyReport(thread_id, copy_id, "not compared", not_kept=lost, place=place_of(backend))
        old, new = both(backend, (thread_id, copy_id))
        found, more = _compared(old, new, thread_id, after)
        more |= pruned(old)
        if Capability.CREATE in backend.capabilities and any((state["metadata"] or {}).get("run_id") for state in old):
            more[RUNS] = 1
        verdict, compared = "differs" if found else "identical", len(old) - more.get(LATER, 0)
        return CopyReport(thread_id, copy_id, verdict, compared, found, lost | more, place=place_of(backend))


def _compared(
    old: Sequence[State], new: Sequence[State], thread_id: str, record: Thread
) -> tuple[tuple[Difference, ...], dict[str, int]]:
    """Where a thread and its copy differ; and where they do for a reason that is no fault of the copy."""
    copy_id, later = record["thread_id"], _later(old, new, record)
    late = {key_of(state) for state in later}
    grown = {(state["parent_checkpoint"] or {}).get("checkpoint_id") for state in later}
    found, explained = [], Counter({LATER: len(later)} if later else {})
    for difference in differences([state for state in old if key_of(state) not in late], new, thread_id, copy_id):
        if _is_own_id(difference, thread_id, copy_id):
            explained[
                OWN_ID.format("tasks" if difference.field.startswith("tasks") else "metadata of checkpoints")
            ] += 1
        elif difference.checkpoint_id not in grown or not difference.field.startswith(("tasks", "interrupts")):
            found.append(difference)
    return tuple(found), dict(explained)


def _lost_by_the_record(before: Thread, after: Thread) -> dict[str, int]:
    """What the record of a thread says that its copy's does not."""
    if after.get("status") is None:
        return {UNHELD: 1}
    statuses = before.get("status"), after.get("status")
    empty = [name for name in ("values", "interrupts") if before.get(name) and not after.get(name)]
    lost = {STATUS.format(*statuses): 1} if statuses[0] != statuses[1] else {}
    return lost | ({RECORD.format(" and ".join(empty)): 1} if empty else {})


def _later(old: Sequence[State], new: Sequence[State], record: Thread) -> list[State]:
    """The original's states that are younger than the copy, where the place has one clock for both."""
    if record.get("status") is None:
        return []
    made_at, held = datetime.fromisoformat(record["created_at"]), set(map(key_of, new))
    missing = [state for state in old if key_of(state) not in held]
    return [state for state in missing if state["created_at"] and datetime.fromisoformat(state["created_at"]) > made_at]


def _is_own_id(difference: Difference, thread_id: str, copy_id: str) -> bool:
    """Whether the only difference is that a server wrote the copy's id where the original's stood, values aside."""
    a, b = difference.original, difference.copied
    return (
        difference.field.startswith(("metadata.", "tasks["))
        and isinstance(a, str)
        and thread_id in a
        and a.replace(thread_id, copy_id) == b
    )


GONE = "The half-made copy, thread {}, was deleted."
LEFT = (
    "The half-made copy, thread {}, could not be deleted ({}): delete it, book.backend.delete({!r}), once that works."
)


@contextmanager
def whole_or_gone(backend: Backend, copy_id: str) -> Iterator[None]:
    """A block that makes a copy whole; if it fails, or the caller has stopped waiting for it, the copy is deleted.

    What it raised says so, or names the copy that could not be deleted (`details["new_thread_id"]`).
    """
    try:
        yield
        if given_up():
            raise ActFailed(f"the caller has stopped waiting for copy {copy_id}")
    except BaseException as error:
        try:
            _delete(backend, copy_id)
            _tell(error, GONE.format(copy_id))
        except (Exception, KeyboardInterrupt) as fault:
            reason = str(fault) or type(fault).__name__
            _tell(error, LEFT.format(copy_id, reason, copy_id), copy_id)
        raise


def _delete(backend: Backend, copy_id: str) -> None:
    def deleted() -> None:
        try:
            backend.delete(copy_id)
        except ThreadNotFound:
            return  # it never came to be, or an earlier try did it

    context = Context()  # a loop that cancelled what it waited for takes nothing more from here
    context.run(Retry(tries=3).read, deleted) if given_up() else Retry(tries=3).read(deleted)


def made(backend: Backend, record: Thread) -> str:
    """The id of a new copy by the place itself; the request is never made twice, unless it was refused as too many."""
    with naming_a_lost_copy(backend, record["thread_id"]):
        for wait in Retry().again():
            try:
                return backend.copy(record["thread_id"])
            except RETRYABLE as error:
                if error.details.get("status") != 429:
                    raise
                wait(error)
    raise AssertionError("the last wait raises")


def both(backend: Backend, thread_ids: tuple[str, str]) -> list[list[State]]:
    """The states of two threads, all namespaces; read side by side where the place allows it."""
    stopped = Event()

    def read(thread_id: str) -> list[State]:
        return Retry().read(lambda: read_whole(backend, thread_id, stopped=stopped).states)

    if not backend.parallel:
        return [read(thread_id) for thread_id in thread_ids]
    pool = ThreadPoolExecutor(len(thread_ids), thread_name_prefix="forkbook-copy")
    try:
        return list(pool.map(read, thread_ids))
    finally:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)


def _tell(error: BaseException, words: str, left: str | None = None) -> None:
    """Let an error say what became of the copy."""
    if isinstance(error, ForkbookError):
        error.args = (visible_lines(f"{error} {words}"), *error.args[1:])
        if left is not None:
            error.details["new_thread_id"] = left
    else:
        error.add_note(visible_lines(words))


def copies(backend: Backend, thread_id: str) -> Iterator[tuple[Thread, Mapping[str, Any]]]:
    """The records of the copies of a thread, newest first, each with its mark, which is empty where it bears none."""
    seen = set()
    for search in ({COPY_OF: thread_id}, {COPY: {"at": thread_id}}):
        for record in _search(backend, search):
            metadata = record.get("metadata") or {}
            if record["thread_id"] not in seen and original_of(record["thread_id"], metadata) == thread_id:
                seen.add(record["thread_id"])
                mark = copy_mark(metadata)
                yield record, mark if mark.get("at") == record["thread_id"] else {}


COPIES: Columns = {**THREADS, "copied_at": TIME, "checkpoint_id": TEXT, "whole": BOOL}


def copies_rows(backend: Backend, thread_id: str) -> list[Row]:
    """One row per copy of a thread, newest first: the columns of `COPIES`.

    Raises:
        ThreadNotFound: There is neither such a thread nor a copy of one.
    """
    found = list(copies(backend, thread_id))
    if not found:
        known = str(backend.thread(thread_id)["thread_id"])  # raises where there is no such thread
        found = [] if known == thread_id else list(copies(backend, known))
    return list(threads_rows([{**mark, "whole": mark.get("state") != "writing", **record} for record, mark in found]))


def _search(backend: Backend, metadata: Mapping[str, Any]) -> Iterator[Thread]:
    try:
        yield from backend.threads(metadata=metadata)
    except InvalidInput:  # a place that cannot search
        yield from backend.threads()
