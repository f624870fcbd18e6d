"""Acts on a checkpoint: preview, edit, resume. They look before they write, and read back what they wrote."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from .backends.base import Backend, Graph, State, namespace
from .edits import Deviation, deviations, exact_writes
from .errors import (
    AccessDenied,
    ActFailed,
    CheckpointNotFound,
    ForkbookError,
    InvalidInput,
    Refused,
    ServerFault,
    ThreadBusy,
)

SCRATCH = {"forkbook": "scratch"}
SCRATCH_AGE = timedelta(minutes=10)
SPECIAL_NODES = ("__start__", "__input__", "__copy__", "__end__")


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
    if (state := backend.state(thread_id, checkpoint_id, ns=ns)) is None:
        raise CheckpointNotFound(
            f"checkpoint {checkpoint_id} is not in thread {thread_id} (any more): history.refresh() and pick again",
            thread_id=thread_id,
            checkpoint_id=checkpoint_id,
        )
    return state


def checked(backend: Backend, graph: Graph, state: State, values: Any, as_node: str | None) -> dict[str, Any]:
    """The edit as the place takes it, its channels and node known.

    Raises:
        InvalidInput: The values are no edit.
        Refused: A channel or node does not exist; LangGraph would drop the channel without a word.
    """
    typed = backend.as_sent(values)
    known = sorted({*(graph.channels or ()), *(state["values"] or ())})
    unknown = [name for name in typed if name not in known]
    if graph.channels is not None and unknown:
        raise Refused(
            f"{graph.graph_id!r} has no channel {', '.join(map(repr, unknown))}; it has {', '.join(known)}",
            candidates=known,
        )
    if as_node is not None and graph.nodes is not None and as_node not in (*graph.nodes, *SPECIAL_NODES):
        raise Refused(
            f"the graph {graph.graph_id!r} has no node {as_node!r}; it has {', '.join(graph.nodes)}",
            candidates=graph.nodes,
        )
    return typed


def preview(
    backend: Backend, thread_id: str, state: State, typed: Mapping[str, Any], as_node: str | None, exact: bool
) -> Preview:
    """Try an edit on a scratch copy of the thread, through the real reducers and routing.

    Args:
        backend: Where the thread is.
        thread_id: The thread.
        state: The checkpoint's state.
        typed: The edit, from `checked`.
        as_node: The node that the edit is to come from; None: the last one, as LangGraph guesses.
        exact: Find writes after which the channels are exactly what was typed, whatever their reducers.
    """
    with scratch(backend, thread_id) as copy:
        seen = _tried_out(backend, copy.thread_id, state, typed, as_node, exact)
    return replace(seen, notes=copy.notes)


def _tried_out(
    backend: Backend, copy_id: str, state: State, typed: Mapping[str, Any], as_node: str | None, exact: bool
) -> Preview:
    old, at = state["values"] or {}, state["checkpoint"]["checkpoint_id"]
    shown = {name: backend.as_shown(value) for name, value in typed.items()}
    tries = {name: exact_writes(value, old.get(name)) if exact else [value] for name, value in typed.items()}
    while True:
        writes = {name: options[0] for name, options in tries.items()}
        with _told_of_the_preview(at):
            after = _tried(backend, copy_id, at, writes, as_node, namespace(state))
            if after["next"] is None and state["next"] is not None:
                raise InvalidInput("LangGraph itself cannot read the state any more: a value has the wrong type")
        left = deviations(shown, old, after["values"], exact)
        more = [tries[deviation.channel] for deviation in left if len(tries[deviation.channel]) > 1]
        if not more:
            following = None if after["next"] is None else tuple(after["next"])
            return Preview(after["values"] or {}, following, left, writes)
        for options in more:
            del options[0]


@contextmanager
def _told_of_the_preview(checkpoint_id: str) -> Iterator[None]:
    """Faults of the scratch copy, told of the checkpoint that the user knows."""
    try:
        yield
    except (ServerFault, InvalidInput) as error:
        raise InvalidInput(
            f"the graph cannot take this edit at checkpoint {checkpoint_id[-6:]}; it was tried on a scratch copy, "
            f"nothing was written to the thread. What the copy said: {error}",
            checkpoint_id=checkpoint_id,
        ) from error


def _tried(backend: Backend, thread_id: str, checkpoint_id: str, writes: Any, as_node: str | None, ns: str) -> State:
    edited = backend.update(thread_id, checkpoint_id, writes, as_node, ns=ns)
    state = backend.state(thread_id, edited, ns=ns)
    if state is None:
        raise ActFailed(f"the edit of scratch copy {thread_id} cannot be read back", thread_id=thread_id)
    return state


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
    tags = SCRATCH | {"forkbook_of": thread_id, "forkbook_since": datetime.now(UTC).isoformat()}
    with _told_of_the_scratch_copy(thread_id):
        copy = Scratch(backend.copy(thread_id))
    try:
        with _told_of_the_scratch_copy(thread_id):
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
def _told_of_the_scratch_copy(thread_id: str) -> Iterator[None]:
    try:
        yield
    except AccessDenied as error:
        raise AccessDenied(
            f"edits are tried on a scratch copy of thread {thread_id} first, which cannot be made: {error}",
            thread_id=thread_id,
            **error.details,
        ) from error


def sweep_scratches(backend: Backend, threads: Sequence[Mapping[str, Any]]) -> None:
    """Delete scratch copies that a killed preview left behind, once they are surely nobody's."""
    for thread in threads:
        try:
            age = datetime.now(UTC) - datetime.fromisoformat(thread["metadata"]["forkbook_since"])
        except (TypeError, ValueError, KeyError):
            continue  # not one of ours
        if age > SCRATCH_AGE:
            with suppress(ForkbookError):
                backend.delete(thread["thread_id"])


def edit(
    backend: Backend, thread_id: str, state: State, typed: Mapping[str, Any], writes: Any, as_node: str | None
) -> Edited:
    """Write an edit at a checkpoint and read it back.

    Raises:
        ActFailed: The edit was written, but cannot be read back.
    """
    ns = namespace(state)
    new_id = backend.update(thread_id, state["checkpoint"]["checkpoint_id"], writes, as_node, ns=ns)
    after = backend.state(thread_id, new_id, ns=ns)
    if after is None:
        raise ActFailed(
            f"the edit was written as checkpoint {new_id} of thread {thread_id}, which cannot be read back",
            thread_id=thread_id,
            checkpoint_id=new_id,
        )
    shown = {name: backend.as_shown(value) for name, value in typed.items()}
    return Edited(new_id, deviations(shown, state["values"], after["values"]))
