"""What `forkbook demo` does: start everything, say where it is, stop everything."""

import contextlib
import os
import signal
import tempfile
import threading
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import typer

from ..errors import ForkbookError
from ..extras import require_extra
from ..model.text import escape, visible_lines
from . import check, lab, notebooks, server
from .seed import seed

INTERRUPTED = 130
"""The exit code of a check that did not get to its end."""


def show(folder: Path, browser: bool) -> None:
    """Run the demo until Ctrl-C, SIGTERM, or until JupyterLab is shut down from its own menu; then stop all of it.

    Args:
        folder: Keeps the working copies in `notebooks/`, and what the servers write; made if missing.
        browser: Whether to open one.

    Raises:
        ForkbookError: Something could not be started, or ended by itself.
    """
    folder = folder.resolve()
    require_extra("jupyterlab", "ipykernel")
    with _stop_signals(), contextlib.ExitStack() as running:
        try:
            _run(folder, browser, running)
        except KeyboardInterrupt:
            _say("\nStopping …")
    _say(f"Stopped. The notebooks stay in {folder / 'notebooks'}")


def check_notebooks() -> int:
    """Run the demo's notebooks without a browser, one after the other, in a temporary folder; print their steps.

    Returns:
        An exit code: 0, 1 if a step failed or none was printed, or `INTERRUPTED`.

    Raises:
        ForkbookError: Something could not be started.
    """
    require_extra("nbclient", "ipykernel")
    with _stop_signals(), contextlib.ExitStack() as running:
        try:
            place = tempfile.TemporaryDirectory(prefix="forkbook-", ignore_cleanup_errors=True)
            folder = Path(running.enter_context(place))
            notebooks.copy_to(folder / "notebooks")
            agent = running.enter_context(server.start(folder / "server"))
            seed(agent.url)
            failed = 0
            for notebook in sorted((folder / "notebooks").glob("*.ipynb")):
                _say(notebook.name)
                failed |= check.check(notebook, folder / "jupyter", agent.url, _say)
            return failed
        except KeyboardInterrupt:
            _say("\nStopped.")
            return INTERRUPTED


def _run(folder: Path, browser: bool, running: contextlib.ExitStack) -> None:
    kept = notebooks.copy_to(folder / "notebooks")
    _say("Starting an Agent Server with five sample threads, and a JupyterLab: about ten seconds …")
    agent = running.enter_context(server.start(folder / "server"))
    seed(agent.url)
    jupyter = lab.start(folder / "notebooks", folder / "jupyter", agent.url)
    running.enter_context(jupyter.process)
    _say(f"  Agent Server   {agent.url}  (no key, no network; its threads are made anew at every start)")
    _say(f"  notebooks      {folder / 'notebooks'}  (working copies)")
    for name in kept:
        _say(f"                 {name} is yours and stays as it is; rename it to get the original, too")
    _say(f"  JupyterLab     {jupyter.address(notebooks.FIRST)}")
    _say("Ctrl-C here stops everything.")
    if browser:
        running.callback(_open(jupyter, folder / "open.html").unlink, missing_ok=True)
    _wait(agent, jupyter)


def _open(jupyter: lab.Lab, page: Path) -> Path:
    """Open a browser on a page that leads to JupyterLab: its token would show in the list of processes."""
    page.unlink(missing_ok=True)
    with os.fdopen(os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        target = '<meta charset="utf-8"><meta http-equiv="refresh" content="0; url={}">'
        file.write(target.format(escape(jupyter.address(notebooks.FIRST))))

    def open_page() -> None:
        if not webbrowser.open(page.as_uri()):
            _say("No browser could be opened here: open the address above in yours.")

    threading.Thread(target=open_page, daemon=True).start()
    return page


def _wait(agent: server.DemoServer, jupyter: lab.Lab) -> None:
    while jupyter.process.running:
        if not agent.running:
            raise ForkbookError(
                f"the demo's Agent Server ended by itself; {agent.folder / 'server.log'} may say why. "
                "Start the demo again: its threads are made anew, the notebooks stay."
            )
        time.sleep(0.2)


def _say(text: str) -> None:
    typer.echo(visible_lines(text))


@contextlib.contextmanager
def _stop_signals() -> Iterator[None]:
    """Make the first signal that ends a program a KeyboardInterrupt, and ignore those that follow."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    before = {number: signal.getsignal(number) for name in names if (number := getattr(signal, name, None))}
    if before.get(getattr(signal, "SIGHUP", None)) == signal.SIG_IGN:
        del before[signal.SIGHUP]

    def interrupt(*_: object) -> NoReturn:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        for number in before:
            signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
