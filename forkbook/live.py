"""Runs while they go on: a thread run on from its head, an act in the background, a thread that others drive."""

from __future__ import annotations

import dataclasses
import inspect
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from . import runs, snippets
from .acts import Act, led
from .backends.base import Backend, RunSettings
from .backends.bridge import given_up, running_loop, wait
from .backends.streaming import Event, StopRun
from .errors import InvalidInput, Refused, ThreadBusy, ThreadNotFound
from .escape import short
from .manner import Manner

if TYPE_CHECKING:
    from .book import Book
    from .checkpoint import Checkpoint
    from .history import History

LOOK_SECONDS = 0.02
IF_NOT_EXISTS = ("reject", "create")
CHECKPOINT_ACTS, BOOK_ACTS = ("resume", "fork", "answer"), ("run",)


def run(
    book: Book,
    thread_id: str | None,
    input: Any,
    thread_metadata: Mapping[str, Any] | None,
    if_not_exists: str,
    manner: Manner,
    **given: Any,
) -> Act:
    """Run a thread on from its head, or a new one; whatever can be refused is refused before anything is written."""
    from .transfer.copymarks import checked_metadata

    backend = book.backend
    backend.require("run", "run a graph")
    create = _creates(if_not_exists)
    own = checked_metadata(thread_metadata)
    if thread_id is not None and thread_metadata is not None and not create:
        raise InvalidInput(f"thread_metadata is for a new thread, and thread {thread_id} is to be there already")
    history = None if thread_id is None else _there(book, thread_id, manner, create=create)
    head = history[-1] if history else None
    how = runs.settings(backend, _own(backend, history, head), thread_id or "a new thread", **given)
    graph = backend.graph(str(how.assistant))
    sent = runs.new_input(backend, graph, head.state if head else {"values": {}}, input)
    _something_to_run(head, sent)
    notes = () if history is None else _metadata_kept(history, own)
    if history is None:
        history = _new_thread(book, thread_id, graph.graph_id, own)
        gesture = snippets.of_first_run(history.thread_id, how, sent, own, named=thread_id is not None)
    else:
        gesture = snippets.of_run(history.thread_id, how, sent)
    outcome = manner.run(backend, history.thread_id, None, how, input=sent)
    act = led("run", history, head.id if head else None, outcome, how, notes)
    return dataclasses.replace(act, gesture=gesture)


def _creates(if_not_exists: Any) -> bool:
    if if_not_exists not in IF_NOT_EXISTS:
        raise InvalidInput(
            f"if_not_exists is {short(if_not_exists)}: LangGraph has {', '.join(IF_NOT_EXISTS)}",
            candidates=IF_NOT_EXISTS,
        )
    return bool(if_not_exists == "create")


def _there(book: Book, thread_id: str, manner: Manner, *, create: bool) -> History | None:
    """The thread, once it is free; None: it is to be made."""
    try:
        _free(book.backend, thread_id, manner)
        return book.history(thread_id)
    except ThreadNotFound as error:
        if create:
            return None
        error.args = (f"{error}; with an input, if_not_exists='create' begins a thread under this id",)
        raise


def _metadata_kept(history: History, wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """What to tell where a thread was to get metadata, but is there already, as LangGraph tells nobody."""
    held = history.book.backend.thread(history.thread_id).get("metadata") or {} if wanted else {}
    left = [key for key, value in wanted.items() if key not in held or held[key] != value]
    told = f"thread {history.thread_id} was there already: its metadata {', '.join(left)} is as it was"
    return (told,) if left else ()


def _free(backend: Backend, thread_id: str, manner: Manner) -> None:
    if not manner.ready(backend, thread_id) and backend.thread(thread_id).get("status") == "busy":
        raise ThreadBusy(
            f"thread {thread_id} is busy with a run: busy='wait' waits for its end, busy='enqueue' lets the server run "
            "this one after it",
            thread_id=thread_id,
        )


def _own(backend: Backend, history: History | None, head: Checkpoint | None) -> RunSettings:
    """How the thread's last run was run; of a thread that has none, its graph, or the only one there is."""
    if head:
        return head.own_settings()
    graph_id = history.graph_id if history is not None else None
    known = [] if graph_id else backend.assistants()
    return RunSettings(graph_id or (known[0] if len(known) == 1 else None))


def _something_to_run(head: Checkpoint | None, sent: Any) -> None:
    if sent is not None:
        return
    if head is None:
        raise Refused("a thread without a checkpoint starts with an input: give one, {} if the graph needs nothing")
    runs.not_finished(head.state)


def _new_thread(book: Book, thread_id: str | None, graph_id: str, metadata: Mapping[str, Any]) -> History:
    from .history import History

    thread_id = thread_id or str(uuid.uuid4())
    if "create" in book.backend.abilities:
        book.backend.create(thread_id, graph_id, metadata, ())
    elif metadata:
        book.backend.tag(thread_id, metadata)
    return History(book, thread_id, {})


def follow(
    history: History,
    on_checkpoint: Callable[[Checkpoint], object] | None,
    poll: float,
    seconds: float | None,
    until_idle: bool,
) -> list[Checkpoint]:
    """Refresh a history whenever its thread has changed; see `History.follow`."""
    backend, before, found = history.book.backend, None, []
    until = None if seconds is None else time.monotonic() + seconds
    try:
        while not given_up():
            pulse, busy = backend.pulse(history.thread_id)
            if (pulse, busy) != before:
                before = pulse, busy
                known = set(history.tree.index)
                for checkpoint in history.refresh():
                    if checkpoint.id not in known:
                        found.append(checkpoint)
                        if on_checkpoint:
                            on_checkpoint(checkpoint)
            left = poll if until is None else until - time.monotonic()
            if left <= 0 or (until_idle and busy is False):
                break
            _sleep(backend, min(poll, left))
    except KeyboardInterrupt:
        pass  # as a cell is stopped: what has come is here
    return found


def _sleep(backend: Backend, seconds: float) -> None:
    """Sleep; where this thread runs a loop that the place may need, a kernel's, the loop turns meanwhile."""
    if backend.awaits and running_loop() is not None:
        import asyncio

        wait(partial(asyncio.sleep, seconds), None)
    else:
        time.sleep(seconds)


class Running:
    """An act in a thread of its own; iterating gives its events as they come, until its end.

        running = Running(cp.fork, {"topic": "chickens"})
        for event in running:
            print(event.text)
        act = running.wait()

    Args:
        act: `resume`, `fork` or `answer` of a checkpoint, or `run` of a book.
        *args, **kwargs: Its arguments; what they are refused for, `wait` raises.

    Attributes:
        events (list[Event]): What the run told so far.

    Raises:
        InvalidInput: It is no such method, or takes no such arguments; nothing was begun.
    """

    def __init__(self, act: Callable[..., Act], *args: Any, **kwargs: Any) -> None:
        self._backend, self._name = _of_act(act, args, kwargs)
        self.events: list[Event] = []
        self._changed, self._stopping = threading.Condition(), False
        self._act: Act | None = None
        self._error: BaseException | None = None
        self._started, self._ended = time.monotonic(), 0.0
        self._listener = kwargs.pop("on_event", None)
        threading.Thread(target=self._work, args=(act, args, kwargs), name="forkbook run", daemon=True).start()

    def __repr__(self) -> str:
        how = "ended" if self.done else "stopping" if self.stopping else "under way"
        return f"<Running {self._name} · {how} · {self.seconds:.1f} s · {len(self.events):,} events>"

    def _work(self, act: Callable[..., Act], args: Any, kwargs: Any) -> None:
        try:
            self._act = act(*args, **kwargs, on_event=self._heard)
        except BaseException as error:
            self._error = error
        with self._changed:
            self._ended = time.monotonic()
            self._changed.notify_all()

    def _heard(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()
        if self._listener:
            self._listener(event)
        if self._stopping:
            raise StopRun

    def __iter__(self) -> Iterator[Event]:
        given = 0
        while fresh := self._after(given):
            yield from fresh
            given += len(fresh)

    def _after(self, given: int) -> list[Event]:
        """The events after so many, once there are some; none: it has ended."""
        self._until(lambda: len(self.events) > given or self.done)
        with self._changed:
            return self.events[given:]

    def _until(self, reached: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait for something, without standing in the way of a loop that the act needs."""
        if not self._backend.awaits or running_loop() is None:
            with self._changed:
                return self._changed.wait_for(reached, seconds)
        until = None if seconds is None else time.monotonic() + seconds
        while not reached() and (until is None or time.monotonic() < until):
            _sleep(self._backend, LOOK_SECONDS)
        return reached()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._ended > 0

    @property
    def seconds(self) -> float:
        """How long it has been under way, or was."""
        return (self._ended or time.monotonic()) - self._started

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping

    def stop(self) -> None:
        """Cancel the run; what it wrote stays, and `wait` gives the act. Returns at once.

        On a server whatever node is under way is cut off. In this process the run ends with the next event; a sync node
        comes to its end first.
        """
        self._stopping = True
        with self._changed:
            ids = [(event.thread_id, event.run_id) for event in self.events if event.kind == "start"]
        if ids and not self.done:
            self._backend.cancel(*ids[-1])

    def wait(self, seconds: float | None = None) -> Act:
        """The act, once it has ended; what it raised is raised here.

        Raises:
            TimeoutError: It is not done in time.
        """
        if not self._until(lambda: self.done, seconds):
            raise TimeoutError(f"the run is still under way after {seconds} s")
        if self._act is None:
            raise self._error or RuntimeError("the act gave nothing")
        return self._act


def _of_act(act: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Backend, str]:
    """Where an act is to happen, and its name.

    Raises:
        InvalidInput: It is none, or does not take these arguments.
    """
    from .book import Book
    from .checkpoint import Checkpoint

    owner, name = getattr(act, "__self__", None), getattr(act, "__name__", "")
    acts, book = (CHECKPOINT_ACTS, owner.history.book) if isinstance(owner, Checkpoint) else (BOOK_ACTS, owner)
    if not isinstance(book, Book) or name not in acts:
        raise InvalidInput(
            "give a method that runs the graph, and its arguments, as in Running(cp.fork, {'topic': 'chickens'}): "
            f"resume, fork or answer of a checkpoint, or run of a book; this is {short(act)}"
        )
    try:
        inspect.signature(act).bind(*args, **kwargs)
    except TypeError as error:
        raise InvalidInput(f"{name} cannot be called like this: {error}") from error
    if (on_event := kwargs.get("on_event")) is not None and not callable(on_event):
        raise InvalidInput(f"on_event is a function that takes an event, not {short(on_event)}")
    return book.backend, name
