"""Threads from one place to another: the whole tree, nothing twice, compared checkpoint by checkpoint."""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..backends.capabilities import Capability
from ..backends.contract import Backend
from ..backends.retry import Retry
from ..backends.wire import own
from ..errors import ForkbookError, InvalidInput, Refused, ThreadBusy, ThreadNotFound, Unsupported
from ..marks import IMPORT, import_mark
from ..model.edits import plain
from ..model.redaction import thread_without_secrets
from ..model.states import State, Thread
from ..model.text import short
from .each_thread import each
from .original import Original, known_part, pruned, read
from .outcome import MigrateReport, Move
from .target import Writer
from .to_checkpointer import CheckpointerTarget
from .to_server import ServerTarget
from .verify import SERVERS_OWN, compared

CONFLICTS = ("skip", "compare", "new_id")
MOST_AT_ONCE = 64
GONE_ON = "the thread has new checkpoints there since it was migrated, so it was not compared again"


def migrate(
    source: Backend,
    target: Backend,
    threads: Iterable[str] | None = None,
    *,
    dry_run: bool = False,
    limit: int | None = None,
    on_conflict: str = "skip",
    concurrency: int = 4,
    assistant: str | None = None,
    secrets: bool = False,
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
    writer = writer_for(target, assistant)
    wanted = Retry().read(lambda: list(_wanted(source, threads, limit)))
    ids = {str(record["thread_id"]) for record in wanted}
    dead = None if dry_run else Retry().read(lambda: writer.prepare(ids))
    mover = Mover(source, writer, on_conflict, dry_run, dead, secrets)
    workers = concurrency if source.parallel and target.parallel else 1
    turns = each(mover.move, wanted, workers, "migrating threads")
    stopped = "interrupted; run again, it goes on" if turns.interrupted else turns.unreachable
    if not dry_run and stopped is None:
        with suppress(ForkbookError):  # the next run clears away, too
            Retry().read(lambda: writer.tidy(mover.run))
    origin, destination = (f"{place.kind} {place.address}" for place in (source, target))
    return MigrateReport(origin, destination, turns.moves, dry_run, stopped, turns.interrupted)


def writer_for(backend: Backend, assistant: str | None = None) -> Writer:
    """The writer for a target.

    Args:
        backend: The target.
        assistant: Assistant id or graph name for threads whose own metadata names none; for a server.

    Raises:
        Unsupported: Nothing can be written there.
    """
    if Capability.CREATE in backend.capabilities:
        return ServerTarget(backend, assistant)
    if Capability.PLANT in backend.capabilities:
        backend.must_hold_copies()
        return CheckpointerTarget(backend)
    raise Unsupported(
        f"threads cannot be written to {backend.kind} {backend.address}: an Agent Server, fb.connect('http://…'), or a "
        "compiled graph with its checkpointer, fb.connect(graph), takes them; book.export() writes an archive"
    )


def _wanted(source: Backend, threads: Iterable[str] | None, limit: int | None) -> Iterator[Thread]:
    if threads is None:
        yield from source.threads(limit=limit)
    else:
        yield from ({"thread_id": thread_id} for thread_id in list(dict.fromkeys(threads))[:limit])


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands at the target under an id.

    Attributes:
        record: The thread.
        newest: The id of its newest checkpoint, where a migration said that the thread is done.
    """

    record: Thread
    newest: str | None = None

    @property
    def mark(self) -> Mapping[str, Any]:
        """The mark of a migration in its metadata; empty where there is none."""
        return import_mark(self.record.get("metadata"))

    @property
    def half(self) -> bool:
        """Whether a migration began it, and did not say that it is done."""
        return self.mark.get("state") == "writing"

    @property
    def done(self) -> bool:
        """Whether a migration wrote all of it, and it is still there: a server that is killed loses the newest."""
        return self.mark.get("state") == "done" and (self.newest or "") >= (self.mark.get("head") or "")

    @property
    def untouched(self) -> bool:
        """Whether it has no new checkpoints since then."""
        return self.done and self.newest == self.mark.get("head")


class Mover:
    """Moves one thread after the other, each by itself.

    Args:
        source: Where they are.
        writer: Writes them to the target.
        on_conflict: What to do where another thread has the id.
        dry_run: Whether to write nothing.
        dead: The names of other migrations that ended before they were done; what they began is gone on with. None:
            all others.
        secrets: Whether to take along the secrets in settings and metadata.

    Attributes:
        run: A name for this migration; its marks bear it.
    """

    def __init__(
        self,
        source: Backend,
        writer: Writer,
        on_conflict: str,
        dry_run: bool,
        dead: Collection[str] | None,
        secrets: bool = False,
    ) -> None:
        self._secrets = secrets
        self._source, self._writer, self._on_conflict, self._dry_run = source, writer, on_conflict, dry_run
        self._dead = dead
        self._reads, self._looks = Retry(), Retry()
        self.run = uuid.uuid4().hex

    def move(self, record: Thread) -> Move:
        """What becomes of a thread."""
        thread_id = str(record["thread_id"])
        new_id = self._writer.new_id(thread_id)
        if "metadata" not in record:
            record = self._reads.read(lambda: self._source.thread(thread_id))
        there = self._look(new_id)
        if there is None and self._dry_run:
            newest = self._reads.read(lambda: self._source.state(thread_id))
            self._looks.read(lambda: self._writer.check(record, newest))
            return Move(thread_id, new_id, "planned", left_out=self._left_out(record, newest))
        if there is not None and there.done and there.mark.get("of") == thread_id and self._unchanged(record, there):
            return replace(_as_then(thread_id, new_id, there), left_out=self._left_out(record, None))
        original = self._read(thread_id)
        if self._secrets:
            return self._placed(original, new_id, there)
        original, left_out = original.without_secrets()
        return replace(self._placed(original, new_id, there), left_out=left_out)

    def _left_out(self, record: Thread, newest: State | None) -> tuple[str, ...]:
        """Names of secrets that are not taken along, as far as a record and a state tell."""
        return () if self._secrets else thread_without_secrets(record, [newest] if newest else [])[2]

    def _placed(self, original: Original, new_id: str, there: Standing | None) -> Move:
        """What becomes of a thread that was read."""
        if there is None or self._is_ours(original, there):
            return self._written(original, new_id, there)
        of_this = there.mark.get("of") in (None, original.thread_id) and not self._lacks_secrets(original, there)
        left = self._writer.left(known_part(original)[0], new_id) if of_this else None
        if left:
            return self._written(original, new_id, there, go_on=True)
        if left == 0:
            return self._proven(original, new_id, "already there")
        return self._settled(original, new_id, there)

    def _read(self, thread_id: str) -> Original:
        """A thread at its source as it was at one moment, which no run is about to change."""
        for _ in range(2):
            record = self._reads.read(lambda: self._source.thread(thread_id))
            if record.get("status") == "busy":
                break
            original = self._reads.read(partial(read, self._source, record))
            if not self._source.is_live:
                return original
            now = self._reads.read(lambda: self._source.thread(thread_id))
            if now.get("updated_at") == record.get("updated_at"):
                return original
        raise ThreadBusy(f"thread {thread_id} is busy at its source: run again when its run has ended")

    def _look(self, thread_id: str) -> Standing | None:
        try:
            record = self._looks.read(lambda: self._writer.backend.thread(thread_id))
        except ThreadNotFound:
            return None
        found = Standing(record)
        return replace(found, newest=self._newest(thread_id)) if found.mark.get("state") == "done" else found

    def _newest(self, thread_id: str) -> str | None:
        """The id of a thread's newest checkpoint at the target."""
        state = self._looks.read(lambda: self._writer.backend.state(thread_id))
        return str(state["checkpoint"]["checkpoint_id"]) if state else None

    def _unchanged(self, record: Thread, there: Standing) -> bool:
        """Whether a thread surely is what it was when it was imported, and no comparison was asked for."""
        known = record.get("updated_at") if self._source.is_live else None
        if self._secrets and not there.mark.get("secrets"):
            return False
        return self._on_conflict != "compare" and known is not None and known == there.mark.get("updated_at")

    def _is_ours(self, original: Original, there: Standing) -> bool:
        """Whether what is there was begun by a migration of this thread, or done by one of this very content."""
        if there.mark.get("of") != original.thread_id:
            return False
        same = there.mark.get("digest") == original.digest and not self._lacks_secrets(original, there)
        return not there.done or same

    def _lacks_secrets(self, original: Original, there: Standing) -> bool:
        """Whether secrets are to be taken along to a thread that an earlier migration wrote without them."""
        return self._secrets and there.done and not there.mark.get("secrets") and original.holds_secrets

    def _written(self, original: Original, new_id: str, there: Standing | None, *, go_on: bool = False) -> Move:
        """Write a thread, or the rest of it, unless it is there whole; then compare."""
        if there is not None and there.done and not go_on:
            if there.untouched or self._on_conflict == "compare":
                return self._proven(original, new_id, "already there")
            return _as_then(original.thread_id, new_id, there)
        if self._dry_run:
            return Move(
                original.thread_id, new_id, "planned", None, len(original.states), not_kept=pruned(original.states)
            )
        if there is not None and there.half and self._dead is not None and str(there.mark.get("by")) not in self._dead:
            raise Refused(f"another migration is writing thread {new_id}: run again when it is done")
        known, left_out = known_part(original)
        mark: dict[str, Any] = {
            "of": original.thread_id,
            "at": new_id,
            "digest": original.digest,
            "updated_at": original.record.get("updated_at"),
            "by": self.run,
            "state": "writing",
        }
        if self._secrets:
            mark["secrets"] = True
        if there is not None:
            self._tag(new_id, mark)
        try:
            notes = self._writer.write(known, new_id, {**known.metadata, IMPORT: mark})
        except ThreadBusy as error:
            if not error.details.get("hidden"):
                raise
            return self._beside(original, new_id, str(error))
        if set_by_target := self._set_by_target(new_id, original.metadata):
            mark["set_by_target"] = set_by_target
            self._tag(new_id, mark)
        move = self._proven(original, new_id, "created")
        kept = {"state": "done", "verdict": move.verdict, "checkpoints": move.checkpoints}
        self._tag(new_id, mark | kept | {"head": self._newest(new_id)})
        return replace(move, not_kept={**move.not_kept, **left_out, **dict.fromkeys(notes, 1)})

    def _set_by_target(self, thread_id: str, sent: Mapping[str, Any]) -> list[str]:
        """The keys of a thread's metadata that the target did not take as they were sent, as a server with users."""
        backend = self._writer.backend
        if Capability.CREATE not in backend.capabilities:
            return []
        there, wanted = self._looks.read(lambda: backend.thread(thread_id)).get("metadata") or {}, plain(sent)
        return sorted(key for key in own(there, {"graph_id", *SERVERS_OWN, IMPORT}) if there[key] != wanted.get(key))

    def _tag(self, thread_id: str, mark: Mapping[str, Any]) -> None:
        self._looks.read(lambda: self._writer.backend.tag(thread_id, {IMPORT: mark}))

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

    def _settled(self, original: Original, new_id: str, there: Standing) -> Move:
        """What becomes of a thread whose id another one has."""
        was_ours = there.mark.get("of") == original.thread_id
        without = ", or without its secrets" if self._lacks_secrets(original, there) else ""
        reason = (
            f"thread {new_id} was migrated from an earlier state of this thread, or from another place{without}: "
            "delete it there to have it written anew"
            if was_ours
            else f"another thread has the id {new_id}, or this one with another content"
        )
        if self._on_conflict == "compare":
            move, reason = self._proven(original, new_id, "already there"), f"{reason}, and differs"
            return move if move else replace(move, outcome="conflict", reason=reason, outdated=was_ours)
        return self._beside(original, new_id, reason, outdated=was_ours)

    def _beside(self, original: Original, new_id: str, reason: str, *, outdated: bool = False) -> Move:
        """What becomes of a thread whose id is taken: under another id it is written where that was asked for."""
        content = original.digest + "/secrets" * (self._secrets and original.holds_secrets)
        other = str(uuid.uuid5(uuid.NAMESPACE_URL, f"forkbook/thread/{original.thread_id}/{content}"))
        if self._on_conflict != "new_id" or other == new_id:
            count = len(original.states)
            return Move(original.thread_id, None, "conflict", None, count, reason=reason, outdated=outdated)
        taken = self._look(other)
        if taken is not None and not self._is_ours(original, taken):
            reason = f"{reason}, and another one {other}"
            return Move(original.thread_id, None, "conflict", reason=reason, outdated=outdated)
        return self._written(original, other, taken)


def _as_then(thread_id: str, new_id: str, there: Standing) -> Move:
    """What is known of a thread that is there, from when it was migrated."""
    verdict, reason = (there.mark.get("verdict"), None) if there.untouched else (None, GONE_ON)
    return Move(thread_id, new_id, "already there", verdict, there.mark.get("checkpoints"), reason=reason)
