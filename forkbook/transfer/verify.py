"""Whether two places hold the same threads, checkpoint by checkpoint."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..backends.capabilities import Capability
from ..backends.contract import Backend
from ..backends.retry import Retry
from ..backends.wire import own
from ..errors import InvalidInput, ThreadNotFound
from ..marks import IMPORT, OURS, RUN_KEYS, import_mark
from ..model.states import Thread
from .compare_by_id import UNNAMED, WHY, class_differences, known_differences, objects_sent, unnamed
from .compare_by_shape import compare, reasons
from .each_thread import each
from .equality import Difference, unequal
from .original import Original, pruned, read
from .outcome import MigrateReport, Move

AT_ONCE = 4  # threads, where both places allow that
STATUS = "the thread's status: {!r}, where it was {!r}"
SERVERS_OWN = (*RUN_KEYS, "counters_since_delta_snapshot")
UNHELD = "the thread's own metadata: checkpointers keep none, so they last as long as the book is open that wrote them"
SET_BY_TARGET = "in the thread's metadata what the target sets itself: {}"
SECRETS = "secrets in configurable, context and metadata, which are not compared: {}"
OWN = "in the thread's metadata what a server writes itself, at the next run: assistant_id and the like"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How two threads compare.

    Attributes:
        verdict: `identical`, `identical under new ids` or `differs`.
        differences: Where.
        not_kept: What else is not the same, by design of the target, with the number of places.
        reason: Why they differ, where that is known.
    """

    verdict: str
    differences: tuple[Difference, ...] = ()
    not_kept: Mapping[str, int] = field(default_factory=dict)
    reason: str | None = None


def compared(original: Original, other: Original) -> Verdict:
    """Compare two threads: by ids where these are the same, else under the map that the trees' shape gives.

    Secrets in settings and metadata are not compared: they may have been left out.
    """
    (original, names), (other, more) = original.without_secrets(), other.without_secrets()
    ids = [{state["checkpoint"]["checkpoint_id"] for state in each.roots} for each in (original, other)]
    records = tuple(_of_records(original, other))
    status = (other.record.get("status"), original.record.get("status"))
    lost = {STATUS.format(*status): 1} if status[0] != status[1] and None not in status else {}
    if any(other.metadata.get(key) != value for key, value in original.metadata.items() if key in SERVERS_OWN):
        lost[OWN] = 1
    if names or more:
        lost[SECRETS.format(", ".join(dict.fromkeys((*names, *more))))] = 1
    if stamped := _set_by_target(other):
        lost[SET_BY_TARGET.format(", ".join(stamped))] = 1
    if any(_unheld(other, key) for key in original.metadata if key not in (IMPORT, "graph_id", *SERVERS_OWN)):
        lost[UNHELD] = 1
    lost |= pruned(original.states)
    if ids[0] == ids[1]:
        found = (*records, *_known_differences(original, other))
        objects = tuple(class_differences(original, other, found))
        lost |= {UNNAMED: count} if (count := unnamed(original.states, other.states)) else {}
        return Verdict("differs" if found or objects else "identical", found + objects, lost, WHY if objects else None)
    lost |= objects_sent(original) if other.classes == "unknown" else {}
    comparison = compare(original, other)
    found = (*records, *comparison.differences)
    verdict = "differs" if found else "identical under new ids"
    return Verdict(verdict, found, {**comparison.not_kept, **lost}, reasons(found))


def _known_differences(original: Original, other: Original) -> Iterator[Difference]:
    yield from known_differences(original.states, other.states, original.thread_id, other.thread_id)


def _of_records(original: Original, other: Original) -> Iterator[Difference]:
    """Keys of the thread's own metadata that are not the same; what forkbook and servers set apart."""
    servers = {*SERVERS_OWN, *_set_by_target(other)}
    for key, value in original.metadata.items():
        kept = other.metadata.get(key)
        if key not in (IMPORT, *servers) and any(unequal(value, kept)) and not _unheld(other, key):
            yield Difference("", f"metadata.{key}", value, kept)
    for key, added in own(other.metadata, {"graph_id", *servers, *original.metadata}).items():
        if added is not None and not key.startswith(OURS) and not _unheld(original, key):
            yield Difference("", f"metadata.{key}", "nothing", added)


def _set_by_target(thread: Original) -> list[str]:
    """The keys of a thread's metadata that its server set when a migration wrote it, as the migration's mark says."""
    found = import_mark(thread.metadata).get("set_by_target")
    return [str(key) for key in found] if isinstance(found, list) else []


def _unheld(thread: Original, key: str) -> bool:
    """Whether a thread lies where only checkpoints are kept, so that nothing is known of this key there."""
    return thread.record.get("status") is None and (key == "graph_id" or key not in thread.metadata)


def verify_places(source: Backend, target: Backend, threads: Iterable[str] | None = None) -> MigrateReport:
    """Compare every thread of a place with what stands for it at another; nothing is written.

    A thread stands for another one if a migration's mark says so, or if it has its id.
    """
    if isinstance(threads, str):
        raise InvalidInput(f"threads is a list of ids: give [{threads!r}]")
    records: Sequence[Thread] = (
        Retry().read(lambda: list(source.threads()))
        if threads is None
        else [{"thread_id": id_} for id_ in dict.fromkeys(threads)]
    )
    workers = AT_ONCE if source.parallel and target.parallel else 1
    turns = each(partial(_verified, source, target), records, workers, "comparing threads")
    stopped = "interrupted" if turns.interrupted else turns.unreachable
    origin, destination = (f"{place.kind} {place.address}" for place in (source, target))
    return MigrateReport(origin, destination, turns.moves, stopped=stopped, interrupted=turns.interrupted)


def _verified(source: Backend, target: Backend, record: Thread) -> Move:
    thread_id = str(record["thread_id"])
    original = Retry().read(lambda: read(source, record if "metadata" in record else source.thread(thread_id)))
    there = Retry().read(lambda: _standing_for(target, original))
    if there is None:
        return Move(thread_id, None, "missing", reason=f"there is no such thread on {target.address}")
    other = Retry().read(lambda: read(target, there))
    found = compared(original, other)
    return Move(
        thread_id,
        other.thread_id,
        "already there",
        found.verdict,
        len(original.states),
        found.differences,
        found.not_kept,
        found.reason,
    )


def _standing_for(target: Backend, original: Original) -> Thread | None:
    """The thread that was made from this one; if a mark names none, the one that has its id."""
    try:
        same = target.thread(original.thread_id)
    except ThreadNotFound:
        same = None
    if same is not None and _likely(same, original) == (True, True):
        return same
    marked = (
        target.threads(metadata={IMPORT: {"of": original.thread_id}})
        if Capability.CREATE in target.capabilities
        else ()
    )
    found = [
        record for record in (*([same] if same else ()), *marked) if record is same or any(_likely(record, original))
    ]
    return max(found, key=lambda record: _likely(record, original), default=None)


def _likely(record: Mapping[str, Any], original: Original) -> tuple[bool, bool]:
    """Whether a migration made a thread of another one, and of its very content; a copy of such a thread is neither."""
    mark = import_mark(record.get("metadata"))
    if (mark.get("of"), mark.get("at")) != (original.thread_id, record["thread_id"]):
        return False, False
    return True, mark.get("digest") == original.digest
