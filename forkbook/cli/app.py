"""The commands under one name, and how each of them ends."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from .. import __version__, interrupts
from ..errors import ForkbookError, SourceError
from .commands import COMMANDS
from .screen import Screen, prepare_streams, reader_gone

EXIT_CODES = """\b
Exit codes:
    0  done, and nothing differs
    1  something differs or is damaged, one of many threads failed or is not
       there (an id of --threads), or an act was refused
    2  wrong use: an option, an argument, or the one THREAD is not there
    3  a place cannot be reached, opened or read
  130  stopped by Ctrl-C; the last line says what is left
  141  the reader of a pipe is gone"""


class _Command(TyperCommand):
    """Names its arguments as its texts do: SRC, not {SRC} or SRC <str>."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        arguments = (param for param in self.get_params(ctx) if param.param_type_name == "argument")
        return ["[OPTIONS]", *(str(each.metavar) if each.required else f"[{each.metavar}]" for each in arguments)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            params = [param for param in self.get_params(ctx) if param.param_type_name == kind]
            if records := [record for param in params if (record := _record(param, ctx))]:
                with formatter.section(title):
                    formatter.write_dl(records)


def _record(param: Any, ctx: Any) -> tuple[str, str] | None:
    name, text = param.get_help_record(ctx) or ("", "")
    if not name:
        return None
    return str(param.metavar) if param.param_type_name == "argument" else name, text


class _Commands(TyperGroup):
    """Ends a command with the exit code it returns, or with what its error means."""

    def invoke(self, ctx: Any) -> Any:
        screen = ctx.obj = Screen()
        prepare_streams()
        try:
            with interrupts.raised():
                code = super().invoke(ctx)
                sys.stdout.flush()
        except ForkbookError as error:
            code = screen.fail(error)
        except KeyboardInterrupt as interrupt:
            code = screen.interrupted(interrupt)
        except BrokenPipeError:
            code = reader_gone()
        except OSError as error:  # of stdout: errors of places are forkbook's own by now
            code = screen.fail(SourceError(f"the result cannot be written: {error}"))
        raise typer.Exit(code or 0)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"forkbook {__version__}")
        raise typer.Exit


@app.callback()
def forkbook(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and exit.")
    ] = False,
) -> None:
    """Open the history of LangGraph threads: every checkpoint, every branch.

    \b
    Begin with
      forkbook demo           to try it on a private server
      forkbook threads SRC    SRC is a server's address, a path (.forkbook, .json,
                              SQLite), postgresql://… or demo
      forkbook COMMAND -h     for a command's options and examples
    """


for _name, _command in COMMANDS.items():
    app.command(_name, cls=_Command)(_command)
