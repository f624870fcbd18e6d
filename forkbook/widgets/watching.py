"""A run while it goes on: which nodes run and what is said, the tree as it grows, and that it can be stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from ..acts.live import Running
from ..backends.events import Event
from ..history import History
from .sitting import Done, Sitting

DRAWN_EVERY = 0.1  # seconds
TEXT_SHOWN, MESSAGES_SHOWN = 1_500, 4  # characters of a message, its newest; messages


class Progress:
    """What is known of a run under way, from its events."""

    def __init__(self) -> None:
        self._nodes, self._messages = dict[str, str](), dict[str, Event]()

    def take(self, events: Iterable[Event]) -> None:
        """Learn from some more events."""
        for event in events:
            if event.kind == "tokens":
                self._messages.pop(str(event.message_id), None)
                self._messages[str(event.message_id)] = event
            elif event.kind == "task" and event.status == "started":
                self._nodes[str(event.task_id)] = str(event.node)
            elif event.kind == "task":
                self._nodes.pop(str(event.task_id), None)

    @property
    def nodes(self) -> list[str]:
        """The nodes that run now."""
        return list(dict.fromkeys(self._nodes.values()))

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The newest messages, as far as they have come: role, node, the end of the text, how much is before it."""
        return [
            {
                "role": event.role,
                "node": event.node,
                "text": event.text[-TEXT_SHOWN:],
                "before": max(len(event.text) - TEXT_SHOWN, 0),
            }
            for event in list(self._messages.values())[-MESSAGES_SHOWN:]
        ]


def watched(sitting: Sitting, act: Callable[..., Done], *given: Any, **options: Any) -> Done:
    """Run an act to its end, telling at most ten times a second how far it is.

    Returns:
        The act; what it raised is raised here.
    """
    running: Running[Done] = Running(act, *given, **options)
    progress, seen, ended = Progress(), 0, False
    before = sitting.shows.history
    with sitting.jobs.stoppable(running):
        while not ended:
            began = time.monotonic()
            ended = running.done
            fresh = running.events[seen:]
            seen += len(fresh)
            if fresh:
                progress.take(fresh)
                sitting.jobs.show(nodes=progress.nodes, messages=progress.messages)
                before = _grown(sitting, before, fresh)
            if not ended:
                time.sleep(max(DRAWN_EVERY, time.monotonic() - began))  # half of the time is the run's, at least
    return running.wait()


def _grown(sitting: Sitting, before: History, events: Iterable[Event]) -> History:
    """Show the checkpoints of the root graph that came, of a run in this thread."""
    states = [event.state for event in events if event.state and not event.ns]
    if not states or any(state["checkpoint"]["thread_id"] != before.thread_id for state in states):
        return before
    after = before.grown(*states)
    sitting.follow(after, len(after) - 1)
    return after
