"""The options that every act with a run takes, and what it does where the thread is busy."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypedDict, cast

from ..errors import InvalidInput, ThreadBusy
from ..model.secrets import veiled
from .run_settings import marks

if TYPE_CHECKING:
    from ..backends.contract import Backend
    from ..backends.events import OnEvent
    from ..backends.records import RunOutcome, RunSettings

BUSY = {"refuse": "reject", "wait": "reject", "enqueue": "enqueue"}
STRATEGIES = ("reject", "enqueue", "interrupt", "rollback")
LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class BusyPolicy:
    """What receives the events of an act's run, and what the act does where the thread is busy.

    Attributes:
        on_event: Called with each `Event` of the run, in the thread that acts; None: the run is not streamed.
        busy: Where the thread is busy: `refuse`, `wait` until it is idle, or `enqueue` (the server runs it then).
        busy_timeout: How many seconds to wait.
        multitask_strategy: LangGraph's own word in the place of `busy`: `reject`, `enqueue`, `interrupt` (end the
            other run, keep what it wrote) or `rollback` (end it, and delete what it wrote).

    Raises:
        InvalidInput: There is no such choice.
    """

    on_event: OnEvent | None = None
    busy: str = "refuse"
    busy_timeout: float = 600
    multitask_strategy: str | None = None

    def __post_init__(self) -> None:
        given, known = self.multitask_strategy, STRATEGIES
        if self.busy not in BUSY:
            raise InvalidInput(f"busy is {self.busy!r}: give {', '.join(BUSY)}", candidates=list(BUSY))
        if given is not None and given not in known:
            raise InvalidInput(f"multitask_strategy is {given!r}: LangGraph has {', '.join(known)}", candidates=known)
        if given is not None and self.busy != "refuse":
            raise InvalidInput(f"busy={self.busy!r} and multitask_strategy={given!r} say two things: give one")
        if self.on_event is not None and not callable(self.on_event):
            raise InvalidInput(f"on_event is a function that takes an event, not a {type(self.on_event).__name__}")

    @property
    def strategy(self) -> str:
        """LangGraph's word."""
        return self.multitask_strategy or BUSY[self.busy]

    def ready(self, backend: Backend, thread_id: str, *, edits: bool = False) -> bool:
        """Wait for the thread if that is asked for; whether it may be busy all the same.

        Args:
            backend: Where it is.
            thread_id: The thread.
            edits: Whether the act writes before it runs: no server queues that, so `enqueue` is to wait.

        Raises:
            ThreadBusy: It still is after `busy_timeout` seconds.
            InvalidInput: The act writes before it runs, which no strategy allows on a busy thread.
        """
        if self.busy == "wait" or (edits and self.busy == "enqueue"):
            await_idle(backend, thread_id, time.monotonic() + self.busy_timeout)
        elif edits and self.strategy != "reject":
            raise InvalidInput(
                f"multitask_strategy={self.strategy!r} is for runs alone: an edit is refused by a busy thread; "
                "busy='wait' waits for it"
            )
        return self.strategy != "reject" and not edits

    def run(
        self, backend: Backend, thread_id: str, checkpoint_id: str | None, how: RunSettings, **sent: Any
    ) -> RunOutcome:
        """Run, and once more if another run came first while this was to wait."""
        deadline, more = time.monotonic() + self.busy_timeout, dict[str, Any]()
        how = replace(how, metadata=marks(how.metadata, how.config))
        if self.on_event is not None:
            more["on_event"] = self.on_event
        if self.strategy != "reject":
            more["multitask_strategy"] = self.strategy
        while True:
            try:
                return backend.run(thread_id, checkpoint_id, how, **sent, **more)
            except ThreadBusy:
                if self.busy != "wait" or time.monotonic() > deadline:
                    raise
            await_idle(backend, thread_id, deadline)


class RunOptions(TypedDict, total=False):
    """The keywords of `resume`, `fork`, `answer` and `run`; each is described at `Checkpoint.resume`."""

    assistant: str | None
    config: Mapping[str, Any] | None
    context: Mapping[str, Any] | None
    interrupt_before: str | Sequence[str] | None
    interrupt_after: str | Sequence[str] | None
    metadata: Mapping[str, Any] | None
    on_event: OnEvent | None
    busy: str
    busy_timeout: float
    multitask_strategy: str | None


OF_POLICY = ("on_event", "busy", "busy_timeout", "multitask_strategy")
OF_RUN = tuple(name for name in RunOptions.__annotations__ if name not in OF_POLICY)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of an act, checked.

    Attributes:
        settings: Those that say how the graph is run, by LangGraph's names; their values show no secrets.
        policy: Those that say what happens around the run.
        in_copy: Whether to act in a copy of the thread.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    policy: BusyPolicy = field(default_factory=BusyPolicy)
    in_copy: bool = False

    @classmethod
    def of(cls, given: RunOptions, in_copy: bool = False) -> Options:
        """The options that a caller gave as keywords; what is secret in `given` itself is veiled, too.

        Raises:
            TypeError: There is no such option, as Python says it of a keyword.
            InvalidInput: A value cannot be right.
        """
        check_names(given)
        named = cast(dict[str, Any], given)
        named |= {name: veiled(named[name]) for name in OF_RUN if name in named}  # the caller's frame holds this dict
        policy = BusyPolicy(**{name: named[name] for name in OF_POLICY if name in named})
        return cls({name: named.get(name) for name in OF_RUN}, policy, in_copy)


def check_names(given: Iterable[str]) -> None:
    """Check that these are options of a run.

    Raises:
        TypeError: One is not, as Python says it of a keyword.
    """
    known = (*OF_RUN, *OF_POLICY)
    if unknown := [name for name in given if name not in known]:
        raise TypeError(f"got an unexpected keyword argument {unknown[0]!r}; there is {', '.join(known)}")


def await_idle(backend: Backend, thread_id: str, deadline: float) -> None:
    """Wait until no run is under way; a place that does not know of any has none.

    Raises:
        ThreadBusy: One still is at the deadline (in `time.monotonic()`).
    """
    while backend.thread(thread_id).get("status") == "busy":
        if time.monotonic() > deadline:
            raise ThreadBusy(
                f"thread {thread_id} is still busy with a run after the time that busy_timeout gives: wait longer, or "
                "act in a copy (in_copy=True)",
                thread_id=thread_id,
            )
        time.sleep(LOOK_SECONDS)
