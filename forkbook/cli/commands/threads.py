"""`forkbook threads`: list the threads of a place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Annotated, Any

import typer

from ...backends.contract import Backend
from ...errors import ForkbookError, InvalidInput
from ...marks import OURS, SERVERS_OWN, SWEEP_AT, SWEEP_OF, import_mark, original_of
from ...model.text import cut, short
from ..arguments import ApiKey, Bounds, EnvFile, Insecure, Json, Limit, Source, budget_of, metadata_of
from ..places import Keys, none_found, opened
from ..screen import DIFFERENT, OK, Screen, here

METADATA_SHOWN = 300
ID_SHOWN = 6


def threads(
    ctx: typer.Context,
    source: Source,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only threads with this in their metadata; may be given again."),
    ] = None,
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="Only threads that are idle, busy, interrupted or error.")
    ] = None,
    limit: Limit = None,
    api_key: ApiKey = None,
    env_file: EnvFile = None,
    insecure: Insecure = False,
    bounds: Bounds = None,
    as_json: Json = False,
) -> int:
    """List the threads of a place, newest first.

    \b
    Examples:
      forkbook threads http://localhost:2024
      forkbook threads https://my.langgraph.app --env-file .env --status idle
      forkbook threads study.forkbook --json
    """
    from ...backends.search import THREAD_STATUSES
    from ...frames import threads_rows

    screen: Screen = ctx.obj
    screen.json = as_json
    if status not in (None, *THREAD_STATUSES):
        known = ", ".join(THREAD_STATUSES)
        raise InvalidInput(
            f"no thread has the status {short(status)}: --status takes {known}", candidates=THREAD_STATUSES
        )
    search = {"metadata": metadata_of(metadata), "status": status, "limit": limit}
    with opened(screen, source, Keys(api_key, env_file=env_file, insecure=insecure), budget_of(bounds)) as book:
        found = book.backend.threads(**{name: value for name, value in search.items() if value is not None})
        rows = list(threads_rows(list(islice(found, limit))))
        faults = faults_of(book.backend, rows)
    screen.document({"source": book.backend.address, "threads": rows, "total": len(rows), "faults": faults})
    if not as_json:
        cells = [
            (row["thread_id"], row["status"] or "", (row["updated_at"] or "")[:16].replace("T", " "), described(row))
            for row in rows
        ]
        screen.table(("thread", "status", "updated", "metadata"), cells)
    if faults:
        screen.words(f"{len(faults):,} of these cannot be read:")
        screen.some([here(fault) for fault in faults.values()], "red")
    screen.note(f"{len(rows):,} thread{'' if len(rows) == 1 else 's'}")
    if not rows and metadata is None and status is None and limit != 0:
        screen.note(none_found(book.backend.address))
    return DIFFERENT if faults else OK


def described(row: Mapping[str, Any]) -> str:
    """A thread's title, what else people put in its metadata, what made it, and last what the server put there."""
    metadata = {key: value for key, value in (row["metadata"] or {}).items() if value is not None}
    own = {key: value for key, value in metadata.items() if not key.startswith(OURS)}
    title = str(own.pop("title", ""))
    servers = {key: own.pop(key) for key in SERVERS_OWN if key in own}
    parts = (title, _pairs(own), origin(str(row["thread_id"]), metadata), _pairs(servers))
    return cut(" · ".join(filter(None, parts)), METADATA_SHOWN)


def origin(thread_id: str, metadata: Mapping[str, Any]) -> str:
    """What made a thread, as forkbook's marks in its metadata say; "" where none does."""
    if metadata.get(SWEEP_AT) == thread_id:
        return f"variant of {_end(metadata.get(SWEEP_OF))}"
    if (original := original_of(thread_id, metadata)) is not None:
        return f"copy of {_end(original)}"
    if mark := import_mark(metadata):
        half = "half " if mark.get("state") == "writing" else ""
        return f"{half}migrated" + ("" if mark.get("of") in (None, thread_id) else f" from {_end(mark['of'])}")
    return ""


def faults_of(backend: Backend, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Why threads of a JSON file cannot be read, by id; elsewhere that shows when a thread is opened."""
    from ...backends.jsonfile.backend import JsonBackend

    faults = {}
    for thread_id in [str(row["thread_id"]) for row in rows] if isinstance(backend, JsonBackend) else ():
        try:
            backend.state(thread_id)
        except ForkbookError as error:
            faults[thread_id] = str(error)
    return faults


def _pairs(metadata: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in metadata.items())


def _end(thread_id: Any) -> str:
    return f"…{str(thread_id)[-ID_SHOWN:]}"
