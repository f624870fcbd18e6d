"""Run forkbook's command line: in this process, or in one of its own."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

import forkbook as fb
from forkbook.cli import app

SHAPING = ("API_KEY", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "TQDM_DISABLE", "FORKBOOK_DEMO_URL")


def surroundings(**env):
    clean = {name: value for name, value in os.environ.items() if not name.endswith(SHAPING)}
    return clean | {"PYTHONPATH": str(Path(fb.__file__).parents[1])} | env


def started(*args, cwd=None, env=None, **streams):
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    command = [sys.executable, "-m", "forkbook.cli", *map(str, args)]
    return subprocess.Popen(command, cwd=cwd, env=surroundings(**env or {}), **streams)


def run(*args, cwd=".", env=None):
    """Exit code, stdout and stderr of a command, in this process."""
    env = dict.fromkeys(name for name in os.environ if name.endswith(SHAPING)) | {"TQDM_DISABLE": "1"} | (env or {})
    with contextlib.chdir(cwd):
        result = CliRunner(env=env).invoke(app, list(map(str, args)))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def run_alone(*args, **options):
    """Exit code, stdout and stderr of a command in a process of its own."""
    process = started(*args, **options)
    out, err = (stream.decode() for stream in process.communicate(timeout=60))
    assert "Traceback" not in err, err
    return process.returncode, out, err


def document(*args, **options):
    """Exit code, and what --json says."""
    code, out, _ = run(*args, "--json", **options)
    return code, json.loads(out)
