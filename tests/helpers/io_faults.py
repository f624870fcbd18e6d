"""Work on files in a process whose n-th call about them fails, or is its last (io_faults.c).

A call is one of libc: `open`, `write`, `fsync`, `rename` and the like, whoever makes it: Python, SQLite or Arrow. It
counts where it is about a file in one folder. `Faulty` runs work by name; each time in a child of its own.
"""

import contextlib
import ctypes
import errno
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLACES = (HERE.parents[1], HERE, HERE.parent / "campaigns", HERE.parent)
FAULTS = {  # as in io_faults.c: how, and the error
    "nothing": (0, 0),
    "an input or output error, once": (1, errno.EIO),
    "the disk is full from then on": (2, errno.ENOSPC),
    "the disk is read-only from then on": (3, errno.EROFS),
    "kill -9": (4, 0),
}


@dataclass(frozen=True)
class Ended:
    """What came of it.

    Attributes:
        how: "done", "told" (a ForkbookError or a warning), "raw" (any other exception) or "killed".
        text: The error.
        calls: How many calls were counted.
        says: What the work returned, as text.
    """

    how: str
    text: str = ""
    calls: int = 0
    says: str = ""


class Faulty:
    """A process that runs work with faults.

    Args:
        work: The name of a module with functions `work(path, *more)`.
    """

    def __init__(self, work):
        self._folder = tempfile.TemporaryDirectory(prefix="forkbook-faults-")
        library = Path(self._folder.name) / "faults.so"
        build = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / "io_faults.c"), "-ldl"]
        subprocess.run(build, check=True, capture_output=True)
        path = os.pathsep.join(map(str, (*PLACES, os.environ.get("PYTHONPATH", ""))))
        command = f"import io_faults; io_faults.serve({work!r}, {str(library)!r})"
        self._process = subprocess.Popen(
            [sys.executable, "-c", command],
            env=os.environ | {"LD_PRELOAD": str(library), "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, work, path, *more, fault="nothing", at=0):
        """Work of this name on a path; the fault is at the n-th call about the files in its folder."""
        self._process.stdin.write(json.dumps([work, str(path), more, at, *FAULTS[fault]]) + "\n")
        self._process.stdin.flush()
        if not (answer := self._process.stdout.readline()):
            raise RuntimeError(f"the process with faults ended: {self._process.wait()}")
        return Ended(**json.loads(answer))

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._folder.cleanup()


@contextlib.contextmanager
def faulty(work):
    """A `Faulty`; the test is skipped where there is no compiler or no LD_PRELOAD."""
    if sys.platform != "linux" or not shutil.which("cc"):
        pytest.skip("needs Linux and a C compiler")
    process = Faulty(work)
    try:
        yield process
    finally:
        process.close()


def serve(work, library):
    """In the process with faults: run what is asked for, each in a child."""
    module, faults = importlib.import_module(work), ctypes.CDLL(library)
    for line in sys.stdin:
        name, path, more, at, how, error = json.loads(line)
        told, tell = os.pipe()
        child = os.fork()
        if not child:
            os.close(told)
            faults.faults_set(os.path.dirname(path).encode(), ctypes.c_long(at), how, error)
            ended = _ended(getattr(module, name), Path(path), more)
            ended["calls"] = faults.faults_count()
            os.write(tell, json.dumps(ended).encode())
            os._exit(0)
        os.close(tell)
        with open(told, "rb") as answer:
            said = answer.read().decode()
        status = os.waitpid(child, 0)[1]
        is_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(said or json.dumps({"how": "killed" if is_killed else "raw", "text": f"status {status}"}), flush=True)


def _ended(work, path, more):
    import forkbook as fb

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            says = work(path, *more)
        except fb.ForkbookError as error:
            return {"how": "told", "text": str(error)}
        except BaseException:
            return {"how": "raw", "text": traceback.format_exc()[-1800:]}
    told = [str(warning.message) for warning in told if warning.category is UserWarning]
    return {"how": "told" if told else "done", "text": "\n".join(told), "says": str(says or "")}
