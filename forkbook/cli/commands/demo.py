"""`forkbook demo`: try forkbook on a private server."""

from pathlib import Path
from typing import Annotated

import typer

from ...errors import InvalidInput

DEMO_FOLDER = Path("forkbook-demo")


def demo(
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Keeps the notebooks and what the servers write.")] = (
        DEMO_FOLDER
    ),
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, open nothing.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only run the notebooks, in a temporary folder.")] = False,
) -> int:
    """Try forkbook on a private server: no key needed.

    An Agent Server with sample threads and a JupyterLab start on this machine; Ctrl-C ends both. No network is used.

    \b
    Examples:
      forkbook demo
      forkbook demo --no-browser --folder /tmp/forkbook-demo
    """
    from ...demo import command

    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"--folder {folder} is a file: name a folder, new or used by the demo before")
    if check:
        return command.check_notebooks()
    command.show(folder, browser=not no_browser)
    return 0
