"""What a gesture does, as plain data: the steps that the snippets write down. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..backends.contract import Backend
from ..backends.records import RunSettings
from ..backends.wire import as_written
from ..model.reserved import COPY, ROOT
from ..model.secrets import MaskedDict


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is done.

    Attributes:
        url: The server's address; None: a graph in this process.
        headers: Names of the headers that go with every request, in lower case; never their values.
        awaits: Whether the graph in this process needs `await`.
    """

    url: str | None = None
    headers: tuple[str, ...] = ()
    awaits: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """An `update_state` at a checkpoint (None: where the step before led); with `ns` at one inside that subgraph."""

    checkpoint_id: str | None
    values: Any
    as_node: str | None = None
    ns: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to an interrupt.

    Attributes:
        id: The interrupt's id.
        question: What it asks.
        nth: How many before it ask the same.
        value: The answer.
    """

    id: str
    question: Any
    nth: int
    value: Any


@dataclass(frozen=True, slots=True)
class Run:
    """A run from a checkpoint (None: where the step before led, or else the head), with an input or with replies.

    Attributes:
        checkpoint_id: The checkpoint.
        settings: How.
        input: What is sent; None: nothing.
        replies: Answers to what the checkpoint asks.
        alone: Whether one reply is to the only open question, so that it needs no id.
    """

    checkpoint_id: str | None
    settings: RunSettings
    input: Any = None
    replies: tuple[Reply, ...] = ()
    alone: bool = False


Step = Write | Run


@dataclass(frozen=True, slots=True)
class Gesture:
    """Steps on a thread, on a copy of it or a new one that is made first; without steps, the copy that is compared.

    Attributes:
        thread_id: The thread.
        steps: What is done, in order.
        in_copy: Whether in a copy of the thread.
        new: What a thread is made with before, as LangGraph names it: `metadata`, `thread_id` …; None: it is there.
    """

    thread_id: str
    steps: tuple[Step, ...] = ()
    in_copy: bool = False
    new: Mapping[str, Any] | None = None


def following(gesture: Gesture) -> Iterator[tuple[Step, str]]:
    """Each step with the variable that names its checkpoint: `edited`, `asking`, which is to be read first, or ""."""
    before = ""
    for step in gesture.steps:
        yield step, "asking" if before and isinstance(step, Run) and step.replies else before
        before = "" if isinstance(step, Write) and step.ns else "edited"  # the whole graph goes on at its head


def how_to_run(settings: RunSettings) -> dict[str, Any]:
    """What a run is given besides its assistant, as JSON has it."""
    given = {
        "config": dict(settings.config),
        "context": settings.context,
        "metadata": dict(settings.metadata),
        "interrupt_before": settings.interrupt_before,
        "interrupt_after": settings.interrupt_after,
    }
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items() if value}


def place_of(backend: Backend) -> Place:
    """What a snippet says of the place that a book reads."""
    if backend.kind != "the Agent Server":
        return Place(awaits=backend.awaits)
    return Place(backend.address, tuple(name.lower() for name in backend.header_names))


def of_edit(
    thread_id: str,
    checkpoint_id: str,
    writes: Mapping[str, Any],
    as_node: str | None = None,
    *,
    in_copy: bool = False,
    ns: str = "",
) -> Gesture:
    """An edit.

    Args:
        thread_id: The thread.
        checkpoint_id: Below which checkpoint.
        writes: What is written; what a preview with `replace=True` says, where an edit is to come out as typed.
        as_node: The node that it comes from; None: the last one.
        in_copy: Whether in a copy of the thread.
        ns: The checkpoint's namespace.
    """
    return Gesture(thread_id, (_write(checkpoint_id, writes, as_node, ns),), in_copy)


def of_resume(
    thread_id: str, checkpoint_id: str, settings: RunSettings, input: Any = None, *, in_copy: bool = False
) -> Gesture:
    """A run on from a checkpoint, or with a new input there."""
    return Gesture(thread_id, (Run(checkpoint_id, settings, _sent(input)),), in_copy)


def of_run(thread_id: str, settings: RunSettings, input: Any = None, *, in_copy: bool = False) -> Gesture:
    """A run on from a thread's head."""
    return Gesture(thread_id, (Run(None, settings, _sent(input)),), in_copy)


def of_first_run(
    thread_id: str, settings: RunSettings, input: Any, metadata: Mapping[str, Any], *, named: bool = False
) -> Gesture:
    """A run of a new thread.

    Args:
        thread_id: The thread.
        settings: How to run.
        input: What it starts with.
        metadata: The thread's own.
        named: Whether the id was chosen. Then it may be there by the time the code is typed, and is run on, as by
            `book.run(thread_id, …, if_not_exists="create")`.
    """
    new: dict[str, Any] = {"thread_id": thread_id, "if_exists": "do_nothing"} if named else {}
    new |= {"metadata": MaskedDict(metadata)} if metadata else {}
    return Gesture(thread_id, (Run(None, settings, _sent(input)),), new=new)


def of_fork(
    thread_id: str,
    checkpoint_id: str,
    writes: Mapping[str, Any],
    settings: RunSettings,
    as_node: str | None = None,
    input: Any = None,
    *,
    in_copy: bool = False,
    ns: str = "",
) -> Gesture:
    """An edit, and a run on from it; after one inside a subgraph the whole graph goes on."""
    steps = _write(checkpoint_id, writes, as_node, ns), Run(None, settings, _sent(input))
    return Gesture(thread_id, steps, in_copy)


def of_replay(
    thread_id: str, checkpoint_id: str, settings: RunSettings, *, beside: bool = False, in_copy: bool = False
) -> Gesture:
    """A run that asks anew what was answered before; with `beside` from a sibling of the checkpoint, made for it."""
    steps: tuple[Step, ...] = (Run(checkpoint_id, settings),)
    if beside:
        steps = (Write(checkpoint_id, {}, COPY), Run(None, settings))
    return Gesture(thread_id, steps, in_copy)


def of_answer(
    thread_id: str,
    checkpoint_id: str,
    settings: RunSettings,
    answers: Mapping[str, Any],
    asked: Sequence[Mapping[str, Any]],
    *,
    replay: Gesture | None = None,
    in_copy: bool = False,
) -> Gesture:
    """Answers to interrupts.

    Args:
        thread_id: The thread.
        checkpoint_id: The one that asks.
        settings: How to run.
        answers: By the interrupts' ids.
        asked: All that is open there, as `cp.waiting_for` has it: `id` and `value`.
        replay: What is done first, so that it asks anew.
        in_copy: Whether in a copy of the thread.
    """
    replies, before = [], list[Any]()
    for question in asked:
        if question["id"] in answers:
            nth = before.count(question["value"])
            replies.append(Reply(question["id"], question["value"], nth, answers[question["id"]]))
        before.append(question["value"])
    first = replay.steps if replay else ()
    run = Run(None if first else checkpoint_id, settings, replies=tuple(replies), alone=_alone(asked, answers))
    return Gesture(thread_id, (*first, run), in_copy)


def of_copy(thread_id: str) -> Gesture:
    """A copy of a whole thread, compared with it."""
    return Gesture(thread_id, in_copy=True)


def _alone(asked: Sequence[Any], answers: Mapping[str, Any]) -> bool:
    """Whether LangGraph takes the one answer as it is: not as none at all, nor as answers by ids."""
    (value, *_) = answers.values()
    by_ids = isinstance(value, Mapping) and all(len(str(key)) == 32 for key in value)
    return len(asked) == 1 and value is not None and not by_ids


def _write(checkpoint_id: str, writes: Mapping[str, Any], as_node: str | None, ns: str) -> Write:
    return Write(checkpoint_id, as_written(writes, as_node), as_node, ns)


def inner(step: Write) -> dict[str, str] | None:
    """Of a write inside a subgraph the checkpoint as the SDKs take it."""
    return {"checkpoint_ns": step.ns, "checkpoint_id": str(step.checkpoint_id)} if step.ns else None


def _sent(values: Any) -> Any:
    """Values as LangGraph takes them: those of a state that is no mapping stand alone."""
    return values[ROOT] if isinstance(values, Mapping) and set(values) == {ROOT} else values
