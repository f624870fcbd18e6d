"""Threads from one place to another: the whole tree, nothing twice, compared checkpoint by checkpoint."""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ..backends.base import Backend, Thread
from ..errors import ForkbookError, InvalidInput, Refused, ThreadNotFound
from ..escape import short
from .originals import Original, read
from .patience import Patience
from .reports import MigrateReport, Move
from .turns import INTERRUPTED, each
from .verifying import compared
from .writing import MARK, Writer, writer_for

CONFLICTS = ("skip", "compare", "new_id")
MOST_AT_ONCE = 64


def migrate(
    source: Backend,
    target: Backend,
    threads: Iterable[str] | None = None,
    *,
    dry_run: bool = False,
    limit: int | None = None,
    on_conflict: str = "skip",
    concurrency: int = 4,
    graph_id: str | None = None,
) -> MigrateReport:
    """Write threads of one backend to another; see `forkbook.migrate`."""
    if on_conflict not in CONFLICTS:
        raise InvalidInput(
            f"on_conflict is {short(on_conflict)}: there is {', '.join(CONFLICTS)}", candidates=CONFLICTS
        )
    if not (isinstance(concurrency, int) and 1 <= concurrency <= MOST_AT_ONCE):
        raise InvalidInput(f"concurrency is {short(concurrency)}: give 1 to {MOST_AT_ONCE} threads at a time")
    if limit is not None and not (isinstance(limit, int) and limit >= 0):
        raise InvalidInput(f"limit is {short(limit)}: give a number of threads, or leave it out")
    if isinstance(threads, str):
        raise InvalidInput(f"threads is a list of ids: give [{threads!r}]")
    if source.place == target.place and on_conflict != "new_id":
        raise InvalidInput(
            f"source and target are the same place, {target.address}: on_conflict new_id writes its threads there once "
            "more under new ids, copy copies one of them"
        )
    writer = writer_for(target, graph_id)
    wanted = Patience(source).read(lambda: list(_wanted(source, threads, limit)))
    ids = {str(record["thread_id"]) for record in wanted}
    others = frozenset[str]() if dry_run else Patience(target).read(lambda: writer.prepare(ids))
    mover = Mover(source, writer, on_conflict, dry_run, others)
    workers = concurrency if source.parallel and target.parallel else 1
    moves, stopped = each(mover.move, wanted, workers, "migrating threads")
    if stopped == INTERRUPTED:
        stopped = f"{stopped}; run again, it goes on"
    if not dry_run and stopped is None:
        with suppress(ForkbookError):  # the next run clears away, too
            Patience(target).read(lambda: writer.tidy(mover.run))
    return MigrateReport(
        f"{source.kind} {source.address}", f"{target.kind} {target.address}", tuple(moves), dry_run, stopped
    )


def _wanted(source: Backend, threads: Iterable[str] | None, limit: int | None) -> Iterator[Thread]:
    if threads is None:
        yield from source.threads(limit=limit)
    else:
        yield from ({"thread_id": thread_id} for thread_id in list(dict.fromkeys(threads))[:limit])


class Mover:
    """Moves one thread after the other, each by itself.

    Args:
        source: Where they are.
        writer: Writes them to the target.
        on_conflict: What to do where another thread has the id.
        dry_run: Whether to write nothing.
        others: The names of other migrations that are at work there.

    Attributes:
        run: A name for this migration; its marks bear it.
    """

    def __init__(
        self, source: Backend, writer: Writer, on_conflict: str, dry_run: bool, others: Collection[str] = ()
    ) -> None:
        self._source, self._writer, self._on_conflict, self._dry_run = source, writer, on_conflict, dry_run
        self._others = others
        self._reads, self._looks = Patience(source), Patience(writer.backend)
        self.run = uuid.uuid4().hex

    def move(self, record: Thread) -> Move:
        """What becomes of a thread."""
        thread_id = str(record["thread_id"])
        if "metadata" not in record:
            record = self._reads.read(lambda: self._source.thread(thread_id))
        new_id = self._writer.new_id(thread_id)
        there = self._look(new_id)
        if there is None and self._dry_run:
            return Move(thread_id, new_id, "planned")
        mark = _mark(there)
        if (
            there is not None
            and mark.get("of") == thread_id
            and mark.get("state") == "done"
            and self._unchanged(record, mark)
        ):
            return Move(thread_id, new_id, "already there", mark.get("verdict"), mark.get("checkpoints"))
        original = self._reads.read(lambda: read(self._source, record))
        if there is None or self._is_ours(original, mark):
            return self._written(original, new_id, there)
        left = self._writer.left(original, new_id) if mark.get("of") in (None, thread_id) else None
        if left:
            return self._written(original, new_id, _unfinished(there))
        if left == 0:
            return self._proven(original, new_id, "already there")
        return self._settled(original, new_id, there)

    def _look(self, thread_id: str) -> Thread | None:
        """What is there under an id; what a server lost of a finished thread when it was killed is to be written."""
        try:
            there = self._looks.read(lambda: self._writer.backend.thread(thread_id))
        except ThreadNotFound:
            return None
        mark = _mark(there)
        if mark.get("state") == "done" and (head := mark.get("head")) and (self._newest(thread_id) or "") < head:
            return _unfinished(there)
        return there

    def _newest(self, thread_id: str) -> str | None:
        """The id of a thread's newest checkpoint at the target."""
        state = self._looks.read(lambda: self._writer.backend.state(thread_id))
        return str(state["checkpoint"]["checkpoint_id"]) if state else None

    def _unchanged(self, record: Thread, mark: Mapping[str, Any]) -> bool:
        """Whether a thread surely is what it was when it was imported, and nobody wants to see that proven."""
        known = record.get("updated_at")
        return self._on_conflict != "compare" and known is not None and known == mark.get("updated_at")

    def _is_ours(self, original: Original, mark: Mapping[str, Any]) -> bool:
        """Whether what is there was begun by a migration of this thread, or done by one of this very content."""
        if mark.get("of") != original.thread_id:
            return False
        return mark.get("state") == "writing" or mark.get("digest") == original.digest

    def _written(self, original: Original, new_id: str, there: Thread | None) -> Move:
        """Write a thread, or the rest of it, unless it is there whole; then compare."""
        done = _mark(there).get("state") == "done"
        outcome = "already there" if done else "created"
        if self._dry_run and not done:
            return Move(original.thread_id, new_id, "planned", checkpoints=len(original.states))
        if not done and _mark(there).get("by") in self._others:
            raise Refused(f"another migration is writing thread {new_id}: run again when it is done")
        notes: tuple[str, ...] = ()
        mark = {
            "of": original.thread_id,
            "at": new_id,
            "digest": original.digest,
            "updated_at": original.record.get("updated_at"),
            "by": self.run,
            "state": "writing",
        }
        if not done:
            if "head" in _mark(there):  # it was done once, and its server says so still
                self._looks.read(lambda: self._writer.backend.tag(new_id, {MARK: mark}))
            notes = self._writer.write(original, new_id, {**original.metadata, MARK: mark})
        move = self._proven(original, new_id, outcome)
        if not done and not self._dry_run:
            kept = {"state": "done", "verdict": move.verdict, "checkpoints": move.checkpoints}
            kept["head"] = self._newest(new_id)
            self._looks.read(lambda: self._writer.backend.tag(new_id, {MARK: mark | kept}))
        return replace(move, not_kept={**move.not_kept, **dict.fromkeys(notes, 1)})

    def _proven(self, original: Original, new_id: str, outcome: str) -> Move:
        """Read the target back and compare."""
        backend = self._writer.backend
        rebuilt = self._looks.read(lambda: read(backend, backend.thread(new_id)))
        found = compared(original, rebuilt)
        reason = found.reason if found.verdict == "differs" else None
        return Move(
            original.thread_id,
            new_id,
            outcome,
            found.verdict,
            len(original.states),
            found.differences,
            found.not_kept,
            reason,
        )

    def _settled(self, original: Original, new_id: str, there: Thread) -> Move:
        """What becomes of a thread whose id another one has."""
        was_ours = _mark(there).get("of") == original.thread_id
        reason = (
            f"thread {new_id} was migrated from an earlier state of this thread, or from another place"
            if was_ours
            else f"another thread has the id {new_id}, or this one with another content"
        )
        if self._on_conflict == "skip":
            return Move(original.thread_id, None, "conflict", None, len(original.states), reason=reason)
        if self._on_conflict == "compare":
            move = self._proven(original, new_id, "already there")
            return move if move else replace(move, outcome="conflict", reason=f"{reason}, and differs")
        other = str(uuid.uuid5(uuid.NAMESPACE_URL, f"forkbook/thread/{original.thread_id}/{original.digest}"))
        taken = self._look(other)
        if taken is not None and not self._is_ours(original, _mark(taken)):
            return Move(original.thread_id, None, "conflict", reason=f"{reason}, and another one {other}")
        return self._written(original, other, taken)


def _unfinished(there: Thread) -> Thread:
    """A thread of which something is yet to be written."""
    return {**there, "metadata": {**(there.get("metadata") or {}), MARK: {**_mark(there), "state": "writing"}}}


def _mark(record: Thread | None) -> Mapping[str, Any]:
    """The mark of a migration in a thread's metadata; empty where there is none."""
    found = ((record or {}).get("metadata") or {}).get(MARK)
    return found if isinstance(found, Mapping) else {}
