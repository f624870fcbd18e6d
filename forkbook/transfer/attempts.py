"""Copies that come to be whole, or are gone again, or are named by the error."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context
from itertools import islice
from threading import Event

from ..aio import given_up
from ..backends.contract import Backend
from ..backends.gather import read_whole
from ..backends.retry import LOST, Patience
from ..errors import ActFailed, ForkbookError, ThreadNotFound
from ..model.states import State, Thread

GONE = "The half-made copy, thread {}, was deleted."
LEFT = (
    "The half-made copy, thread {}, could not be deleted ({}): delete it, book.backend.delete({!r}), once that works."
)
PERHAPS = "The server may have made the copy all the same: {}."
LOOKED = 10  # of the newest threads


@contextmanager
def whole_or_gone(backend: Backend, copy_id: str) -> Iterator[None]:
    """A block that makes a copy whole; if it fails, or nobody waits for it any more, the copy is deleted.

    What it raised says so, or names the copy that could not be deleted (`details["new_thread_id"]`).
    """
    try:
        yield
        if given_up():
            raise ActFailed(f"nobody waits any more for copy {copy_id}")
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
    context.run(Patience(backend, tries=3).read, deleted) if given_up() else Patience(backend, tries=3).read(deleted)


def made(backend: Backend, record: Thread) -> str:
    """The id of a new copy by the place itself; the request is never made twice, unless it was refused as too many."""
    for wait in Patience(backend).again():
        try:
            return backend.copy(record["thread_id"])
        except BaseException as error:
            if isinstance(error, LOST) and error.details.get("status") == 429:
                wait(error)
                continue
            if isinstance(error, (*LOST, KeyboardInterrupt)) and "create" in backend.abilities:
                _tell(error, PERHAPS.format(_suspects(backend, record)))
            raise
    raise AssertionError("the last wait raises")


def _suspects(backend: Backend, record: Thread) -> str:
    """In words, the newest threads that look like a copy whose maker never learned its id."""
    try:
        head = _head(backend, record["thread_id"])
        newest = list(islice(backend.threads(limit=LOOKED), LOOKED))
        found = [
            each["thread_id"]
            for each in newest
            if each["thread_id"] != record["thread_id"]
            and (each["metadata"], each["updated_at"]) == (record["metadata"], each["created_at"])
            and _head(backend, each["thread_id"]) == head
        ]
    except ForkbookError:
        return f"look at the newest of book.threads(limit={LOOKED}) when it answers again, and delete the copy"
    if not found:
        return f"none of its {LOOKED} newest threads looks like it now"
    return f"thread {' or '.join(found)} looks like it; book.backend.delete(…) deletes it"


def _head(backend: Backend, thread_id: str) -> str | None:
    state = backend.state(thread_id)
    return None if state is None else str(state["checkpoint"]["checkpoint_id"])


def both(backend: Backend, thread_ids: tuple[str, str]) -> list[list[State]]:
    """The states of two threads, all namespaces; read side by side where the place allows it."""
    stopped = Event()

    def read(thread_id: str) -> list[State]:
        return Patience(backend).read(lambda: read_whole(backend, thread_id, stopped=stopped).states)

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
        error.args = (f"{error} {words}", *error.args[1:])
        if left is not None:
            error.details["new_thread_id"] = left
    else:
        error.add_note(words)
