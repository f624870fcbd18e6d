"""Copy a thread and prove the copy, checkpoint by checkpoint."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..backends.base import COPY_OF, Backend, State
from ..backends.whole import everything
from ..errors import ForkbookError, ThreadBusy
from ..snippets import Code, Place, code, of_copy, place_of
from .unequal import Difference, unequal

STATUS_LOST = (
    "the original's status is {!r}, the copy's {!r}: servers copy the checkpoints, not the status; an open interrupt "
    "can still be answered"
)


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a copy is worth; `bool(report)` is the verdict.

    Attributes:
        thread_id: The original.
        new_thread_id: The copy.
        compared: Checkpoints of the original that were compared, all of them.
        differences: Every field of every checkpoint that is not the same; thread ids do not count.
        notes: What a copy cannot keep, in words.
        place: Where they are; `code` needs it.
    """

    thread_id: str
    new_thread_id: str
    compared: int
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    place: Place = field(default_factory=Place)

    def __bool__(self) -> bool:
        return not self.differences

    def __repr__(self) -> str:
        verdict = "the histories are the same" if self else f"{len(self.differences)} differences"
        lines = [
            f"copy {self.new_thread_id} of thread {self.thread_id}: {self.compared} checkpoints compared, {verdict}"
        ]
        lines += [f"  {difference}" for difference in self.differences[:10]]
        lines += [f"  … and {len(self.differences) - 10} more"] if len(self.differences) > 10 else []
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    def code(self, language: str | None = None) -> Code:
        """How to copy the thread and compare the two, as it could be typed; languages as in `Act.code`."""
        return code(self.place, of_copy(self.thread_id), language)


def copy_thread(backend: Backend, thread_id: str) -> CopyReport:
    """Copy a thread, read both histories back whole, and compare them.

    Raises:
        ForkbookError: The copy could not be read back; its `details["new_thread_id"]` names the copy.
    """
    backend.require("write", "copy a thread")
    before = backend.thread(thread_id)
    if before.get("status") == "busy":
        raise ThreadBusy(f"thread {thread_id} is busy with a run: copy it when the run has ended", thread_id=thread_id)
    copy_id = backend.copy(thread_id)
    try:
        backend.tag(copy_id, {COPY_OF: thread_id})
        (old, _), (new, _) = everything(backend, thread_id), everything(backend, copy_id)
        after = backend.thread(copy_id)
    except ForkbookError as error:
        error.details["new_thread_id"] = copy_id
        error.args = (f"{error} The copy, thread {copy_id}, exists and is not verified.",)
        raise
    statuses = before.get("status"), after.get("status")
    notes = [STATUS_LOST.format(*statuses)] if statuses[0] != statuses[1] else []
    found = tuple(differences(old, new, thread_id, copy_id))
    return CopyReport(thread_id, copy_id, len(old), found, tuple(notes), place_of(backend))


def differences(
    originals: Sequence[State], copies: Sequence[State], thread_id: str, copy_id: str
) -> Iterator[Difference]:
    """Every field in which two histories differ, thread ids aside; checkpoints are matched by id."""
    old, new = ({place(state): state for state in states} for states in (originals, copies))
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
