"""Copy a thread and prove the copy, checkpoint by checkpoint."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..backends.contract import Backend
from ..backends.retry import Patience
from ..errors import ThreadBusy, Unsupported
from ..marks import IMPORT, checked_metadata, mark_of_copy
from ..model.redaction import states_without_secrets
from ..model.states import State, Thread
from ..model.text import shown
from ..snippets import Code, Place, code, of_copy, place_of
from .attempts import both, made, whole_or_gone
from .equality import Difference, unequal
from .original import pruned

PROVEN = ("identical", "identical under new ids")
MOST_SHOWN = 10

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


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a copy is worth; `bool(report)` is whether it was compared and found the same.

    Attributes:
        thread_id: The original.
        new_thread_id: The copy.
        verdict: `identical` (ids, too), `identical under new ids`, `differs`, or `not compared`, which is no proof.
        compared: Checkpoints of the original that were compared, all of them; None: it was not compared.
        differences: Every field of every checkpoint that is not the same; thread ids do not count.
        not_kept: What a copy cannot keep, in words, with the number of places.
        checkpoint_id: The last checkpoint of a copied lineage; None: the whole thread was copied.
        way: `copied` by the place itself, `planted` checkpoint by checkpoint (both keep ids), or `rebuilt` through the
            graph's reducers, which makes new ids.
        ids: Checkpoint ids of the original with those that stand for them, where they are new and were compared.
        place: Where they are; `code` needs it.
    """

    thread_id: str
    new_thread_id: str
    verdict: str
    compared: int | None = None
    differences: tuple[Difference, ...] = ()
    not_kept: Mapping[str, int] = field(default_factory=dict)
    checkpoint_id: str | None = None
    way: str = "copied"
    ids: Mapping[str, str] = field(default_factory=dict)
    place: Place = field(default_factory=Place)

    def __bool__(self) -> bool:
        return self.verdict in PROVEN

    @shown
    def __repr__(self) -> str:
        upto = f" up to checkpoint {self.checkpoint_id[-6:]}, {self.way}" if self.checkpoint_id else ""
        lines = [f"copy {self.new_thread_id} of thread {self.thread_id}{upto}: {self._found()}"]
        lines += [f"  {difference}" for difference in self.differences[:MOST_SHOWN]]
        lines += [f"  … and {more} more"] if (more := len(self.differences) - MOST_SHOWN) > 0 else []
        return "\n".join(lines + [f"  not kept ({count:,}): {words}" for words, count in self.not_kept.items()])

    def _found(self) -> str:
        if self.compared is None:
            return "not compared, so nothing is proven"
        if not self:
            return f"{self.compared:,} checkpoints compared, {len(self.differences):,} differences"
        under = " under new ids" if self.verdict == PROVEN[1] else ""
        return f"{self.compared:,} checkpoints compared, the histories are the same{under}"

    def code(self, language: str | None = None) -> Code:
        """How to copy the thread and compare the two, as it could be typed; languages as in `Act.code`.

        Raises:
            Unsupported: It is a lineage, which forkbook alone copies.
        """
        if self.checkpoint_id is not None:
            raise Unsupported(
                f"no client copies a part of a thread in one call: book.copy({self.thread_id!r}, "
                f"{self.checkpoint_id!r}) does",
                thread_id=self.thread_id,
            )
        return code(self.place, of_copy(self.thread_id), language)


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
    backend.require("write", "copy a thread")
    backend.must_hold_copies()
    ask = Patience(backend).read
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
        if "create" in backend.abilities and any((state["metadata"] or {}).get("run_id") for state in old):
            more[RUNS] = 1
        verdict, compared = "differs" if found else "identical", len(old) - more.get(LATER, 0)
        return CopyReport(thread_id, copy_id, verdict, compared, found, lost | more, place=place_of(backend))


def _compared(
    old: Sequence[State], new: Sequence[State], thread_id: str, record: Thread
) -> tuple[tuple[Difference, ...], dict[str, int]]:
    """Where a thread and its copy differ; and where they do for a reason that is no fault of the copy."""
    copy_id, later = record["thread_id"], _later(old, new, record)
    late = {place(state) for state in later}
    grown = {(state["parent_checkpoint"] or {}).get("checkpoint_id") for state in later}
    found, explained = [], Counter({LATER: len(later)} if later else {})
    for difference in differences([state for state in old if place(state) not in late], new, thread_id, copy_id):
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
    made_at, held = datetime.fromisoformat(record["created_at"]), set(map(place, new))
    missing = [state for state in old if place(state) not in held]
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


def differences(
    originals: Sequence[State], copies: Sequence[State], thread_id: str, copy_id: str
) -> Iterator[Difference]:
    """Every field in which two histories differ, thread ids aside; checkpoints are matched by id.

    How a value was come by is no difference, nor are secrets in metadata, which may have been left out.
    """
    both = map(states_without_secrets, (originals, copies))
    old, new = ({place(state): state | {"rebuilt": None} for state in states} for states in both)
    for key in sorted(old.keys() | new.keys()):
        checkpoint_id = key[1]
        if key not in new:
            yield Difference(checkpoint_id, "", "present", "missing")
        elif key not in old:
            yield Difference(checkpoint_id, "", "missing", "present")
        else:
            for field, a, b in unequal(old[key], new[key]):
                own_id = (
                    field.endswith("thread_id") and not field.startswith("values") and (a, b) == (thread_id, copy_id)
                )
                if not own_id:
                    yield Difference(checkpoint_id, field, a, b)


def place(state: State) -> tuple[str, str]:
    """Namespace and id of a state's checkpoint."""
    return state["checkpoint"].get("checkpoint_ns") or "", state["checkpoint"]["checkpoint_id"]
