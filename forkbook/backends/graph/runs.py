"""A run of a graph in this process, told while it goes on."""

from typing import Any

from ...errors import ForkbookError
from ..events import MODES, Teller, said
from .calls import Caller
from .snapshots import Reading


def watched(acting: Caller, graph: Any, teller: Teller, given: Any, how: Any, **more: Any) -> Exception | None:
    """Run a graph and tell what it does, in this thread; what its own code raised.

    Whatever the teller raises ends the run, and is raised here: sync nodes under way come to their end first.
    """
    parts = acting.stream(graph, "stream", given, how, stream_mode=list(MODES), subgraphs=True, **more)
    reading = Reading()
    try:
        teller.tell("start")
        while True:
            try:
                ns, mode, data = next(parts)
            except StopIteration:
                return None
            except ForkbookError:
                raise
            except Exception as error:
                return error
            teller.part(mode, "|".join(ns), _plain(reading, mode, data))
    finally:
        parts.close()  # type: ignore[attr-defined]


def _plain(reading: Reading, mode: str, data: Any) -> Any:
    """What a server would send."""
    if mode == "messages":
        message, metadata = data
        return reading.plain(message), metadata
    if mode == "tasks":
        return {**data, "error": said(data.get("error"))}
    tasks = [_told(reading, task) for task in data["tasks"]]
    metadata = reading.plain(data["metadata"])
    return {**data, "values": reading.channels(data["values"]), "metadata": metadata, "tasks": tasks}


def _told(reading: Reading, task: dict[str, Any]) -> dict[str, Any]:
    return {key: reading.plain(value) for key, value in task.items() if key != "state"}
