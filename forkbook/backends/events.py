"""What a run tells while it goes on: LangGraph's stream, from a server or a graph in this process, as events. Pure."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..model.messages import role, text
from ..model.reserved import ROOT
from ..model.secrets import MaskedDict
from ..model.states import State, id_of
from ..model.text import short, shown
from ..model.tree import path_of
from .records import RunOutcome
from .wire import a_part, a_state

MODES = ("checkpoints", "messages", "tasks")  # a server calls the second "messages-tuple"


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """Something that a run told; what does not belong to its kind is None, or "".

    Attributes:
        kind (str): `start` (the run is known; it may still have to wait its turn), `task` (one began or ended),
            `tokens` (a message grew), `checkpoint` (one was made), `end`.
        thread_id (str): The thread's id.
        run_id (str): The run's id.
        ns (str): The namespace it came from, LangGraph's `checkpoint_ns`; "" is the root.
        node (str | None): Of a task or a message: the node.
        task_id (str | None): Of a task: its id.
        checkpoint_id (str | None): Of a checkpoint: its id.
        state (dict | None): Of a checkpoint: LangGraph's `ThreadState`, as far as it is known then: `created_at` and
            results of tasks are not.
        message_id (str | None): Of tokens: the message's id.
        role (str | None): Of tokens: `ai`, `tool`, `human` …
        delta (str): Of tokens: the text that is new.
        text (str): Of tokens: all that the message says so far.
        status (str | None): Of a task: `started`, `finished`, `waiting` (it asks something), `error`. Of the end:
            `success`, `error`, `interrupted` or `timeout`; a server calls a run that asks something a success.
        error (str | None): Of a task or the end: the exception.
    """

    kind: str
    thread_id: str
    run_id: str
    ns: str = ""
    node: str | None = None
    task_id: str | None = None
    checkpoint_id: str | None = None
    state: State | None = None
    message_id: str | None = None
    role: str | None = None
    delta: str = ""
    text: str = ""
    status: str | None = None
    error: str | None = None

    @shown
    def __repr__(self) -> str:
        told = {
            "in": " › ".join(path_of(self.ns)),
            "node": self.node,
            "checkpoint": self.checkpoint_id and self.checkpoint_id[-6:],
            "step": self.state and (self.state["metadata"] or {}).get("step"),
            "status": self.status,
            "role": self.role,
            "delta": self.delta and short(self.delta),
            "error": self.error and short(self.error),
        }
        words = [f"{name} {value}" for name, value in told.items() if value not in (None, "")]
        return f"<Event {' · '.join([self.kind, *words])}>"


OnEvent = Callable[[Event], object]


class StopRun(Exception):  # an order, not an error
    """Raised in an `on_event`: cancels the run; the act comes back with what it wrote until then."""


class EventStream:
    """The events of a run: each is passed to `on_event`, in the thread that waits for the run.

    Args:
        thread_id: The thread.
        run_id: The run.
        on_event: Called with each event.

    Attributes:
        error: The exception that ended the run, where the stream has it.
        raised: What `on_event` raised.
    """

    def __init__(self, thread_id: str, run_id: str, on_event: OnEvent) -> None:
        self._ids, self._on_event = (thread_id, run_id), on_event
        self._texts: dict[str, str] = {}
        self.error: str | None = None
        self.raised: BaseException | None = None

    def emit(self, kind: str, **more: Any) -> None:
        """Pass on an event of a kind."""
        self.pass_on(Event(kind, *self._ids, **more))

    def pass_on(self, event: Event) -> None:
        """Call `on_event` with what was read."""
        try:
            self._on_event(event)
        except BaseException as error:
            self.raised = error
            raise

    def end(self, outcome: RunOutcome) -> RunOutcome:
        """Pass on that the run ended; it is too late to stop it then."""
        with suppress(StopRun):
            self.emit("end", status=outcome.status, error=outcome.error)
        return outcome

    def part(self, mode: str, ns: str, data: Any) -> None:
        """Pass on what a part of LangGraph's stream says; see `read`."""
        if (event := self.read(mode, ns, data)) is not None:
            self.pass_on(event)

    def read(self, mode: str, ns: str, data: Any) -> Event | None:
        """What a part of LangGraph's stream says; None: nothing, as parts of other modes do.

        Args:
            mode: LangGraph's stream mode.
            ns: The namespace.
            data: As JSON has it.

        Raises:
            UnexpectedAnswer: It has not the shape of its mode.
        """
        part = a_part(mode, data)
        if mode == "messages":
            return self._message(ns, *part)
        if mode == "tasks":
            return self._task(ns, part)
        if mode == "error":
            self.error = said(part)
        if mode != "checkpoints":
            return None
        state = streamed_state(part, *self._ids)
        return Event("checkpoint", *self._ids, ns=ns, checkpoint_id=id_of(state), state=state)

    def _message(self, ns: str, message: Mapping[str, Any], metadata: Mapping[str, Any]) -> Event | None:
        who = role(message)
        if who is None:
            return None  # a removal, for one
        id_, said = str(message.get("id")), text(message)
        before = self._texts.get(id_, "")
        whole = before + said if str(message.get("type")).endswith("Chunk") else said
        self._texts[id_] = whole
        delta = whole.removeprefix(before)
        if not delta:
            return None
        told: dict[str, Any] = {"node": metadata.get("langgraph_node"), "message_id": message.get("id"), "role": who}
        return Event("tokens", *self._ids, ns=ns, delta=delta, text=whole, **told)

    def _task(self, ns: str, task: Mapping[str, Any]) -> Event:
        status, error = "started", task.get("error")
        if "result" in task:
            status = "error" if error else "waiting" if task.get("interrupts") else "finished"
        told: dict[str, Any] = {"node": task["name"], "task_id": task["id"], "status": status, "error": said(error)}
        return Event("task", *self._ids, ns=ns, **told)


def said(error: Any) -> str | None:
    """A streamed exception in words."""
    if isinstance(error, Mapping) and error.keys() >= {"error", "message"}:
        return f"{error['error']}: {error['message']}"
    if isinstance(error, Exception):
        return f"{type(error).__name__}: {error}"
    return None if error is None else str(error)


def streamed_state(data: Mapping[str, Any], thread_id: str, run_id: str) -> State:
    """A streamed checkpoint in the shape of a state; what comes later, or is not streamed, is None.

    Raises:
        UnexpectedAnswer: It cannot be a state.
    """
    known = ("id", "name", "error", "interrupts", "result")
    return a_state(
        {
            "values": {ROOT: None} if data.get("values") is None else data["values"],
            "next": data.get("next"),
            "tasks": [{key: task.get(key) for key in known} for task in data["tasks"]],
            "metadata": MaskedDict(data.get("metadata") or {}, run_id=run_id),
            "created_at": None,
            "checkpoint": _address(data.get("config"), thread_id),
            "parent_checkpoint": _address(data.get("parent_config"), thread_id),
            "interrupts": [],
        }
    )


def _address(config: Any, thread_id: str) -> dict[str, Any] | None:
    at = (config or {}).get("configurable") or {}
    if not at.get("checkpoint_id"):
        return None
    return {
        "checkpoint_id": at["checkpoint_id"],
        "thread_id": thread_id,
        "checkpoint_ns": at.get("checkpoint_ns") or "",
    }
