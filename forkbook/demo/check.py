"""Run a notebook without a browser and report its steps: every line that it prints and that begins with `✓ ` is one.

`check` does it in a child process; `python -m forkbook.demo.check NOTEBOOK` is that child.
"""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from .lab import environment
from .tether import Tethered

STEP = "✓ "
FAILURE = "✗ "
SECONDS_PER_CELL = 120

_FAILED = 3


def check(notebook: Path, folder: Path, demo_url: str, say: Callable[[str], object] = print) -> int:
    """Run a notebook from the first cell to the last.

    Args:
        notebook: Stays as it is.
        folder: Keeps everything that Jupyter and IPython write.
        demo_url: The Agent Server that `fb.connect("demo")` uses in the notebook.
        say: Gets each step as it is done; then, if a cell fails, that cell's first line and its error.

    Returns:
        An exit code: 0, or 1 if a cell failed or none printed a step.

    Raises:
        ForkbookError: The notebook could not be run at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runner = Tethered(
        "The notebook's runner",
        "forkbook.demo.check",
        [str(notebook.resolve())],
        log=folder / "check.log",
        env=environment(folder, demo_url),
        stdout=subprocess.PIPE,
    )
    with runner:
        for line in runner.lines():
            say(line)
        code = runner.process.wait()
    if code not in (0, _FAILED):
        raise runner.failure(f"ended with exit code {code}")
    return 1 if code else 0


class _Report:
    """What a run has shown so far, line by line on standard output."""

    def __init__(self) -> None:
        self.steps = 0
        self._cell = ""

    def started(self, cell: Any, **_: Any) -> None:
        self._cell = cell.source.strip()

    def executed(self, cell: Any, **_: Any) -> None:
        texts = (output.text for output in cell.outputs if output.get("name") == "stdout")
        for line in "".join(texts).splitlines():
            if line.startswith(STEP):
                self.steps += 1
                typer.echo(line)

    def failed(self, error: str) -> None:
        step = self._cell.partition("\n")[0]
        typer.echo(f"{FAILURE}{step}\n{textwrap.indent(error.strip(), '  ')}")


def run_notebook(path: Path) -> int:
    """Run a notebook in this process; print its steps, and what went wrong."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError

    report = _Report()
    client = NotebookClient(
        nbformat.read(path, as_version=4),  # type: ignore[no-untyped-call]
        kernel_name="python3",
        timeout=SECONDS_PER_CELL,
        shutdown_kernel="immediate",
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=report.started,
        on_cell_executed=report.executed,
    )
    try:
        client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        report.failed(f"{error.ename}: {error.evalue}")
    except (CellControlSignal, DeadKernelError) as error:
        report.failed(str(error))
    else:
        if report.steps:
            return 0
        typer.echo(f"{FAILURE}{path.name} printed no line that begins with {STEP!r}: nothing was checked")
    return _FAILED


if __name__ == "__main__":
    sys.exit(run_notebook(Path(sys.argv[1])))
