"""Ctrl-C at any moment of a command, its imports among them: exit code 130, a word and no traceback.

A moment is a number of calls and returns, counted from when Ctrl-C is in our hands, not a time: however slow the
machine is, the process is interrupted where it was meant to be.
"""

import json
import os
from pathlib import Path

import pytest
from commands import run_alone
from held import conversation

import forkbook as fb

pytestmark = pytest.mark.outside
MOMENTS = 24
COUNTING = """
import atexit, json, os, signal, sys

moment, calls, imported = int(os.environ["MOMENT"]), 0, None

def count(frame, event, what):
    global calls, imported
    if imported is None:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            return
        imported = [name for name in sys.modules if name.partition(".")[0] == "forkbook"]
    calls += 1
    if calls == moment:
        sys.setprofile(None)
        os.kill(os.getpid(), signal.SIGINT)

def tell():
    sys.setprofile(None)
    with open(os.environ["COUNTED"], "w") as file:
        json.dump([calls, imported], file)

atexit.register(tell)
sys.setprofile(count)
"""


@pytest.fixture
def counted(tmp_path):
    """Run a command that gets Ctrl-C at a call: its exit code, what it said, how many calls it made, what was imported
    when Ctrl-C came into our hands."""
    (tmp_path / "sitecustomize.py").write_text(COUNTING)
    path = os.pathsep.join([str(tmp_path), str(Path(fb.__file__).parents[1])])
    env = {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "COUNTED": str(tmp_path / "counted")}

    def run(args, moment=0):
        code, _, err = run_alone(*args, env={**env, "MOMENT": str(moment)})
        told = tmp_path / "counted"
        return code, err, *(json.loads(told.read_text()) if told.exists() else (None, None))

    return run


@pytest.mark.parametrize("command", ["help", "show"])
def test_ctrl_c_at_any_moment(counted, tmp_path, command):
    (tmp_path / "x.json").write_text(json.dumps([{"thread_id": "t", "history": conversation("t", 5)}]))
    args = ("--help",) if command == "help" else ("show", tmp_path / "x.json", "t")
    counted(args)  # so that modules are compiled, and the next ones make as many calls
    code, _, calls, imported = counted(args)
    assert (code, imported) == (0, ["forkbook", "forkbook.interrupts"])
    within = 0
    for moment in range(1, calls, calls // MOMENTS):
        code, err, *_ = counted(args, moment)
        assert (code, "Stopped." in err, "Exception ignored" in err) == (130, True, False), (moment, err)
        within += "Nothing was written." in err
    assert within > 0 or command == "help"
