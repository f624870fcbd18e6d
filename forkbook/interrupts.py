"""Ctrl-C while the command line starts and ends: the process ends at once, without a traceback.

The package imports this module first, for there is no other place where an interrupt of its other imports could be
caught. It does nothing where the process is not the command line.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED = 130
COMMANDS = ("forkbook", "forkbook.exe", "forkbook-script.py")
MODULE = ["-m", "forkbook.cli"]


def is_command_line() -> bool:
    """Whether this process was started as `forkbook` or as `python -m forkbook.cli`."""
    names = sys.argv[:1] or [""]
    return os.path.basename(names[0]) in COMMANDS or any(
        sys.orig_argv[n : n + 2] == MODULE for n in range(len(sys.orig_argv))
    )


def end_at_once() -> None:
    """Let Ctrl-C end this process, if it is the command line: nothing is under way that could be left half-done."""
    if is_command_line() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


@contextmanager
def raised() -> Iterator[None]:
    """Within the block Ctrl-C raises KeyboardInterrupt, as anywhere in Python."""
    if signal.getsignal(signal.SIGINT) is not _end:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _end)


def _end(number: int, frame: FrameType | None) -> None:
    os.write(2, b"\nStopped.\n")
    os._exit(STOPPED)


end_at_once()
