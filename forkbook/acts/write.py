"""Acts on a checkpoint: preview, edit, resume. They look before they write, and read back what they wrote."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ..backends.contract import Backend
from ..errors import AccessDenied, ActFailed, CheckpointNotFound, ForkbookError, InvalidInput, ThreadBusy
from ..marks import SCRATCH_SINCE, is_scratch, mark_of_scratch
from ..model.edits import Deviation
from ..model.reserved import END, ROOT
from ..model.states import State, namespace
from ..model.text import shown
from .leftovers import naming_a_lost_copy
from .now import state_now
from .trial_errors import about_the_checkpoint
from .typed_edits import TypedEdit

SCRATCH_AGE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an edit would make of a checkpoint; the thread is untouched.

    Attributes:
        values: The state's values after the edit.
        next: The nodes that would run on resume; empty: nothing would; None: unknown.
        deviations: Channels that would not be what was typed.
        writes: What would be written.
        notes: What else one should know.
    """

    values: dict[str, Any]
    next: tuple[str, ...] | None
    deviations: tuple[Deviation, ...]
    writes: dict[str, Any]
    notes: tuple[str, ...] = ()

    @shown
    def __repr__(self) -> str:
        following = "unknown nodes" if self.next is None else ", ".join(self.next) or "nothing"
        lines = [f"preview: {', '.join(self.writes) or 'nothing'} written; runs {following} next"]
        lines += [f"  {deviation}" for deviation in self.deviations]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


@dataclass(frozen=True, slots=True)
class Edited:
    """An edit that was written: the new checkpoint's id, and the channels that are not what was typed."""

    checkpoint_id: str
    deviations: tuple[Deviation, ...]


def current(backend: Backend, thread_id: str, checkpoint_id: str, *, in_copy: bool = False, ns: str = "") -> State:
    """The checkpoint as it is now.

    Raises:
        CheckpointNotFound: It is not there (any more); LangGraph would make a new root instead of refusing.
        ThreadBusy: A run is under way on the thread; that is no matter for an act in a copy.
    """
    if backend.thread(thread_id).get("status") == "busy" and not in_copy:
        raise ThreadBusy(
            f"thread {thread_id} is busy with a run: wait for it to end, or act in a copy (in_copy=True)",
            thread_id=thread_id,
        )
    if (state := state_now(backend, thread_id, checkpoint_id, ns=ns)) is None:
        raise CheckpointNotFound(
            f"checkpoint {checkpoint_id} is not in thread {thread_id} (any more): history.refresh() and pick again",
            thread_id=thread_id,
            checkpoint_id=checkpoint_id,
        )
    return state


def preview(
    backend: Backend, thread_id: str, state: State, typed: TypedEdit, as_node: str | None, exact: bool
) -> Preview:
    """Try an edit on a scratch copy of the thread, through the real reducers and routing.

    Args:
        backend: Where the thread is.
        thread_id: The thread.
        state: The checkpoint's state.
        typed: The edit.
        as_node: The node that the edit is to come from; None: the last one, as LangGraph guesses.
        exact: Find writes after which the channels are exactly what was typed, whatever their reducers.
    """
    with about_the_checkpoint(backend, thread_id, state), scratch(backend, thread_id) as copy:
        found = []
        for tries in typed.writes(exact):
            found.append(_best_of(backend, copy.thread_id, state, typed, tries, as_node, exact))
            if not found[-1].deviations:
                break
    seen = min(found, key=lambda tried: len(tried.deviations))
    return replace(seen, notes=(*seen.notes, *copy.notes, *_not_ended(as_node, seen.next)))


def _not_ended(as_node: str | None, following: tuple[str, ...] | None) -> Iterator[str]:
    """That an end is none: where the nodes of a checkpoint have written, LangGraph first takes their writes in."""
    if as_node == END and following:
        yield (
            f"this does not end the thread: what the nodes here had written comes in, and {', '.join(following)} would "
            "run next; end the new checkpoint, too, with edit({}, as_node='__end__')"
        )


def _best_of(
    backend: Backend,
    scratch_id: str,
    state: State,
    typed: TypedEdit,
    tries: Mapping[str, list[Any]],
    as_node: str | None,
    exact: bool,
) -> Preview:
    """The first writes after which a scratch copy is as typed, or the last that there are to try."""
    while True:
        writes = {name: options[0] for name, options in tries.items()}
        _, after = written(backend, scratch_id, state, writes, as_node)
        left = typed.deviations(after["values"], exact)
        wrong = {ROOT, *(deviation.channel for deviation in left)} if left else ()  # of a whole state, all its keys
        more = [options for name, options in tries.items() if len(options) > 1 and name in wrong]
        if not more:
            following = None if after["next"] is None else tuple(after["next"])
            return Preview(after["values"] or {}, following, left, writes, typed.notes)
        for options in more:
            del options[0]


def written(backend: Backend, copy_id: str, state: State, writes: Any, as_node: str | None) -> tuple[str, State]:
    """Write an edit to a copy of a checkpoint's thread; the new checkpoint's id and state.

    Raises:
        InvalidInput: LangGraph cannot read what it wrote.
    """
    at, ns = state["checkpoint"]["checkpoint_id"], namespace(state)
    new_id = backend.update(copy_id, at, writes, as_node, ns=ns)
    after = state_now(backend, copy_id, new_id, ns=ns)
    if after is None or (after["next"] is None and state["next"] is not None):
        why = backend.why_unread(copy_id) or "a value has the wrong type"
        raise InvalidInput(
            f"the edit of thread {copy_id} cannot be read", said=f"LangGraph cannot read the state any more: {why}"
        )
    return new_id, after


@dataclass(slots=True)
class Scratch:
    """A copy of a thread to try things on.

    Attributes:
        thread_id: The copy.
        notes: After the end what one should know where it could not be deleted.
    """

    thread_id: str
    notes: tuple[str, ...] = ()


@contextmanager
def scratch(backend: Backend, thread_id: str) -> Iterator[Scratch]:
    """A copy of a thread that is deleted at the end, whatever happens.

    Raises:
        AccessDenied: This user may not make one.
    """
    tags = mark_of_scratch(thread_id)
    with _about_the_scratch_copy(thread_id), naming_a_lost_copy(backend, thread_id):
        copy = Scratch(backend.copy(thread_id))
    try:
        with _about_the_scratch_copy(thread_id):
            backend.tag(copy.thread_id, tags)
        yield copy
    finally:
        try:
            backend.delete(copy.thread_id)
        except AccessDenied as error:
            copy.notes = (f"the scratch copy that this was tried on is still there, thread {copy.thread_id}: {error}",)
        except ForkbookError:
            pass  # swept at the next connect


@contextmanager
def _about_the_scratch_copy(thread_id: str) -> Iterator[None]:
    try:
        yield
    except AccessDenied as error:
        raise AccessDenied(
            f"edits are tried on a scratch copy of thread {thread_id} first, which cannot be made: {error}",
            thread_id=thread_id,
            **error.details,
        ) from error


def sweep_scratches(backend: Backend, threads: Sequence[Mapping[str, Any]]) -> None:
    """Delete scratch copies that a killed preview left behind, once they are too old to be in use."""
    for thread in filter(lambda thread: is_scratch(thread.get("metadata")), threads):
        try:
            age = datetime.now(UTC) - datetime.fromisoformat(thread["metadata"][SCRATCH_SINCE])
        except (TypeError, ValueError, KeyError):
            continue  # not a scratch copy
        if age > SCRATCH_AGE:
            with suppress(ForkbookError):
                backend.delete(thread["thread_id"])


def edit(
    backend: Backend, thread_id: str, state: State, typed: TypedEdit, writes: Any, as_node: str | None, exact: bool
) -> Edited:
    """Write an edit at a checkpoint and read it back.

    Raises:
        ActFailed: The edit was written, but cannot be read back.
    """
    ns = namespace(state)
    new_id = backend.update(thread_id, state["checkpoint"]["checkpoint_id"], writes, as_node, ns=ns)
    after = state_now(backend, thread_id, new_id, ns=ns)
    if after is None:
        raise ActFailed(
            f"the edit was written as checkpoint {new_id} of thread {thread_id}, which cannot be read back",
            thread_id=thread_id,
            checkpoint_id=new_id,
        )
    return Edited(new_id, typed.deviations(after["values"], exact))
