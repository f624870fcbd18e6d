"""Work behind the explorer: one job at a time, in a thread; whatever becomes of it is said, no exception is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import ForkbookError, Refused
from .main_loop import MainLoop

TOLD_EVERY = 1.0  # seconds between two words on how long a job takes
WAIT_STEP = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job, as the line under the explorer says it.

    Attributes:
        kind: `ok`, `failed`, `stopped` or `waiting`: what the run did, or the job.
        text: One line.
        details: What else one should know, one line each.
        act: Its index among the acts of this sitting; -1: it is none.
        position: The checkpoint that it led to; -1: none.
    """

    kind: str
    text: str
    details: tuple[str, ...] = ()
    act: int = -1
    position: int = -1


def failure(error: BaseException) -> Result:
    """An exception as a result: the first line of its text, the others as details."""
    first, *rest = said(error).splitlines() or [""]
    return Result("failed", first, tuple(line for line in rest if line.strip()))


def said(error: BaseException) -> str:
    """An exception in words; one that is not forkbook's own with its type."""
    text = str(error) if isinstance(error, ForkbookError) else f"{type(error).__name__}: {error}"
    return "\n".join([text, *getattr(error, "__notes__", ())])


def in_thread(work: Callable[[], object], name: str) -> threading.Thread:
    """Begin some work in a thread of its own."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


class Stoppable(Protocol):
    """A `Running`."""

    def stop(self) -> None:
        """Cancel the run; what it wrote stays."""


class Jobs:
    """Runs jobs in a thread, one at a time.

    Args:
        main: The loop of the notebook.
        tell: Called with what is going on, as the trait `running` has it, while a job is under way; None: it ended.
        end: Called with what became of each job, before the next one can start.
    """

    def __init__(
        self, main: MainLoop, tell: Callable[[dict[str, Any] | None], object], end: Callable[[Result], object]
    ) -> None:
        self._main, self._tell, self._end = main, tell, end
        self._free = threading.Lock()
        self._run: Stoppable | None = None
        self._doing, self._started, self._progress = "", 0.0, dict[str, Any]()
        self.stopping = False

    def start(self, doing: str, job: Callable[[], Result], after_failure: Callable[[], object] | None = None) -> None:
        """Run a job in the background.

        Args:
            doing: What it does, in a few words.
            job: The job.
            after_failure: Called when it raised something, before that is said.

        Raises:
            Refused: Another one is under way.
        """
        if not self._free.acquire(blocking=False):
            raise Refused(f"one thing at a time: {self._doing or 'the last one'} is still under way")
        self._doing, self._started, self._progress, self.stopping = doing, time.monotonic(), {}, False
        self.show()
        done = threading.Event()

        def work() -> None:
            clock = in_thread(lambda: self._tick(done), "forkbook clock")
            result = self._result(job, after_failure)
            done.set()
            clock.join()
            self._run = None
            try:
                self._tell(None)
                self._end(result)
            except Exception as error:  # of a function that observes the explorer
                self._end(failure(error))
            finally:
                self._free.release()

        in_thread(work, "forkbook job")

    def _result(self, job: Callable[[], Result], after_failure: Callable[[], object] | None) -> Result:
        try:
            return job()
        except BaseException as error:
            result = failure(error)
        try:
            if after_failure:
                after_failure()
        except Exception as error:
            if said(error) != "\n".join((result.text, *result.details)):
                return Result("failed", result.text, (*result.details, said(error)))
        return result

    def _tick(self, done: threading.Event) -> None:
        while not done.wait(TOLD_EVERY):
            self._main.hear_interrupts(self.interrupted)
            self.show()

    def show(self, **progress: Any) -> None:
        """Tell how far the job is: `nodes` that run, `messages` as they come."""
        self._progress |= progress
        told = {"nodes": [], "messages": [], **self._progress}
        seconds = round(time.monotonic() - self._started, 1)
        self._tell({"doing": self._doing, "seconds": seconds, "stopping": self.stopping, **told})

    @contextmanager
    def stoppable(self, run: Stoppable) -> Iterator[None]:
        """While a run goes on in the job, `stop` and an interrupt of the kernel stop it."""
        self._run = run
        self._main.hear_interrupts(self.interrupted)
        try:
            yield
        finally:
            self._run = None
            self._main.end_interrupts()

    def stop(self) -> None:
        """Stop the run under way.

        Raises:
            Refused: There is none.
        """
        run = self._run
        if run is None:
            raise Refused("no run is under way that could be stopped")
        self.stopping = True
        self.show()
        run.stop()

    def interrupted(self) -> bool:
        """Stop the run under way as `stop` does, in a thread of its own; whether there is one."""
        if self._run is None:
            return False

        def stop() -> None:
            try:
                self.stop()
            except Exception as error:
                self.show(trouble=said(error))

        in_thread(stop, "forkbook stop")
        return True

    def wait(self, seconds: float, turn: Callable[[float], object] | None = None) -> None:
        """Wait for the job under way; an interrupt of the kernel stops its run, and is waited for, too.

        Args:
            seconds: How long.
            turn: Lets this thread's loop turn meanwhile, which the job needs; None: it needs none.

        Raises:
            TimeoutError: It is not done in time.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self._wait(deadline, seconds, turn)
            except KeyboardInterrupt:
                if self.stopping or not self.interrupted():
                    raise

    def _wait(self, deadline: float, seconds: float, turn: Callable[[float], object] | None) -> None:
        while not self._free.acquire(timeout=0 if turn else WAIT_STEP):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the explorer is still busy after {seconds} s: {self._doing}")
            if turn:
                turn(WAIT_STEP)
        self._free.release()


def as_trait(result: Result, count: int) -> Mapping[str, Any]:
    """A result as the trait `result` has it; `count` tells the same text twice apart."""
    return {
        "kind": result.kind,
        "text": result.text,
        "details": list(result.details),
        "act": result.act,
        "position": result.position,
        "at": count,
    }
