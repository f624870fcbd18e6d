"""The event loop of the notebook's kernel: what a thread behind a widget needs of it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from .. import aio


class MainLoop:
    """The loop that was running where a widget was made, if one was.

    A handler of a message may run elsewhere: ipykernel has threads with loops of their own (subshells).
    """

    def __init__(self) -> None:
        self._loop = aio.running_loop()
        self._on_interrupt: Callable[[], bool] | None = None

    @property
    def replays(self) -> bool:
        """Whether a page that is loaded again gets the traits as they were sent, as in marimo, and not as they are."""
        marimo = sys.modules.get("marimo")
        return marimo is not None and bool(marimo.running_in_notebook())

    def turn(self, seconds: float) -> None:
        """Let the loop of this thread turn for a while, if one runs here."""
        aio.wait(partial(asyncio.sleep, seconds), None)

    def hear_interrupts(self, on_interrupt: Callable[[], bool]) -> None:
        """Call this when the kernel is interrupted while no cell runs: ipykernel ignores the signal then.

        While a cell runs, the interrupt is the cell's. A message's handler has a signal handler of its own, which
        ipykernel takes back after it, so this is set from the loop, and may be asked for again.
        """
        self._on_interrupt = on_interrupt
        self._soon(self._set)

    def end_interrupts(self) -> None:
        """Hear no interrupts any more."""
        self._on_interrupt = None
        self._soon(self._unset)

    def _soon(self, call: Callable[[], object]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(call)

    def _set(self) -> None:
        if self._on_interrupt and _in_main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._heard)

    def _unset(self) -> None:
        if not self._on_interrupt and _in_main_thread() and signal.getsignal(signal.SIGINT) == self._heard:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _heard(self, number: int, frame: Any) -> None:
        if self._on_interrupt is None or not self._on_interrupt():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # it came back after the end


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
