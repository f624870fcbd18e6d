"""Work behind a widget: one job at a time, in a thread, its end said in words; no exception of a callback is lost."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as w

from ..errors import ForkbookError
from ..model.text import escape_lines

COLORS = {"ok": "#2e7d32", "busy": "#8a6d00", "error": "#c62828"}


class Status(w.HTML):
    """A line under the widget that says what is going on, in words."""

    def __init__(self) -> None:
        super().__init__()
        self.add_class("forkbook-status")

    def say(self, text: str, kind: str = "ok") -> None:
        """Show a text; `kind` is ok, busy or error."""
        sign = {"ok": "✓", "busy": "…", "error": "✗"}[kind]
        self.value = (
            f'<div role="status" style="border-left:3px solid {COLORS[kind]};padding:2px 8px;line-height:1.4;'
            f'white-space:pre-wrap;overflow-wrap:anywhere">{sign} {escape_lines(text)}</div>'
        )

    def fail(self, error: BaseException) -> None:
        """Show an exception; one that is not forkbook's own with its type."""
        self.say(str(error) if isinstance(error, ForkbookError) else f"{type(error).__name__}: {error}", "error")


class Worker:
    """Runs jobs in a thread, one at a time, with the buttons off meanwhile."""

    def __init__(self, status: Status, controls: Sequence[Any]) -> None:
        self.status = status
        self.controls = controls
        self._busy = threading.Lock()

    def guarded(self, callback: Callable[..., Any]) -> Callable[..., None]:
        """A callback whose exceptions show in the status line."""

        def call(*args: Any) -> None:
            try:
                callback(*args)
            except Exception as error:
                self.status.fail(error)

        return call

    def start(self, doing: str, job: Callable[[], str], after_failure: Callable[[], object] | None = None) -> None:
        """Run a job in the background, telling the seconds; what it returns is shown when it is done."""
        if not self._busy.acquire(blocking=False):
            self.status.say("one thing at a time: the last one is still under way", "busy")
            return
        self.status.say(doing, "busy")
        for control in self.controls:
            control.disabled = True

        done = threading.Event()

        def tick() -> None:
            seconds = 0
            while not done.wait(1):
                seconds += 1
                self.status.say(f"{doing} ({seconds} s)", "busy")

        def run() -> None:
            ticking = threading.Thread(target=tick, name="forkbook clock", daemon=True)
            ticking.start()
            try:
                words, failed = job(), None
            except Exception as error:
                words, failed = "", error
            done.set()
            ticking.join()
            try:
                if failed is None:
                    self.status.say(words)
                else:
                    self.status.fail(failed)
                    if after_failure:
                        after_failure()
            except Exception as error:
                self.status.fail(error)
            finally:
                for control in self.controls:
                    control.disabled = False
                self._busy.release()

        threading.Thread(target=run, name="forkbook", daemon=True).start()

    def wait(self, seconds: float = 60) -> None:
        """Wait for the job under way.

        Raises:
            TimeoutError: It is not done in time.
        """
        if not self._busy.acquire(timeout=seconds):
            raise TimeoutError(f"the explorer is still busy after {seconds} s")
        self._busy.release()
