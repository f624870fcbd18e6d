"""Acts on a checkpoint: preview, edit, resume. They look before they write, and read back what they wrote."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from .backends.base import Backend, Graph, RunOutcome, RunSettings, State
from .edits import OVERWRITE, Deviation, deviations, plain, replacing
from .errors import ActFailed, CheckpointNotFound, ForkbookError, InvalidInput, Refused, ThreadBusy

SCRATCH = {"forkbook": "scratch"}
SCRATCH_AGE = timedelta(minutes=10)
SPECIAL_NODES = ("__start__", "__input__", "__copy__", "__end__")


@dataclass(frozen=True, slots=True)
class Preview:
    """What an edit would make of a checkpoint; the thread is untouched.

    Attributes:
        values: The state's values after the edit.
        next: The nodes that would run on resume; empty: nothing would.
        deviations: Channels that would not be what was typed.
        writes: What would be written.
    """

    values: dict[str, Any]
    next: tuple[str, ...]
    deviations: tuple[Deviation, ...]
    writes: dict[str, Any]

    def __repr__(self) -> str:
        lines = [
            f"preview: {', '.join(self.writes) or 'nothing'} written; runs {', '.join(self.next) or 'nothing'} next"
        ]
        return "\n".join(lines + [f"  {deviation}" for deviation in self.deviations])


@dataclass(frozen=True, slots=True)
class Edited:
    """An edit that was written: the new checkpoint's id, and the channels that are not what was typed."""

    checkpoint_id: str
    deviations: tuple[Deviation, ...]


def current(backend: Backend, thread_id: str, checkpoint_id: str) -> State:
    """The checkpoint as it is now.

    Raises:
        CheckpointNotFound: It is not there (any more); LangGraph would make a new root instead of refusing.
        ThreadBusy: A run is under way on the thread.
    """
    if backend.thread(thread_id).get("status") == "busy":
        raise ThreadBusy(
            f"thread {thread_id} is busy with a run: wait for it to end, or act in a copy (in_copy=True)",
            thread_id=thread_id,
        )
    if (state := backend.state(thread_id, checkpoint_id)) is None:
        raise CheckpointNotFound(
            f"checkpoint {checkpoint_id} is not in thread {thread_id} (any more): history.refresh() and pick again",
            thread_id=thread_id,
            checkpoint_id=checkpoint_id,
        )
    return state


def checked(graph: Graph, state: State, values: Any, as_node: str | None) -> dict[str, Any]:
    """The edit as plain JSON, its channels and node known.

    Raises:
        InvalidInput: The values are no edit.
        Refused: A channel or node does not exist; LangGraph would drop the channel without a word.
    """
    typed = plain(values)
    known = sorted({*(graph.channels or ()), *(state["values"] or ())})
    unknown = [name for name in typed if name not in known]
    if graph.channels is not None and unknown:
        raise Refused(
            f"{graph.graph_id!r} has no channel {', '.join(map(repr, unknown))}; it has {', '.join(known)}",
            candidates=known,
        )
    if as_node is not None and as_node not in (*graph.nodes, *SPECIAL_NODES):
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
    checkpoint_id = state["checkpoint"]["checkpoint_id"]
    writes = replacing(typed, state["values"]) if exact else dict(typed)
    with scratch(backend, thread_id) as scratch_id:
        after = _tried(backend, scratch_id, checkpoint_id, writes, as_node)
        left = deviations(typed, state["values"], after["values"])
        if exact and left:
            writes |= {deviation.channel: {OVERWRITE: typed[deviation.channel]} for deviation in left}
            after = _tried(backend, scratch_id, checkpoint_id, writes, as_node)
            left = deviations(typed, state["values"], after["values"])
    return Preview(after["values"] or {}, tuple(after["next"] or ()), left, writes)


def _tried(backend: Backend, thread_id: str, checkpoint_id: str, writes: Any, as_node: str | None) -> State:
    edited = backend.update(thread_id, checkpoint_id, writes, as_node)
    state = backend.state(thread_id, edited)
    if state is None:
        raise ActFailed(f"the edit of scratch copy {thread_id} cannot be read back", thread_id=thread_id)
    return state


@contextmanager
def scratch(backend: Backend, thread_id: str) -> Iterator[str]:
    """A copy of a thread that is deleted at the end, whatever happens."""
    copy_id = backend.copy(thread_id)
    try:
        backend.tag(copy_id, SCRATCH | {"forkbook_of": thread_id, "forkbook_since": datetime.now(UTC).isoformat()})
        yield copy_id
    finally:
        with suppress(ForkbookError):  # swept at the next connect
            backend.delete(copy_id)


def sweep_scratches(backend: Backend, threads: Sequence[Mapping[str, Any]]) -> None:
    """Delete scratch copies that a killed preview left behind, once they are surely nobody's."""
    for thread in threads:
        since = (thread.get("metadata") or {}).get("forkbook_since")
        if since and datetime.now(UTC) - datetime.fromisoformat(since) > SCRATCH_AGE:
            with suppress(ForkbookError):
                backend.delete(thread["thread_id"])


def edit(
    backend: Backend, thread_id: str, state: State, typed: Mapping[str, Any], writes: Any, as_node: str | None
) -> Edited:
    """Write an edit at a checkpoint and read it back.

    Raises:
        ActFailed: The edit was written, but cannot be read back.
    """
    new_id = backend.update(thread_id, state["checkpoint"]["checkpoint_id"], writes, as_node)
    after = backend.state(thread_id, new_id)
    if after is None:
        raise ActFailed(
            f"the edit was written as checkpoint {new_id} of thread {thread_id}, which cannot be read back",
            thread_id=thread_id,
            checkpoint_id=new_id,
        )
    return Edited(new_id, deviations(typed, state["values"], after["values"]))


def settings(backend: Backend, own: RunSettings, thread_id: str, **given: Any) -> RunSettings:
    """The settings of the checkpoint's own run, with what the user gave in their place.

    Raises:
        InvalidInput: Nobody knows which assistant to run, or there is no such assistant.
    """
    changed = {name: value for name, value in given.items() if value is not None}
    if "context" in changed and "config" not in changed:
        changed["config"] = {key: value for key, value in own.config.items() if key != "configurable"}
    if "config" in changed and "context" not in changed:
        changed["context"] = None
    result = replace(own, **changed)
    if not result.assistant:
        raise InvalidInput(
            f"no run tells which assistant thread {thread_id} belongs to: give assistant='…'", thread_id=thread_id
        )
    backend.graph(result.assistant)
    return result


def resume(
    backend: Backend,
    thread_id: str,
    checkpoint_id: str,
    next_nodes: Sequence[str] | None,
    how: RunSettings,
    on_start: Callable[[str], None] | None = None,
) -> RunOutcome:
    """Run the graph on from a checkpoint and wait for the end.

    Raises:
        Refused: Nothing is left to run; LangGraph would add a checkpoint all the same.
    """
    if next_nodes is not None and not next_nodes:
        raise Refused(
            f"checkpoint {checkpoint_id[-6:]} is finished, nothing runs after it: fork it with an edit "
            "(as_node names the node after which to go on), or pick an earlier one",
            thread_id=thread_id,
            checkpoint_id=checkpoint_id,
        )
    return backend.run(thread_id, checkpoint_id, how, on_start=on_start)
