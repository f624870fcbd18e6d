"""Runs while they go on: an act in the background, a thread that others drive."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Generic

from typing_extensions import TypeVar

from ..aio import given_up, running_loop, wait
from ..backends.contract import Backend
from ..backends.events import Event, StopRun
from ..errors import InvalidInput
from ..model.text import short, shown
from .options import check_names

C = TypeVar("C")
R = TypeVar("R", default=Any)
LOOK_SECONDS = 0.02
CHECKPOINT_ACTS, BOOK_ACTS = ("resume", "fork", "answer"), ("run",)


def follow(
    backend: Backend,
    thread_id: str,
    look: Callable[[], Iterable[C]],
    on_checkpoint: Callable[[C], object] | None,
    poll: float,
    seconds: float | None,
    until_idle: bool,
) -> list[C]:
    """Look again whenever a thread has changed; what is new, as `look` gives it. See `History.follow`."""
    before, found = None, []
    until = None if seconds is None else time.monotonic() + seconds
    try:
        while not given_up():
            pulse, busy = backend.pulse(thread_id)
            if (pulse, busy) != before:
                before = pulse, busy
                for checkpoint in look():
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


class Running(Generic[R]):
    """An act in a thread of its own; iterating gives its events as they come, until its end.

        running = Running(cp.fork, {"topic": "chickens"})
        for event in running:
            print(event.text)
        act = running.wait()

    Args:
        act: `resume`, `fork` or `answer` of a checkpoint, or `run` of a book.
        *args, **kwargs: Its arguments; what they are refused for, `wait` raises.

    Attributes:
        events (list[Event]): What the run reported so far.

    Raises:
        InvalidInput: It is no such method, or takes no such arguments; nothing was begun.
    """

    def __init__(self, act: Callable[..., R], *args: Any, **kwargs: Any) -> None:
        self._backend, self._name = _of_act(act, args, kwargs)
        self.events: list[Event] = []
        self._changed, self._stopping = threading.Condition(), False
        self._act: R | None = None
        self._error: BaseException | None = None
        self._started, self._ended = time.monotonic(), 0.0
        self._listener = kwargs.pop("on_event", None)
        threading.Thread(target=self._work, args=(act, args, kwargs), name="forkbook run", daemon=True).start()

    @shown
    def __repr__(self) -> str:
        how = "ended" if self.done else "stopping" if self.stopping else "under way"
        return f"<Running {self._name} · {how} · {self.seconds:.1f} s · {len(self.events):,} events>"

    def _work(self, act: Callable[..., R], args: Any, kwargs: Any) -> None:
        try:
            self._act = act(*args, **kwargs, on_event=self._take)
        except BaseException as error:
            self._error = error
        with self._changed:
            self._ended = time.monotonic()
            self._changed.notify_all()

    def _take(self, event: Event) -> None:
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
        """Whether `stop` was called."""
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

    def wait(self, seconds: float | None = None) -> R:
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
    owner, name = getattr(act, "__self__", None), getattr(act, "__name__", "")
    spot = getattr(owner, "spot", None)
    backend = getattr(spot or owner, "backend", None)
    if not isinstance(backend, Backend) or name not in (BOOK_ACTS if spot is None else CHECKPOINT_ACTS):
        raise InvalidInput(
            "give a method that runs the graph, and its arguments, as in Running(cp.fork, {'topic': 'chickens'}): "
            f"resume, fork or answer of a checkpoint, or run of a book; this is {short(act)}"
        )
    try:
        check_names(inspect.signature(act).bind(*args, **kwargs).arguments.get("options", ()))
    except TypeError as error:
        raise InvalidInput(f"{name} cannot be called like this: {error}") from error
    if (on_event := kwargs.get("on_event")) is not None and not callable(on_event):
        raise InvalidInput(f"on_event is a function that takes an event, not {short(on_event)}")
    return backend, name
