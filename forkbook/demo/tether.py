"""Child processes that never outlive the process that started them, not even when it is killed.

`python -m forkbook.demo.tether MODULE ARGS...` runs a module until its standard input ends. `Tethered` holds the other
end of that pipe, and the operating system lets go of it however the holder dies.
"""

import contextlib
import functools
import os
import re
import runpy
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from ..errors import ForkbookError
from ..model.held import Secret
from .loopback import free_port

GRACE = 10.0
"""Seconds between asking a child to end and ending it."""

_ATTEMPTS = 5
_POLL = 0.05
_PORT_TAKEN = re.compile(r"\bport\b.*\b(?:already in use|not available)|address already in use", re.IGNORECASE)


class Tethered:
    """A Python module that runs in a child process until `stop`, or until this process ends in any way.

    The child leads a session of its own: Ctrl-C in the terminal does not reach it.
    """

    def __init__(
        self,
        name: str,
        module: str,
        args: Sequence[str] = (),
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        secrets: Mapping[str, Secret] | None = None,
        cwd: Path | None = None,
        stdout: IO[bytes] | int | None = None,
        private: bool = False,
    ) -> None:
        """Start it.

        Args:
            name: What error messages call it.
            module: Runs as `__main__`.
            args: Its command line.
            log: A file that is started anew; gets everything that the child prints.
            env: The child's whole environment; this process's when left out.
            secrets: More of its environment, such as tokens.
            cwd: The child's working folder.
            stdout: Where standard output goes instead of the log.
            private: Whether files that the child makes are for this user alone.
        """
        self.name = name
        self.log = log
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "forkbook.demo.tether", module, *args],
                stdin=subprocess.PIPE,
                stdout=sink if stdout is None else stdout,
                stderr=sink,
                env=_importing_forkbook(os.environ if env is None else env)
                | {variable: value.reveal() for variable, value in (secrets or {}).items()},
                cwd=cwd,
                umask=0o077 if private else -1,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the child has not ended yet."""
        return self.process.poll() is None

    @property
    def lost_its_port(self) -> bool:
        """Whether the log complains that another program listens on the port."""
        return bool(_PORT_TAKEN.search(self._log_text()))

    def lines(self) -> Iterator[str]:
        """What the child prints to `stdout=PIPE`, line by line until it ends."""
        assert self.process.stdout is not None  # noqa: S101  # only asked for with a pipe
        for line in self.process.stdout:
            yield line.decode("utf-8", errors="replace").rstrip("\r\n")

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Return as soon as `ready()` is true.

        Raises:
            ForkbookError: The child ended, lost its port or needed longer than that; it is stopped then.
        """
        deadline = time.monotonic() + seconds
        try:
            while True:
                if not self.running:
                    raise self.failure(f"ended with exit code {self.process.returncode} before it was ready")
                if self.lost_its_port:
                    raise self.failure("did not get its port")
                if ready():
                    return
                if time.monotonic() > deadline:
                    raise self.failure(f"was not ready after {seconds:.0f} seconds")
                time.sleep(_POLL)
        except BaseException:
            self.stop()
            raise

    def stop(self, seconds: float = GRACE + 2) -> None:
        """Ask the child to end, wait at most that long, then end whatever is left of its process group."""
        assert self.process.stdin is not None  # noqa: S101  # it is a pipe
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        _kill_group(self.process.pid)
        self.process.wait()

    def failure(self, what: str) -> ForkbookError:
        """An error that says what happened to the child, how its log ends, and what to do next."""
        lines = self._log_text().strip().splitlines()[-12:] or ["(it printed nothing)"]
        return ForkbookError(
            f"{self.name} {what}. Its log ends with:\n\n"
            + "\n".join(f"    {line}" for line in lines)
            + "\n\nTry again; if it keeps failing, bring its parts up to date with: pip install -U 'forkbook[demo]'",
            log=str(self.log),
        )

    def _log_text(self) -> str:
        with contextlib.suppress(OSError):
            return self.log.read_text("utf-8", errors="replace")
        return ""


def on_free_port(
    spawn: Callable[[int], Tethered], ready: Callable[[int], bool], seconds: float
) -> tuple[int, Tethered]:
    """Start a server on a port of its own, again on another one if another program was quicker.

    Args:
        spawn: Starts the server on a port.
        ready: Whether that server (no other one) answers there.
        seconds: How long one attempt may take.

    Raises:
        ForkbookError: It did not start, for another reason or too often for this one.
    """
    for attempts_left in reversed(range(_ATTEMPTS)):
        port = free_port()
        child = spawn(port)
        try:
            child.wait_until(functools.partial(ready, port), seconds)
        except ForkbookError:
            if not (attempts_left and child.lost_its_port):
                raise
        else:
            return port, child
    raise AssertionError("the last attempt returns or raises")


def _importing_forkbook(env: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a child finds the forkbook that starts it, installed or not."""
    home = str(Path(__file__).resolve().parents[2])
    if home in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        return dict(env)
    paths = [home, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    return {**env, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}


def _kill_group(leader: int) -> None:
    if sys.platform == "win32":
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def run(module: str, args: Sequence[str], grace: float = GRACE) -> None:
    """Run a module as `__main__` in this process, which ends when its standard input does."""
    tether = os.dup(sys.stdin.fileno())
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    threading.Thread(target=_end_with, args=(tether, grace), name="tether", daemon=True).start()
    sys.argv = [module, *args]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with(tether: int, grace: float) -> None:
    """Read until the pipe ends; then end this process, kindly first."""
    while os.read(tether, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        _kill_group(os.getpid())
    os._exit(1)


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
