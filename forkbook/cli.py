"""`forkbook` in a terminal."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from . import __version__
from .errors import ForkbookError, InvalidInput


class _Commands(TyperGroup):
    """Shows forkbook's own errors as what they are, a message."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ForkbookError as error:
            typer.secho(f"forkbook: {error}", fg=typer.colors.RED, err=True)
            raise typer.Exit(1) from error


app = typer.Typer(cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"forkbook {__version__}")
        raise typer.Exit


@app.callback()
def forkbook(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell it.")] = False,
) -> None:
    """Open the history of LangGraph threads: every checkpoint, every branch."""


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Keeps the notebooks and what the servers write.")] = Path(
        "forkbook-demo"
    ),
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, open nothing.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only run the notebooks, in a temporary folder.")] = False,
) -> None:
    """Try forkbook on a private Agent Server with sample threads: no key, no network."""
    from .demo import command

    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"--folder {folder} is a file: name a folder, new or used by the demo before")
    if check:
        raise typer.Exit(command.check_notebooks())
    command.show(folder, browser=not no_browser)


if __name__ == "__main__":
    app()
