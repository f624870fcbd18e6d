"""Runs of a graph in this process, and what they say while they go on."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from langgraph.types import Command

from ...errors import ForkbookError
from ...model.secrets import MaskedDict
from ..events import MODES, EventStream, OnEvent, StopRun, said
from ..records import RunOutcome, RunSettings
from .calls import Caller
from .revive import revived
from .snapshots import Reading, config


class GraphRuns:
    """Runs a graph in this process.

    Args:
        acting: How the graph's own code is called.
        left: The nodes that are left to run on a thread, after the run of an id.
    """

    def __init__(self, acting: Caller, left: Callable[[str, str], Any]) -> None:
        self._acting, self._left = acting, left

    def run(
        self,
        graph: Any,
        at: tuple[str, str | None],
        settings: RunSettings,
        *,
        input: Any,
        command: Mapping[str, Any] | None,
        on_event: OnEvent | None,
    ) -> RunOutcome:
        """Run a graph from a checkpoint on, and wait.

        Args:
            graph: The graph, on the saver that has the thread.
            at: The thread and the checkpoint; None: the head.
            settings: How.
            input: A new input, or None.
            command: LangGraph's command in its place.
            on_event: Called with what the run says while it goes on.
        """
        thread_id, run_id = at[0], str(uuid.uuid4())
        try:
            given = Command(**command) if command else input and revived(input)
        except Exception as refused:
            return RunOutcome(run_id, "error", repr(refused))
        how, more = run_config(at, settings, run_id), {"context": settings.context, **stops(settings)}
        if on_event is None:
            return self._outcome(thread_id, run_id, self._invoke(graph, given, how, **more))
        events = EventStream(thread_id, run_id, on_event)
        try:
            error = watched(self._acting, graph, events, given, how, **more)
        except StopRun:
            return events.end(RunOutcome(run_id, "interrupted", stopped=True))
        return events.end(self._outcome(thread_id, run_id, error))

    def _invoke(self, graph: Any, *given: Any, **more: Any) -> Exception | None:
        """Run a graph to its end; what its own code raised."""
        try:
            self._acting(graph, "invoke", *given, **more)
        except ForkbookError:
            raise
        except Exception as error:
            return error
        return None

    def _outcome(self, thread_id: str, run_id: str, error: Exception | None) -> RunOutcome:
        if error is not None:
            return RunOutcome(run_id, "error", repr(error))
        return RunOutcome(run_id, "interrupted" if self._left(thread_id, run_id) else "success")


def run_config(at: tuple[str, str | None], settings: RunSettings, run_id: str) -> MaskedDict:
    """The config of a run, with the place that it runs from and its id in the metadata."""
    how = MaskedDict(settings.config)
    how["configurable"] = {**how.get("configurable", {}), **config(*at)["configurable"]}
    how["metadata"] = {**how.get("metadata", {}), **settings.metadata, "run_id": run_id}
    how["run_id"] = uuid.UUID(run_id)
    return how


def stops(settings: RunSettings) -> dict[str, Any]:
    """Where a run is to stop, as LangGraph takes it."""
    given = {"interrupt_before": settings.interrupt_before, "interrupt_after": settings.interrupt_after}
    return {name: nodes if nodes == "*" else list(nodes) for name, nodes in given.items() if nodes is not None}


def watched(acting: Caller, graph: Any, events: EventStream, given: Any, how: Any, **more: Any) -> Exception | None:
    """Run a graph and tell what it does, in this thread; what its own code raised.

    Whatever an event raises ends the run, and is raised here: sync nodes under way come to their end first.
    """
    parts = acting.stream(graph, "stream", given, how, stream_mode=list(MODES), subgraphs=True, **more)
    reading = Reading()
    try:
        events.emit("start")
        while True:
            try:
                ns, mode, data = next(parts)
            except StopIteration:
                return None
            except ForkbookError:
                raise
            except Exception as error:
                return error
            events.part(mode, "|".join(ns), _plain(reading, mode, data))
    finally:
        parts.close()  # type: ignore[attr-defined]


def _plain(reading: Reading, mode: str, data: Any) -> Any:
    """What a server would send."""
    if mode == "messages":
        message, metadata = data
        return reading.plain(message), metadata
    if mode == "tasks":
        return {**data, "error": said(data.get("error"))}
    tasks = [_plain_task(reading, task) for task in data["tasks"]]
    metadata = reading.plain(data["metadata"])
    return {**data, "values": reading.channels(data["values"]), "metadata": metadata, "tasks": tasks}


def _plain_task(reading: Reading, task: dict[str, Any]) -> dict[str, Any]:
    return {key: reading.plain(value) for key, value in task.items() if key != "state"}
