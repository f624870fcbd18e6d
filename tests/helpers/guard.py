"""Keep unit tests in their process: one that starts a process or opens a connection fails."""

import contextlib
import sys

REACHES_OUT = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.spawn",
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
}

_seen: list[str] | None = None  # None: nothing is forbidden now


def _watch(event, args):
    if _seen is not None and event in REACHES_OUT:
        _seen.append(f"{event}{args[1:] if event.startswith('socket') else args[:2]}")
        raise RuntimeError(f"a unit test may not do this: {_seen[-1]}")


def install():
    """Watch this process from now on; Python has no way back, so that no test can take it off."""
    sys.addaudithook(_watch)


@contextlib.contextmanager
def no_way_out():
    """Within the block nothing may leave this process; raises AssertionError at its end if something did."""
    global _seen
    _seen = []
    try:
        yield
    finally:
        seen, _seen = _seen, None
    assert not seen, f"no unit test, for it does {seen[0]}: give it the marker `outside`"
