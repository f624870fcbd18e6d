"""How far a sweep in the background is, with a button that stops it."""

from typing import TYPE_CHECKING

import ipywidgets as w
from IPython.display import display

from .work import Status, Worker

if TYPE_CHECKING:
    from ..sweep.result import Sweep


class SweepBar(w.VBox):
    """A bar, a Stop button, and a line that says how the branches ended."""

    def __init__(self, sweep: "Sweep") -> None:
        self.sweep = sweep
        self.bar = w.IntProgress(max=len(sweep.rows), description="sweep")
        self.stop = w.Button(description="Stop", tooltip="Cancel what runs; finished branches stay")
        self.status = Status()
        super().__init__([w.HBox([self.bar, self.stop]), self.status])
        self.add_class("forkbook-sweep")
        self.stop.on_click(Worker(self.status, []).guarded(self._stop))
        self.status.say(sweep.summary(), "busy")

    def shown(self) -> "SweepBar":
        """The same, under the running cell."""
        display(self)  # type: ignore[no-untyped-call]
        return self

    def advance(self, branches: int) -> None:
        """Some more branches have ended; 0: the sweep has."""
        self.bar.value += branches
        if not branches:
            self.stop.disabled = True
        if not branches or not self.sweep.stopping:
            self.status.say(self.sweep.summary(), "busy" if branches else "ok")

    def _stop(self, _: object) -> None:
        self.stop.disabled = True
        self.status.say("stopping: what runs is being cancelled", "busy")
        self.sweep.stop()
