"""What a run does while it goes on: which node runs, what its model says, and a button that stops it."""

import time
from collections.abc import Callable, Iterable

import ipywidgets as w

from ..acts.act import Act
from ..acts.live import Running
from ..backends.events import Event
from ..model.states import State
from ..plot.html import GREY, ROLE_COLORS, WRAP, esc
from .work import Status, Worker

DRAWN_EVERY = 0.1  # seconds
TEXT_SHOWN = 4_000  # characters of a message, its newest
MESSAGES_SHOWN = 5


class LivePanel(w.VBox):
    """Shows a run while it goes on, and nothing else.

        act = panel.watch(Running(cp.fork, {"topic": "chickens"}))

    Attributes:
        running: What it shows; None before the first.
        stop: The button.
    """

    def __init__(self) -> None:
        self.running: Running[Act] | None = None
        self.stop = w.Button(description="Stop", tooltip="Cancel the run; what it wrote stays")
        self._nodes, self._messages = dict[str, str](), dict[str, Event]()
        self._line, self._said, self._failed = w.HTML(), w.HTML(), Status()
        super().__init__([w.HBox([self.stop, self._line]), self._said, self._failed])
        self.layout.display = "none"
        self.add_class("forkbook-live")
        self._failed.remove_class("forkbook-status")  # the explorer has one
        self.stop.on_click(Worker(self._failed, []).guarded(self._stop))

    def watch(self, running: Running[Act], on_states: Callable[[list[State]], object] | None = None) -> Act:
        """Show a run until its end, at most ten times a second; not for the thread that serves the widgets.

        Args:
            running: The run.
            on_states: Called with the states of new checkpoints of the root, for `history.grown(*states)`.

        Returns:
            The act; what it raised is raised here.
        """
        self.running, self.stop.disabled, self._failed.value = running, False, ""
        self._nodes.clear()
        self._messages.clear()
        self.layout.display, seen, ended = None, 0, False
        try:
            while not ended:
                ended = running.done
                fresh = running.events[seen:]
                seen += len(fresh)
                self._draw(running, fresh)
                states = [event.state for event in fresh if event.state and not event.ns]
                if states and on_states:
                    on_states(states)
                if not ended:
                    time.sleep(DRAWN_EVERY)
            return running.wait()
        finally:
            self.stop.disabled, self.layout.display = True, "none"

    def _draw(self, running: Running[Act], fresh: Iterable[Event]) -> None:
        for event in fresh:
            if event.kind == "tokens":
                self._messages[str(event.message_id)] = event
            elif event.kind == "task" and event.status == "started":
                self._nodes[str(event.task_id)] = str(event.node)
            elif event.kind == "task":
                self._nodes.pop(str(event.task_id), None)
        names = ", ".join(dict.fromkeys(self._nodes.values()))
        doing = "stopping" if running.stopping else f"running {names}" if names else "between two nodes"
        self._line.value = f"{esc(doing)} · {running.seconds:.0f} s"
        self._said.value = "".join(map(saying, list(self._messages.values())[-MESSAGES_SHOWN:]))

    def _stop(self, _: object) -> None:
        self.stop.disabled = True
        if self.running is not None:
            self.running.stop()


def saying(event: Event) -> str:
    """A message as far as it has come."""
    left_out = len(event.text) - TEXT_SHOWN
    before = f"<i style='{GREY}'>{left_out:,} characters before … </i>" if left_out > 0 else ""
    color = ROLE_COLORS.get(str(event.role), "#6d6d6d")
    return (
        f"<div style='border-left:3px solid {color};padding:1px 8px;margin:5px 0'>"
        f"<small style='{GREY}'>{esc(event.role)} · {esc(event.node)}</small>"
        f"<div style='{WRAP};line-height:1.4'>{before}{esc(event.text[-TEXT_SHOWN:])}</div></div>"
    )
