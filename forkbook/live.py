"""Runs while they go on: a thread run on from its head, an act in the background, a thread that others drive."""

from __future__ import annotations

import dataclasses
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
from .errors import InvalidInput, Refused, ThreadBusy
from .manner import Manner

if TYPE_CHECKING:
    from .book import Book
    from .checkpoint import Checkpoint
    from .history import History

LOOK_SECONDS = 0.02


def run(
    book: Book,
    thread_id: str | None,
    input: Any,
    thread_metadata: Mapping[str, Any] | None,
    manner: Manner,
    **given: Any,
) -> Act:
    """Run a thread on from its head, or a new one; whatever can be refused is refused before anything is written."""
    backend = book.backend
    backend.require("run", "run a graph")
    if thread_id is not None:
        if thread_metadata is not None:
            raise InvalidInput(f"thread_metadata is for a new thread, and thread {thread_id} is to be there already")
        _free(backend, thread_id, manner)
    history = None if thread_id is None else book.history(thread_id)
    head = history[-1] if history else None
    how = runs.settings(backend, _own(backend, history, head), thread_id or "a new thread", **given)
    graph = backend.graph(str(how.assistant))
    sent = runs.new_input(backend, graph, head.state if head else {"values": {}}, input)
    _something_to_run(head, sent)
    if history is None:
        history = _new_thread(book, graph.graph_id, thread_metadata or {})
    outcome = manner.run(backend, history.thread_id, None, how, input=sent)
    act = led("run", history, head.id if head else None, outcome, how, ())
    gesture = snippets.of_run(history.thread_id, how, sent, new=thread_id is None)
    return dataclasses.replace(act, gesture=gesture)


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


def _new_thread(book: Book, graph_id: str, metadata: Mapping[str, Any]) -> History:
    from .history import History

    thread_id = str(uuid.uuid4())
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
        act: A method that takes `on_event`: `resume`, `fork` or `answer` of a checkpoint, or `run` of a book.
        *args, **kwargs: Its arguments.

    Attributes:
        events: What the run told so far.
    """

    def __init__(self, act: Callable[..., Act], *args: Any, **kwargs: Any) -> None:
        owner = getattr(act, "__self__", None)
        book = getattr(getattr(owner, "history", None), "book", owner)
        if not isinstance(getattr(book, "backend", None), Backend):
            raise InvalidInput("give a method of a checkpoint or a book, as in Running(cp.fork, {'topic': 'chickens'})")
        self._backend: Backend = book.backend  # type: ignore[union-attr]
        self.events: list[Event] = []
        self._changed, self._stopping = threading.Condition(), False
        self._act: Act | None = None
        self._error: BaseException | None = None
        self._started, self._ended = time.monotonic(), 0.0
        self._listener = kwargs.pop("on_event", None)
        threading.Thread(target=self._work, args=(act, args, kwargs), name="forkbook run", daemon=True).start()

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
