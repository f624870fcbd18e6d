"""Arguments and options that several commands share."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..backends.budget import DEFAULT_BUDGET, Budget
from ..errors import InvalidInput
from ..model.held import Secret
from ..transfer.formats import SUFFIXES

BOUNDS = {bound: f"{bound}={most:_.0f}" for bound, most in dataclasses.asdict(DEFAULT_BUDGET).items()}
PLACE = "a server's address, a path (.forkbook, .json, SQLite), postgresql://…, or demo"

Source = Annotated[Secret, typer.Argument(metavar="SRC", parser=Secret, help=f"Where the threads are: {PLACE}.")]
ThreadId = Annotated[
    str,
    typer.Argument(
        metavar="THREAD", help="The thread's id or the end of it, as in cf84; `forkbook threads` lists them."
    ),
]
Threads = Annotated[
    list[str] | None,
    typer.Option("--threads", "-t", metavar="ID[,ID…]", help="Only these threads; may be given again. Default: all."),
]
Json = Annotated[
    bool, typer.Option("--json", help="Say the result as one JSON document on stdout, all else on stderr.")
]
ApiKey = Annotated[
    Secret | None,
    typer.Option(
        metavar="KEY",
        parser=Secret,
        help="Key for the server; env takes LANGGRAPH_API_KEY, LANGSMITH_API_KEY or LANGCHAIN_API_KEY, env:NAME takes "
        "NAME. A key typed here shows in the list of processes: env does not.",
    ),
]
EnvFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A .env file that env and env:NAME read instead of the environment; alone it means --api-key env. No file "
        "is read that is not named.",
    ),
]
Bounds = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        metavar="BOUND=N",
        help="The most that one read of a place may cost: raise a bound where you trust the place; may be given again. "
        f"Default: {', '.join(BOUNDS.values())}.",
    ),
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Let a key travel over plain http to another machine.")]
SourceKey = Annotated[
    Secret | None, typer.Option(metavar="KEY", parser=Secret, help="Key for SRC alone: a key, env, or env:NAME.")
]
TargetKey = Annotated[
    Secret | None, typer.Option(metavar="KEY", parser=Secret, help="Key for DST alone: a key, env, or env:NAME.")
]
SameKey = Annotated[bool, typer.Option("--same-key", help="Both servers get the key of --api-key or --env-file.")]
Secrets = Annotated[
    bool,
    typer.Option(
        "--secrets",
        help="Take along API keys, passwords and tokens in configurable, context and metadata, too; without it they "
        "are left out, and named.",
    ),
]
Limit = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="At most so many threads, the newest. Default: all.")
]
TestSingle = Annotated[bool, typer.Option("--test-single", help="One thread only, the newest or that of --threads.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; nothing is written anywhere.")]
OnConflict = Annotated[
    str,
    typer.Option(
        metavar="skip|compare|new_id",
        help="Where another thread has the id: skip it, compare the two, or write this one under a new id.",
    ),
]
Concurrency = Annotated[
    int, typer.Option(min=1, max=64, metavar="N", help="Threads on their way at a time, where both places allow that.")
]
Assistant = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Assistant id or graph name at the target, for threads that do not say which graph they belong to.",
    ),
]


def ids(threads: list[str] | None) -> list[str] | None:
    """Thread ids from options that have one or several each, each id once; None: all threads.

    Raises:
        InvalidInput: The options name none.
    """
    if threads is None:
        return None
    found = list(dict.fromkeys(id_.strip() for option in threads for id_ in option.split(",") if id_.strip()))
    if not found:
        raise InvalidInput("--threads names no thread: leave it out for all")
    return found


def check_name(option: str, path: Path, suffixes: Sequence[str]) -> None:
    """Whether the name of a file to be written says in which format.

    Raises:
        InvalidInput: It does not, or not one of these.
    """
    suffix = path.suffix.lower()
    if suffix in suffixes:
        return
    why = "tables cannot be read back, so they are no backup" if suffix in SUFFIXES else "this name says no format"
    *first, last = suffixes
    raise InvalidInput(f"{option} {path}: {why}; end it in {', '.join(first)} or {last}", candidates=suffixes)


def metadata_of(said: list[str] | None) -> dict[str, Any] | None:
    """Metadata from options that have a key and a value each: JSON where it can be read as such, else text.

    Raises:
        InvalidInput: An option is no key=value.
    """
    if said is None:
        return None
    found = {}
    for option in said:
        key, equals, value = option.partition("=")
        if not (key and equals):
            raise InvalidInput(f"--metadata {option!r}: write it as key=value")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def budget_of(said: list[str] | None) -> Budget:
    """The default bounds of a read, but for those that options name, each with a number.

    Raises:
        InvalidInput: An option is no bound=number, or names no bound, or its number cannot be one.
    """
    given: dict[str, Any] = {}
    for option in said or ():
        bound, equals, number = option.partition("=")
        if bound not in BOUNDS or not equals:
            raise InvalidInput(
                f"--budget {option!r}: write it as BOUND=N, where BOUND is one of {', '.join(BOUNDS)}",
                candidates=list(BOUNDS),
            )
        try:
            given[bound] = float(number) if bound == "seconds" else int(number)
        except ValueError:
            kind = "a number" if bound == "seconds" else "a whole number"
            raise InvalidInput(f"--budget {option!r}: {bound} takes {kind}, as in {BOUNDS[bound]}") from None
    return Budget(**given)
