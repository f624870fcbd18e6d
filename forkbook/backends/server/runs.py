"""Runs on an Agent Server: started, waited for or watched, cancelled."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from typing import Any

import httpx
import orjson

from ...errors import ConnectionFailed, ForkbookError, OverBudget, ServerFault, SourceError, ThreadNotFound
from ...model.reserved import ERROR
from .. import retry
from ..configured import from_metadata, from_record
from ..events import MODES, Event, EventStream, OnEvent, StopRun, said
from ..records import RunOutcome, RunSettings
from ..retry import ONCE
from ..wire import IN_CONFIG, a_run, an_object, objects
from .body import Silent

UNDER_WAY = ("pending", "running")
FROM_THE_START = "-1"
PATIENCE = (0, 0.1, 1)  # seconds before a run is joined, or asked for its status, again and again
WATCHED: dict[str, Any] = {
    "stream_mode": [f"{mode}-tuple" if mode == "messages" else mode for mode in MODES],
    "stream_subgraphs": True,
    "stream_resumable": True,  # the server keeps the events, so that a line that broke loses none
}
AsErrors = Callable[..., AbstractContextManager[None]]


class ServerRuns:
    """What an Agent Server runs.

    Args:
        client: Gives the SDK's client for runs.
        as_errors: Raises faults as errors of forkbook.
    """

    def __init__(self, client: Callable[[], Any], as_errors: AsErrors) -> None:
        self._client, self._as_errors = client, as_errors

    def start(self, thread_id: str, settings: RunSettings, *, watched: bool, **asked: Any) -> str:
        """Start a run; its id."""
        with self._as_errors(f"starting a run on thread {thread_id}", thread_id, write=True):
            run = an_object(
                self._client().create(
                    thread_id,
                    settings.assistant,
                    metadata=dict(settings.metadata) or None,
                    config=dict(settings.config) or None,
                    context=settings.context,
                    interrupt_before=settings.interrupt_before,
                    interrupt_after=settings.interrupt_after,
                    **asked,
                    **(WATCHED if watched else {}),
                )
            )
            return str(a_run(run)["run_id"])

    def end(self, thread_id: str, run_id: str, on_event: OnEvent | None) -> RunOutcome:
        """Wait for a run's end; whatever ends the waiting, but for a fault of the server, ends the run."""
        events = None if on_event is None else EventStream(thread_id, run_id, on_event)
        try:
            return self._wait(thread_id, run_id) if events is None else self._watch(thread_id, run_id, events)
        except BaseException as error:
            if isinstance(error, SourceError | ThreadNotFound) and (events is None or error is not events.raised):
                _say_that_it_may_go_on(error, run_id)
            else:
                with suppress(SourceError):
                    self._stop(thread_id, run_id)
            raise

    def _watch(self, thread_id: str, run_id: str, events: EventStream) -> RunOutcome:
        try:
            events.emit("start")
            after = self._emit(events, thread_id, run_id, FROM_THE_START)
            outcome = self._ended(thread_id, run_id, events.error) or self._wait(thread_id, run_id)
            if after:  # where a line was cut without a word there is more; else this takes a hundredth of a second
                self._emit(events, thread_id, run_id, after)
        except StopRun:
            self._stop(thread_id, run_id)
            outcome = self._ended(thread_id, run_id, None) or self._wait(thread_id, run_id)
        return events.end(outcome)

    def _emit(self, events: EventStream, thread_id: str, run_id: str, after: str) -> str | None:
        """Pass on a run's events until its end; the last one's id, None from a server that does not keep them.

        The SDK's client goes on by itself where a line breaks, but not where it was never there.
        """
        last: str | None = after
        patience = iter(PATIENCE)
        while last is not None and (seconds := next(patience, None)) is not None:
            time.sleep(seconds)
            try:
                for event, id_ in self._read(events, thread_id, run_id, last):
                    if event is not None:
                        events.pass_on(event)
                    last = id_
                break
            except Silent:
                if self._status(thread_id, run_id) not in UNDER_WAY:
                    break
                patience = iter(PATIENCE)
            except (ConnectionFailed, ServerFault) as error:
                if error is events.raised:
                    raise
        return last

    def _read(
        self, events: EventStream, thread_id: str, run_id: str, after: str | None
    ) -> Iterator[tuple[Event | None, str | None]]:
        """What each part of a run's stream says, and its id."""
        with self._as_errors(f"watching run {run_id} of thread {thread_id}", thread_id):
            # no stream_mode here: this server takes only the last one of a list
            for part in self._client().join_stream(thread_id, run_id, last_event_id=after):
                mode, _, ns = part.event.partition("|")
                yield events.read(mode, ns, part.data), part.id

    def _ended(self, thread_id: str, run_id: str, error: str | None) -> RunOutcome | None:
        """How a run ended of which the stream told all; None: it does not say, and to join it costs half a second."""
        status = self._status(thread_id, run_id)
        known = status not in UNDER_WAY and (status != "error" or error)
        return RunOutcome(run_id, status, error, stopped=status == "interrupted") if known else None

    def _wait(self, thread_id: str, run_id: str) -> RunOutcome:
        while True:
            answer, pause = None, PATIENCE[-1]
            with suppress(ConnectionFailed, ServerFault), self._as_errors(f"waiting for run {run_id}", thread_id):
                try:
                    answer = self._client().join(thread_id, run_id)
                except httpx.ReadTimeout:
                    pause = 0
            status = self._status(thread_id, run_id)
            if status not in UNDER_WAY:
                fault = answer.get(ERROR) if isinstance(answer, dict) else None
                return RunOutcome(run_id, status, said(fault), stopped=status == "interrupted")
            time.sleep(pause)

    def _status(self, thread_id: str, run_id: str) -> str:
        """A run's status.

        Raises:
            ConnectionFailed: The server was asked three times and did not answer; the run may go on.
        """
        for seconds in PATIENCE:
            time.sleep(seconds)
            try:
                return self._asked(thread_id, run_id)
            except (ConnectionFailed, ServerFault, OverBudget) as error:
                fault = error
        raise ConnectionFailed(
            f"waiting for run {run_id} of thread {thread_id}: the server did not answer when it was asked for the "
            f"run's status, {len(PATIENCE)} times; the run may go on there. Look at the thread when the server answers "
            f"again ({fault})",
            thread_id=thread_id,
            run_id=run_id,
        ) from fault

    def _asked(self, thread_id: str, run_id: str) -> str:
        """A run's status, by one request that is given up soon."""
        with self._as_errors(f"reading run {run_id} of thread {thread_id}", thread_id):
            line: httpx.Client = self._client().http.client
            path, once = f"/threads/{thread_id}/runs/{run_id}", {ONCE: True}
            answer = line.get(path, timeout=retry.SILENCE_S, extensions=once).raise_for_status()
            return str(a_run(orjson.loads(answer.content))["status"])

    def _stop(self, thread_id: str, run_id: str) -> None:
        with self._as_errors(f"cancelling run {run_id}", thread_id, write=True), suppress(httpx.HTTPStatusError):
            self._client().cancel(thread_id, run_id, wait=True)

    def cancel(self, thread_id: str, run_id: str | None = None) -> None:
        """Cancel the runs under way, or one."""
        with self._as_errors(f"cancelling the runs of thread {thread_id}", thread_id, write=True):
            for run in map(a_run, objects(self._client().list(thread_id, limit=100))):
                if run["status"] in UNDER_WAY and run_id in (None, run["run_id"]):
                    with suppress(httpx.HTTPStatusError):  # it ended in between
                        self._client().cancel(thread_id, run["run_id"])


def _say_that_it_may_go_on(error: ForkbookError, run_id: str) -> None:
    """Name the run in an error, unless it does so."""
    if "run_id" not in error.details:
        error.details["run_id"] = run_id
        error.add(f"Run {run_id} may go on there: look at the thread before you run it again")


def recorded_settings(run: Mapping[str, Any]) -> RunSettings:
    """How a run was run, from the server's record of it."""
    asked = run.get("kwargs") or {}
    context = an_object(asked.get("context") or {})
    config = {key: value for key, value in an_object(asked.get("config") or {}).items() if key != "metadata" and value}
    configurable = from_record(an_object(config.pop("configurable", {})), context, IN_CONFIG)
    if configurable.get("user_id") == "" and not context.get("user_id"):
        del configurable["user_id"]  # the server's own, where no user is signed in
    if context.keys() > configurable.keys():  # the server derives each from the other and takes only one
        configurable = {}
    return RunSettings(
        run["assistant_id"],
        config | ({"configurable": configurable} if configurable else {}),
        None if configurable else context or None,
    )


def guessed_settings(metadata: Mapping[str, Any], thread: Mapping[str, Any]) -> RunSettings:
    """How a run was run of which there is no record.

    Args:
        metadata: That of a checkpoint which the run wrote.
        thread: The thread's own metadata, which the checkpoint's repeat.
    """
    given = {key: value for key, value in from_metadata(metadata).items() if thread.get(key) != value}
    if given.get("user_id") == "":
        del given["user_id"]
    assistant = metadata.get("assistant_id") or metadata.get("graph_id")
    return RunSettings(assistant, {"configurable": given} if given else {}, guessed=True)
