"""Run a sweep: each variant in turn in one thread, or side by side in copies of it."""

from __future__ import annotations

import dataclasses
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Generic

from ..acts import answer, run_settings, write
from ..acts.act import C, H
from ..acts.options import Options
from ..acts.spot import Spot
from ..acts.trial_errors import about_the_checkpoint
from ..acts.typed_edits import TypedEdit
from ..aio import running_loop
from ..backends.records import RunOutcome, RunSettings
from ..errors import ForkbookError, InvalidInput, Refused, Unsupported
from ..marks import SWEEP, SWEEP_AT, SWEEP_OF, mark_of_copy
from .result import Sweep, moved
from .rows import Row
from .variants import Answer, Edit, Variant

JOURNAL_SECONDS = 1.0
CANCEL_SECONDS = 0.3


@dataclass
class Runner(Generic[H, C]):
    """A sweep under way.

    Attributes:
        sweep: What it fills.
        here: The checkpoint, as it was when the sweep began.
        typed: For each variant its edit, checked.
        inputs: For each variant its input as the place takes it.
        how: How its runs are run.
        given: What the user said of that.
        concurrency: How many copies run at a time; 0: all in the thread itself.
        budget: Spent tokens at which no further variant is started.
        score: What judges a branch.
        show: Called with how many branches have ended since the last call.
        over: Nothing runs any more.
        done: Scores are there, too.
        stopping: Nothing more is to be started.
    """

    sweep: Sweep[H, C]
    here: Spot
    typed: list[TypedEdit]
    inputs: list[Any]
    how: RunSettings
    given: Mapping[str, Any]
    concurrency: int
    budget: int | None
    score: Callable[[C], Any] | None
    show: Callable[[int], object] = lambda _: None
    over: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    _active: set[str] = field(default_factory=set)
    _tried: dict[int, write.Preview] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _written: float = 0.0

    def __post_init__(self) -> None:
        self.backend = self.here.backend
        metadata = (self.backend.thread(self.sweep.thread_id).get("metadata") if self.concurrency else None) or {}
        older = [key for key in metadata if key.startswith(f"{SWEEP}_") and key not in (SWEEP_OF, SWEEP_AT)]
        self.journals = [f"{SWEEP}_{self.sweep.id}", *older]

    def run(self, show: Callable[[int], object] | None = None) -> Sweep[H, C]:
        """Try every variant; an interrupt of the kernel ends it, and what is finished stays.

        Args:
            show: Called with how many branches have ended since the last call, 0 at the end; None: tqdm's bar shows it.
        """
        if self.concurrency and self.backend.awaits and running_loop():
            raise Unsupported(
                f"{self.backend.kind} {self.backend.address} needs the event loop that this very call keeps busy: "
                "await cp.asweep(…, parallel=True), or leave parallel out"
            )
        try:
            self._try_all(show)
            if self.score:
                self.sweep._judge(self.score)
            self.sweep._warn_if_cut()
        finally:
            self.done.set()
            self.show(0)
        return self.sweep

    def _try_all(self, show: Callable[[int], object] | None) -> None:
        from tqdm.auto import tqdm

        self._journal(now=True)
        try:
            with tqdm(total=len(self.sweep.rows), desc="sweep", unit="branch", disable=show is not None) as bar:
                self.show = show or bar.update
                if self.concurrency:
                    self._side_by_side()
                else:
                    self._one_by_one()
        finally:
            self._over()

    def start(self, bar: Callable[[Any], Callable[[int], object]] | None = None) -> Sweep[H, C]:
        """The same in the background.

        Args:
            bar: Shows how far it is, in a notebook: takes the sweep, and gives what `run` takes as `show`.
        """
        show = bar(self.sweep) if bar and in_notebook() else None
        threading.Thread(target=self.run, args=(show,), name="forkbook sweep", daemon=True).start()
        return self.sweep

    def stop(self) -> None:
        """Cancel what runs, start nothing more; returns at once."""
        if not self.stopping.is_set():
            self.stopping.set()
            threading.Thread(target=self._cancel, name="forkbook stop", daemon=True).start()

    def _cancel(self) -> None:
        while True:
            for thread_id in list(self._active):
                with suppress(ForkbookError):
                    self.backend.cancel(thread_id)
            if self.over.wait(CANCEL_SECONDS):  # else again: a run may have been on its way to the server
                return

    def _over(self) -> None:
        if self.stopping.is_set():
            for index, row in enumerate(self.sweep.rows):
                if row.outcome in ("not run", "running"):
                    self._put(index, outcome="cancelled")
        self._journal(now=True)
        self.over.set()

    def _one_by_one(self) -> None:
        try:
            for index in range(len(self.sweep.rows)):
                self._branch(index)
        except KeyboardInterrupt:  # the run is cancelled already, by the backend
            self.stopping.set()
        with suppress(ForkbookError):
            self.sweep._reread(self.sweep.thread_id)

    def _side_by_side(self) -> None:
        from concurrent.futures import ThreadPoolExecutor, wait

        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="forkbook sweep")
        left = {pool.submit(copy_context().run, self._branch, index) for index in range(len(self.sweep.rows))}
        while left:
            try:
                finished, left = wait(left, timeout=1, return_when="FIRST_COMPLETED")
                for future in finished:
                    future.result()
            except KeyboardInterrupt:
                if self.stopping.is_set():  # asked twice: what cannot be cancelled ends by itself
                    break
                self.stop()
        pool.shutdown(wait=not left, cancel_futures=True)

    def _branch(self, index: int) -> None:
        """One row: a copy where asked for, edit, run; what goes wrong is in the row."""
        if self.stopping.is_set() or self._spent_out():
            return
        began = time.monotonic()
        self._put(index, outcome="running")
        ended: dict[str, Any] = {"outcome": "cancelled"}
        try:
            ran = self._ran(index)
            cancelled = self.stopping.is_set() and ran.status == "interrupted"
            failed = ran.status in ("error", "timeout")
            outcome = "cancelled" if cancelled else "error" if failed else "ended"
            ended = {"outcome": outcome, "error": (ran.error or ran.status) if failed else None}
        except Exception as error:
            said = str(error) if isinstance(error, ForkbookError) else f"{type(error).__name__}: {error}"
            ended = {"outcome": "error", "error": said}
        finally:
            row = self._put(index, **ended, seconds=time.monotonic() - began)
            self._active.discard(row.thread_id)
        if self.concurrency or self.budget is not None:
            with suppress(ForkbookError):
                self.sweep._reread(row.thread_id)
        self._journal()
        self.show(1)

    def _ran(self, index: int) -> RunOutcome:
        row = self.sweep.rows[index]
        variant, marks = row.variant, {**(self.given.get("metadata") or {}), **self.sweep._marks(row)}
        if self.concurrency:
            copy_id = self.backend.copy(self.sweep.thread_id)
            row = self._put(index, thread_id=copy_id)
            blank = dict.fromkeys(self.journals)  # or each copy would keep what all the others did
            made = mark_of_copy(self.sweep.thread_id, copy_id)
            self.backend.tag(copy_id, {**blank, **made, SWEEP_AT: copy_id, **marks})
        at = self.here.id
        if isinstance(variant.change, Edit):
            at = self._edited(index)
        self._active.add(row.thread_id)
        if isinstance(variant.change, Answer):
            options = Options({**self.given, "metadata": marks})
            done = answer.answer(self._place(row.thread_id), variant.change.value, variant.change.by_id, options)
            if variant.input is None or done.error:
                return RunOutcome(done.run_id or "", "error" if done.status == "error" else "success", done.error)
            at = done.spot.id
        how = dataclasses.replace(self.how, metadata=run_settings.marks(marks, self.how.config))
        return self.backend.run(row.thread_id, at, how, input=self.inputs[variant.number])

    def _place(self, thread_id: str) -> Spot:
        """The sweep's checkpoint as it is now, in the thread or a copy of it."""
        if self.concurrency:
            return self.here.in_facts(moved(self.here.facts, thread_id), self.here.id)
        return self.here.now()

    def _edited(self, index: int) -> str:
        """Write a variant's edit; in the thread itself only what was tried on a scratch copy before.

        Raises:
            Refused: It does not come out as typed, or nothing would run after it.
        """
        row = self.sweep.rows[index]
        variant, typed = row.variant, self.typed[row.variant.number]
        writes = typed.values
        if variant.replace or typed.whole or not self.concurrency:
            writes = self._trial(variant).writes
        with self._about_the_thread(row.thread_id):
            new_id, state = write.written(self.backend, row.thread_id, self.here.state, writes, variant.as_node)
        left = typed.deviations(state["values"], variant.replace)
        self._put(index, start_id=new_id, deviation="; ".join(map(str, left)) or None)
        if variant.input is None and state["next"] is not None:
            something_runs(tuple(state["next"]))
        return new_id

    @contextmanager
    def _about_the_thread(self, thread_id: str) -> Iterator[None]:
        """Errors at an edit in a copy, worded for the thread that the user knows; such a copy cannot be read."""
        if not self.concurrency:
            yield
            return
        try:
            with about_the_checkpoint(self.backend, self.sweep.thread_id, self.here.state, "a copy"):
                yield
        except InvalidInput:
            with suppress(ForkbookError):
                self.backend.delete(thread_id)
            raise

    def _trial(self, variant: Variant) -> write.Preview:
        """What the edit makes of a scratch copy; looked at once for all its branches."""
        if variant.number not in self._tried:
            tried = write.preview(
                self.backend,
                self.sweep.thread_id,
                self.here.state,
                self.typed[variant.number],
                variant.as_node,
                variant.replace,
            )
            if variant.replace and tried.deviations:
                raise Refused(f"no write makes channel {tried.deviations[0]}")
            if variant.input is None and tried.next is not None:
                something_runs(tried.next)
            self._tried[variant.number] = tried
        return self._tried[variant.number]

    def budgeted(self) -> str:
        """The budget and what was spent of it, in words."""
        at_once = f", here of up to {self.concurrency} at a time" if self.concurrency > 1 else ""
        return (
            f"max_total_tokens is {self.budget:,}, spent were {self.sweep.totals()}: no branch starts beyond it, and "
            f"what is under way then{at_once} runs to its end"
        )

    def _spent_out(self) -> bool:
        return self.budget is not None and self.sweep.spent() >= self.budget

    def _put(self, index: int, **more: Any) -> Row:
        self.sweep.rows[index] = row = dataclasses.replace(self.sweep.rows[index], **more)
        return row

    def _journal(self, now: bool = False) -> None:
        """Keep the rows in the thread's metadata: a variant that fails leaves no checkpoint that shows it."""
        with self._lock:
            if now or time.monotonic() - self._written > JOURNAL_SECONDS:
                self._written = time.monotonic()
                with suppress(ForkbookError):
                    self.backend.tag(self.sweep.thread_id, {self.journals[0]: self.sweep._journal()})


def something_runs(following: tuple[str, ...]) -> None:
    """Check that a node runs after an edit.

    Raises:
        Refused: None does.
    """
    if not following:
        raise Refused("after this edit nothing would run: as_node names the node after which to go on")


def in_notebook() -> bool:
    """Whether a kernel runs this, so that widgets show."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")
