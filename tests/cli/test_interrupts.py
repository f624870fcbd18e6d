"""Ctrl-C at any moment of a command, its imports among them: exit code 130 and no traceback."""

import os
import signal
import time

import pytest
from commands import started

pytestmark = pytest.mark.outside
MOMENTS = 24
TRACES = ("Traceback", "KeyboardInterrupt", "Exception ignored")


def interrupted(seconds, *args):
    """The exit code of a command that gets Ctrl-C after so many seconds, and what of its stderr is a traceback.

    None: it came before Python had begun with forkbook, whose frames would be in a traceback.
    """
    process = started(*args)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1].decode()
    traced = any(trace in said for trace in TRACES)
    if process.returncode not in (0, 130) or traced:
        return (process.returncode, said) if f"forkbook{os.sep}" in said else None
    return process.returncode, ""


@pytest.mark.parametrize("command", ["help", "threads"])
def test_ctrl_c_at_any_moment(tmp_path, command):
    (tmp_path / "x.json").write_text("[]")
    args = ("--help",) if command == "help" else ("threads", tmp_path / "x.json")
    begun = time.monotonic()
    started(*args).communicate()
    whole = time.monotonic() - begun
    moments = [interrupted(whole * moment / MOMENTS, *args) for moment in range(MOMENTS)]
    found = [moment for moment in moments if moment]
    assert [told for _, told in found if told] == []
    assert sum(code == 130 for code, _ in found) > MOMENTS // 3
