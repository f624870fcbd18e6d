"""Acts on a checkpoint: preview, edit, resume. They look before they write, and read back what they wrote."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from .backends.base import Backend, Graph, RunSettings, State
from .backends.wire import IN_METADATA, ROOT, own
from .edits import Deviation, deviations, exact_writes
from .errors import ActFailed, CheckpointNotFound, ForkbookError, InvalidInput, Refused, ServerFault, ThreadBusy
from .escape import short

SCRATCH = {"forkbook": "scratch"}
SCRATCH_AGE = timedelta(minutes=10)
MARKS = "forkbook_marks"  # in a checkpoint's metadata: the names of the keys that an act put there, as JSON
SPECIAL_NODES = ("__start__", "__input__", "__copy__", "__end__")


@dataclass(frozen=True, slots=True)
class Preview:
    """What an edit would make of a checkpoint; the thread is untouched.

    Attributes:
        values: The state's values after the edit.
        next: The nodes that would run on resume; empty: nothing would; None: unknown.
        deviations: Channels that would not be what was typed.
        writes: What would be written.
    """

    values: dict[str, Any]
    next: tuple[str, ...] | None
    deviations: tuple[Deviation, ...]
    writes: dict[str, Any]

    def __repr__(self) -> str:
        following = "unknown nodes" if self.next is None else ", ".join(self.next) or "nothing"
        lines = [f"preview: {', '.join(self.writes) or 'nothing'} written; runs {following} next"]
        return "\n".join(lines + [f"  {deviation}" for deviation in self.deviations])


@dataclass(frozen=True, slots=True)
class Edited:
    """An edit that was written: the new checkpoint's id, and the channels that are not what was typed."""

    checkpoint_id: str
    deviations: tuple[Deviation, ...]


def current(backend: Backend, thread_id: str, checkpoint_id: str, *, in_copy: bool = False) -> State:
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
    if (state := backend.state(thread_id, checkpoint_id)) is None:
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
    old, at = state["values"] or {}, state["checkpoint"]["checkpoint_id"]
    shown = {name: backend.as_shown(value) for name, value in typed.items()}
    tries = {name: exact_writes(value, old.get(name)) if exact else [value] for name, value in typed.items()}
    with scratch(backend, thread_id) as scratch_id:
        while True:
            writes = {name: options[0] for name, options in tries.items()}
            with _told_of_the_preview(at):
                after = _tried(backend, scratch_id, at, writes, as_node)
                if after["next"] is None and state["next"] is not None:
                    raise InvalidInput("LangGraph itself cannot read the state any more: a value has the wrong type")
            left = deviations(shown, old, after["values"])
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
    new_id = backend.update(thread_id, state["checkpoint"]["checkpoint_id"], writes, as_node)
    after = backend.state(thread_id, new_id)
    if after is None:
        raise ActFailed(
            f"the edit was written as checkpoint {new_id} of thread {thread_id}, which cannot be read back",
            thread_id=thread_id,
            checkpoint_id=new_id,
        )
    shown = {name: backend.as_shown(value) for name, value in typed.items()}
    return Edited(new_id, deviations(shown, state["values"], after["values"]))


def settings(
    backend: Backend,
    of_run: RunSettings,
    thread_id: str,
    *,
    assistant: str | None = None,
    config: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    interrupt_before: str | Sequence[str] | None = None,
    interrupt_after: str | Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> RunSettings:
    """The settings of the checkpoint's own run, with what the user gave in their place.

    A `configurable` and a context say the same to a server, which takes one of them: giving the one replaces the other.
    A graph in this process takes both; what is given of `configurable` is added to the run's own.

    Raises:
        InvalidInput: Nobody knows which assistant to run, or there is no such assistant, or both were given.
        Refused: A node to stop at does not exist, or a key of the metadata is LangGraph's own.
    """
    both = backend.takes_context_beside_configurable
    if config is not None and not isinstance(config, Mapping):
        raise InvalidInput(f"config is {short(config)}: give a mapping")
    if context is not None and not both and not isinstance(context, Mapping):
        raise InvalidInput(f"context is {short(context)}: give a mapping")
    own_keys = {"thread_id", "checkpoint_id", "checkpoint_ns"} & set((config or {}).get("configurable") or {})
    if own_keys:
        raise Refused(f"config['configurable'] has {', '.join(sorted(own_keys))}: the checkpoint itself says that")
    if not (assistant or of_run.assistant):
        raise InvalidInput(
            f"no run tells which assistant thread {thread_id} belongs to: give assistant='…'", thread_id=thread_id
        )
    graph = backend.graph(str(assistant or of_run.assistant))
    result = replace(
        of_run,
        assistant=assistant or of_run.assistant,
        interrupt_before=of_run.interrupt_before if interrupt_before is None else nodes(interrupt_before, graph),
        interrupt_after=of_run.interrupt_after if interrupt_after is None else nodes(interrupt_after, graph),
        metadata=marks({} if metadata is None else metadata),
    )
    if both:
        configurable = {**of_run.config.get("configurable", {}), **(config or {}).get("configurable", {})}
        merged = {**(of_run.config if config is None else config), "configurable": configurable}
        return replace(result, config=merged, context=of_run.context if context is None else context)
    if config is not None:
        kept = {} if context is not None else {k: v for k, v in of_run.config.items() if k == "configurable"}
        result = replace(result, config={**kept, **config})
    elif context is not None:
        result = replace(result, config={k: v for k, v in of_run.config.items() if k != "configurable"})
    if context is not None and result.config.get("configurable"):
        raise InvalidInput("give config['configurable'] or context, not both: servers take one and derive the other")
    if config is not None and config.get("configurable"):
        context = {}
    return replace(result, context=of_run.context if context is None else dict(context) or None)


def marks(given: Mapping[str, Any]) -> dict[str, Any]:
    """What each checkpoint of a run is to carry in its metadata, with the names of these keys under `MARKS`.

    Raises:
        InvalidInput: It is no mapping of text to text, numbers and booleans, which is what every place keeps.
        Refused: A key is one that LangGraph itself writes there.
    """
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise InvalidInput(f"metadata maps names to text, numbers or booleans; this is {short(given)}")
    for key, value in given.items():
        if not isinstance(value, str | int | float | bool) or (isinstance(value, float) and not isfinite(value)):
            raise InvalidInput(
                f"metadata {key!r} is {short(value)}: only text, numbers and booleans are kept everywhere"
            )
    if taken := sorted(given.keys() - own(given, IN_METADATA | {MARKS})):
        raise Refused(f"metadata {', '.join(map(repr, taken))}: LangGraph or forkbook writes that itself")
    return {**given, MARKS: json.dumps(sorted(given))} if given else {}


def without_marks(settings: RunSettings, metadata: Mapping[str, Any]) -> RunSettings:
    """Settings that were guessed from a checkpoint's metadata, less what `marks` put there."""
    configurable = settings.config.get("configurable")
    if not settings.guessed or not configurable or MARKS not in metadata:
        return settings
    kept = own(configurable, {MARKS, *json.loads(metadata[MARKS])})
    config = {key: value for key, value in settings.config.items() if key != "configurable"}
    return replace(settings, config={**config, "configurable": kept} if kept else config)


def new_input(backend: Backend, graph: Graph, state: State, given: Any) -> Any:
    """An input as the place takes it, its channels known; None stays None.

    Raises:
        InvalidInput: It is no input.
        Refused: A channel does not exist.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InvalidInput(f"an input maps channels to values, as in {{'topic': 'chickens'}}; this is {short(given)}")
    typed = checked(backend, graph, state, given, None)
    return typed[ROOT] if set(typed) == {ROOT} else typed


def nodes(given: str | Sequence[str], graph: Graph) -> str | tuple[str, ...]:
    """Names of nodes as LangGraph takes them: "*" or a tuple.

    Raises:
        Refused: One does not exist.
        InvalidInput: This is no list of names.
    """
    if given == "*":
        return "*"
    if not isinstance(given, str) and not (isinstance(given, Sequence) and all(isinstance(n, str) for n in given)):
        raise InvalidInput(f"nodes to stop at are a list of names or '*', not {short(given)}")
    names = (given,) if isinstance(given, str) else tuple(given)
    if unknown := [name for name in names if name not in graph.nodes]:
        raise Refused(
            f"the graph {graph.graph_id!r} has no node {', '.join(map(repr, unknown))} to stop at; it has "
            f"{', '.join(graph.nodes)}",
            candidates=graph.nodes,
        )
    return names


def not_finished(state: State) -> None:
    """Look that something is left to run.

    Raises:
        Refused: Nothing is; LangGraph would add a checkpoint all the same.
    """
    if state["next"] is not None and not state["next"]:
        checkpoint_id = state["checkpoint"]["checkpoint_id"]
        raise Refused(
            f"checkpoint {checkpoint_id[-6:]} is finished, nothing runs after it: fork it with an edit "
            "(as_node names the node after which to go on), or pick an earlier one",
            thread_id=state["checkpoint"].get("thread_id"),
            checkpoint_id=checkpoint_id,
        )
