"""Scratch copies that were left behind: those whose maker never learned their id, found again; and the list of all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice

from ..backends.capabilities import Capability
from ..backends.contract import Backend
from ..backends.retry import RETRYABLE
from ..columns import TEXT, TIME, Columns, Row
from ..errors import ForkbookError
from ..frames import THREADS, threads_rows
from ..marks import OURS, PERHAPS_SCRATCH, SCRATCH_OF, SCRATCH_SINCE, is_scratch, mark_of_scratch
from ..model.states import Thread, id_of
from ..model.text import visible_lines
from .now import state_now

LEFTOVERS: Columns = {**THREADS, "mark": TEXT, "copy_of": TEXT, "since": TIME}
LOOKED = 10  # of the newest threads
CLOCKS = timedelta(minutes=5)  # by which the clocks of this machine and of a server may differ
PERHAPS = "The server may have made the copy all the same: {}."


@contextmanager
def naming_a_lost_copy(backend: Backend, thread_id: str) -> Iterator[None]:
    """A block that asks for a copy; where the answer is lost, the error names the thread that may be the copy."""
    begun = datetime.now(UTC)
    try:
        yield
    except (*RETRYABLE, KeyboardInterrupt) as error:
        if Capability.CREATE in backend.capabilities:
            words = PERHAPS.format(_lost_copy(backend, thread_id, begun - CLOCKS))
            _add(error, words)
        raise


def _add(error: BaseException, words: str) -> None:
    if not isinstance(error, ForkbookError):
        error.add_note(visible_lines(words))
        return
    error.add(words)
    if "said" in error.details:  # what other errors repeat of it
        error.details["said"] = f"{str(error.details['said']).rstrip('.')}. {words}"


def _lost_copy(backend: Backend, thread_id: str, since: datetime) -> str:
    """In words, which threads may be the copy; if it is only one, it is marked."""
    try:
        found = list(_like_a_copy(backend, thread_id, since))
        if not found:
            return f"none of its {LOOKED} newest threads looks like it now"
        if len(found) > 1:
            return f"threads {' and '.join(found)} look like it; book.backend.delete(…) deletes one"
        backend.tag(found[0], mark_of_scratch(thread_id) | PERHAPS_SCRATCH)
    except ForkbookError:
        return f"look at the newest of book.threads(limit={LOOKED}) when it answers again, and delete the copy"
    return (
        f"thread {found[0]} looks like it and is marked as {PERHAPS_SCRATCH[OURS]!r} now; book.leftovers() lists it, "
        "and with delete=True deletes it"
    )


def _like_a_copy(backend: Backend, thread_id: str, since: datetime) -> Iterator[str]:
    """The threads made since then, without a mark or a run, with the same metadata and head as a thread."""
    record, head = backend.thread(thread_id), _head(backend, thread_id)
    for each in islice(backend.threads(limit=LOOKED), LOOKED):
        if (
            each["thread_id"] != record["thread_id"]
            and each["created_at"] is not None
            and datetime.fromisoformat(each["created_at"]) >= since
            and (each["metadata"], each["updated_at"]) == (record["metadata"], each["created_at"])
            and _head(backend, each["thread_id"]) == head
        ):
            yield each["thread_id"]


def _head(backend: Backend, thread_id: str) -> str | None:
    state = state_now(backend, thread_id)
    return None if state is None else id_of(state)


def leftovers(backend: Backend, *, delete: bool = False) -> list[Row]:
    """One row per thread that is marked as a scratch copy: the columns of `LEFTOVERS`.

    Args:
        backend: Where they are.
        delete: Delete them; the rows are those that were there before.
    """
    marked = [*backend.scratches(), *backend.scratches(perhaps=True)]
    found = [record for record in marked if _is_marked(record)]
    if delete:
        for record in found:
            backend.delete(record["thread_id"])
    rows = [record | _told_by_its_mark(record) for record in found]
    return list(threads_rows(rows))


def _is_marked(record: Thread) -> bool:
    metadata = record.get("metadata") or {}
    return is_scratch(metadata) or metadata.get(OURS) == PERHAPS_SCRATCH[OURS]


def _told_by_its_mark(record: Thread) -> dict[str, object]:
    metadata = record["metadata"]
    return {"mark": metadata[OURS], "copy_of": metadata.get(SCRATCH_OF), "since": metadata.get(SCRATCH_SINCE)}
