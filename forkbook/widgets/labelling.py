"""Labels, notes and stars that a page sets: shown at once, written by a thread, one after the other."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ..errors import ForkbookError
from ..history import History
from ..model.label import Label
from .jobs import WAIT_STEP, in_thread

Shown = dict[str, dict[str, Any]]


class Labelled(Protocol):
    """An explorer, as far as labels are concerned."""

    history: History

    @property
    def labels(self) -> Mapping[str, Mapping[str, Any]]:
        """By checkpoint id its label, note and star."""

    def relabel(self, labels: Mapping[str, Mapping[str, Any]]) -> None:
        """Show other labels, notes and stars."""


class Labelling:
    """Writes what people say of checkpoints.

    Args:
        shows: The explorer.
        fail: Called with what could not be written, and why.
    """

    def __init__(self, shows: Labelled, fail: Callable[[BaseException], object]) -> None:
        self._shows, self._fail = shows, fail
        self._waiting = queue.SimpleQueue[Callable[[], None]]()
        self._turn = threading.Lock()

    def set(self, position: int, label: Any, note: Any, star: Any) -> None:
        """Set what a checkpoint has; None leaves it as it is, "" takes it away.

        Raises:
            InvalidInput: This can be no label.
        """
        history, shows = self._shows.history, self._shows
        id_ = history.tree.heads[position].id
        before = Label.of(shows.labels.get(id_))
        shows.relabel(_with(shows.labels, id_, before.changed(label, note, star)))

        def write() -> None:
            try:
                after = history.label(id_, label, note=note, star=star)
            except Exception as error:
                after = before
                self._fail(error)
            if self._shows.history.thread_id == history.thread_id:
                self._shows.relabel(_with(self._shows.labels, id_, after))

        self._waiting.put(write)
        in_thread(self._next, "forkbook labels")

    def wait(self, seconds: float, turn: Callable[[float], object] | None) -> None:
        """Wait until all is written.

        Args:
            seconds: How long, at most.
            turn: Lets this thread's loop turn meanwhile, which the place needs; None: it needs none.
        """
        done, deadline = threading.Event(), time.monotonic() + seconds
        self._waiting.put(done.set)
        in_thread(self._next, "forkbook labels")
        while not done.wait(0 if turn else seconds) and time.monotonic() < deadline:
            if turn:
                turn(WAIT_STEP)

    def _next(self) -> None:
        with self._turn:
            self._waiting.get()()


def labels_of(history: History) -> Shown:
    """The labels of a history as a page has them; none where the place does not say."""
    try:
        found = history.labels
    except ForkbookError:
        return {}
    return {id_: _shown(label) for id_, label in found.items()}


def starred(labels: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The checkpoints with a star."""
    return {id_ for id_, given in labels.items() if given.get("star")}


def _with(labels: Mapping[str, Mapping[str, Any]], id_: str, label: Label) -> Shown:
    others = {other: dict(given) for other, given in labels.items() if other != id_}
    return {**others, id_: _shown(label)} if label else others


def _shown(label: Label) -> dict[str, Any]:
    return {"label": label.label or "", "note": label.note or "", "star": label.star}
