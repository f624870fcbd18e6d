"""Threads of a compiled LangGraph graph in this process, in whatever its checkpointer keeps them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from langgraph.errors import InvalidUpdateError

from ...errors import ForkbookError, InvalidInput, ProtocolError, SourceError, ThreadNotFound, Unsupported
from ...marks import is_scratch
from ...model.edits import plain
from ...model.lookup import is_uuid
from ...model.reserved import END
from ...model.states import State, Thread, id_of, namespace
from ...model.tree import Head, path_of
from ..capabilities import Capability
from ..classes import Classes
from ..configured import from_metadata
from ..events import OnEvent
from ..pydantic_reasons import exception_in_one_line
from ..records import Graph, RunOutcome, RunSettings
from ..store import Memory
from ..wire import as_written
from .calls import Caller, awaits, caller_of
from .copies import Copies
from .functional import with_memory
from .holding import must_hold_copies
from .kept_in import OnCheckpointer
from .reading import StateReader
from .restoring import as_objects, with_messages
from .revive import holds_messages, revived
from .runs import GraphRuns
from .snapshots import DECLARED, Reading, Saver, Stub, config, described, stub, without_objects
from .threads import record_of, to_search
from .write_history import graph_at, plant

SEARCHES = ("ids", "limit", "offset", "metadata")


class GraphBackend(OnCheckpointer):
    """A compiled graph with a checkpointer, sync or async.

    A copy is written when it is first asked for; one that is tagged as scratch before, a preview's, is made in memory
    and takes over a checkpoint when it is edited. So a preview costs one checkpoint, nothing of it reaches the user's
    store, and no other process ever sees it. Tags live as long as this object: savers keep none.

    Args:
        graph: The graph.

    Attributes:
        notes: What could not be read of a thread, by its id.

    Raises:
        InvalidInput: It is no compiled graph, or has no checkpointer.
    """

    kind = "the graph"
    keeps_objects = True
    classes = "loaded"

    def __init__(self, graph: Any) -> None:
        self._graph, self._saver = checked(graph)
        self.name = self.assistant = str(self._graph.get_name())
        self.address = f"{self.name} ({type(self._saver).__name__})"
        if self._graph.store is None:
            self.capabilities -= {Capability.STORE}
        self._call = caller_of(self._saver)
        self._tags: dict[str, dict[str, Any]] = {}
        self._copies = Copies(self._graph, self._saver, self._call, self._stubs)
        self._reader = StateReader(self._call, lambda thread_id: self._copies.original(thread_id) is not None)
        self.notes = self._reader.notes

    @contextmanager
    def _as_errors(self, deed: str, thread_id: str | None = None) -> Iterator[None]:
        try:
            yield
        except ForkbookError:
            raise
        except NotImplementedError as error:
            raise Unsupported(f"{deed}: {self.address} does not offer it ({error})", thread_id=thread_id) from error
        except Exception as error:
            if thread_id is not None and "\0" in thread_id:  # Postgres has no NUL in text
                raise ThreadNotFound(f"{deed}: there is no such thread", thread_id=thread_id) from error
            why = exception_in_one_line(error)
            raise SourceError(f"{deed}: {self.address} says {why}", thread_id=thread_id, said=why) from error

    def threads(self, **search: Any) -> Iterator[Thread]:
        """Every thread that fits, newest first.

        Savers only list checkpoints, so all of them are passed; their values are not built.

        Args:
            **search: `ids`; `limit` and `offset`; `metadata`, of the thread or of one of its checkpoints.
        """
        if unknown := search.keys() - set(SEARCHES):
            raise InvalidInput(
                f"{self.kind} {self.address} cannot search by {', '.join(sorted(unknown))}, only {', '.join(SEARCHES)}"
            )
        with self._as_errors("writing the copies that were made"):
            self._copies.write_owed()
        wanted = (search.get("metadata") or {}).items()
        threads: dict[str, list[Stub]] = {}
        tagged = [thread_id for thread_id in self._tags if self._copies.original(thread_id) is None]
        for found in to_search(self._stubs, search.get("ids"), [name for name, _ in wanted], tagged):
            threads.setdefault(found.thread_id, []).append(found)
        records = [
            record
            for thread_id, stubs in threads.items()
            if wanted <= (record := self._record(thread_id, stubs))["metadata"].items()
            or any(wanted <= found.metadata.items() for found in stubs)
        ]
        records.sort(key=lambda record: str(record["created_at"] or ""), reverse=True)
        first, limit = search.get("offset") or 0, search.get("limit")
        yield from records[first : None if limit is None else first + limit]

    def _record(self, thread_id: str, stubs: list[Stub]) -> Thread:
        return record_of(thread_id, stubs, {"graph_id": self.name} | self._tags.get(thread_id, {}))

    def thread(self, thread_id: str) -> Thread:
        if (original := self._copies.original(thread_id)) is not None:
            return self._record(thread_id, self._stubs(original))
        stubs = self._stubs(thread_id)
        if not stubs:
            raise ThreadNotFound(
                f"no thread {thread_id!r} in {self.address}; book.threads() lists them", thread_id=thread_id
            )
        return self._record(thread_id, stubs)

    def _stubs(self, thread_id: str | None) -> list[Stub]:
        config = None if thread_id is None else {"configurable": {"thread_id": thread_id}}
        saver = self._saver if thread_id is None else self._at(thread_id).checkpointer
        with self._as_errors("listing the checkpoints" + (f" of thread {thread_id}" if thread_id else ""), thread_id):
            return self._call.each(stub, without_objects(saver), "list", config)

    def heads(self, thread_id: str) -> list[Head]:
        heads = [found.head for found in self._stubs(thread_id) if not found.head.ns]
        return sorted(heads, key=lambda head: head.id, reverse=True)

    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        """All states of a namespace, newest first, in pages of `page_size`; by default of about 5,000 list items.

        A checkpoint of which LangGraph itself makes no state (its values fail the validation of today's graph) is read
        from the saver alone: what runs next is unknown there, and `notes` and a warning say so.
        """
        if page_size is not None and page_size < 1:
            raise InvalidInput(f"page_size is {page_size}: give 1 or more")
        graph, oldest = self._at(thread_id), None
        with self._as_errors(f"reading the history of thread {thread_id}", thread_id):
            for states in self._reader.pages(graph, thread_id, ns, page_size):
                ids = [id_of(state) for state in states]
                if oldest is not None and max(ids) >= oldest:
                    raise ProtocolError(
                        f"reading thread {thread_id}: {self.address} gives checkpoints again when asked for older ones",
                        thread_id=thread_id,
                    )
                oldest = min(ids)
                yield states

    def namespaces(self, thread_id: str) -> set[str]:
        return {found.head.ns for found in self._stubs(thread_id)} - {""}

    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        with self._as_errors(f"reading checkpoint {checkpoint_id or 'head'} of thread {thread_id}", thread_id):
            return self._reader.state(self._at(thread_id), thread_id, checkpoint_id, ns)

    def states(self, thread_id: str, ids: Collection[str], *, ns: str = "") -> dict[str, State]:
        with self._as_errors(f"reading {len(ids):,} checkpoints of thread {thread_id}", thread_id):
            return self._reader.states(self._at(thread_id), thread_id, ids, ns)

    def why_unread(self, thread_id: str) -> str | None:
        return self._reader.unread.get(thread_id)

    def graph(self, assistant: str) -> Graph:
        if assistant != self.name and not is_uuid(assistant):  # a server's assistant wrote the thread
            raise InvalidInput(f"no assistant {assistant!r} here; {self.kind} is {self.name}", candidates=[self.name])
        return self._known

    @cached_property
    def _known(self) -> Graph:
        return described(self._graph, self.name, self.name)

    def subgraph(self, assistant: str, ns: str) -> Graph:
        path = "|".join(path_of(ns))
        if (inner := graph_at(self._graph, ns)) is None:
            raise Unsupported(f"{self.kind} {self.address} does not know its subgraph {path}")
        return described(inner, self.name, path)

    def run_settings(self, thread_id: str, metadata: Mapping[str, Any]) -> RunSettings:
        """How a run was run, from what LangGraph copies of its config into each checkpoint: text, numbers, booleans.

        The context is not among it, so it is unknown.
        """
        given = from_metadata(metadata, DECLARED)
        return RunSettings(self.name, {"configurable": given} if given else {}, guessed=True)

    def as_sent(self, values: Any) -> dict[str, Any]:
        """The objects themselves: nothing is sent; what is in the plain form that a checkpoint shows is turned back."""
        if not isinstance(values, Mapping):
            return plain(values)  # says what an edit is
        return {str(name): revived(value) for name, value in values.items()}

    def as_edit(self, state: State, values: Any) -> tuple[dict[str, Any], Mapping[str, str]]:
        """The objects themselves; where channels hold some, what was typed as a checkpoint shows it is made one."""
        at, ns = state["checkpoint"], namespace(state)
        place, inner = config(at["thread_id"], at["checkpoint_id"], ns), graph_at(self._graph, ns)
        graph = self._at(at["thread_id"])
        try:
            held = self._call(graph, "get_state", place).values
            stored = self._call(without_objects(graph.checkpointer), "get_tuple", place).checkpoint["channel_values"]
        except Exception:  # LangGraph cannot read it
            held, stored = {}, {}
        return as_objects(inner.channels if inner else {}, held, stored, values, self._saver.serde)

    def as_shown(self, value: Any) -> Any:
        return Reading().plain(value)

    @property
    def place(self) -> Any:
        return self._saver

    def update(
        self, thread_id: str, checkpoint_id: str | None, values: Any, as_node: str | None, *, ns: str = ""
    ) -> str:
        if checkpoint_id and (original := self._copies.original(thread_id)) is not None:
            with self._as_errors(f"copying checkpoint {checkpoint_id} of thread {original}", original):
                self._copies.take_over(thread_id, checkpoint_id, ns)
        values = as_written(values, as_node)
        graph, deed = self._at(thread_id), f"editing checkpoint {checkpoint_id or 'at the head'} of thread {thread_id}"
        with self._as_errors(deed, thread_id):
            try:
                at = config(thread_id, checkpoint_id, ns)
                if isinstance(values, dict) and any(map(holds_messages, values.values())):
                    values = with_messages(values, self._call(graph, "get_state", at).values)
                if not ns and as_node != END and graph.stream_channels_asis == END:
                    saved = self._call(graph.checkpointer, "get_tuple", at)
                    values = with_memory(values, saved.checkpoint["channel_values"] if saved else {})
                edited = self._acting(graph, "update_state", at, values, as_node=as_node)
            except (InvalidUpdateError, ValueError, TypeError, KeyError) as error:
                why = exception_in_one_line(error)
                raise InvalidInput(f"{deed}: {self.name} refuses it ({why})", thread_id=thread_id, said=why) from error
        return str(edited["configurable"]["checkpoint_id"])

    @cached_property
    def awaits(self) -> bool:  # type: ignore[override]
        return self._acting.awaits

    @cached_property
    def _acting(self) -> Caller:
        """Calls for what runs the graph's own code: awaited if that is async, whatever the saver."""
        return Caller(self._call.awaits or awaits(self._graph), self._call.loop)

    def run(
        self,
        thread_id: str,
        checkpoint_id: str | None,
        settings: RunSettings,
        *,
        input: Any = None,
        command: Mapping[str, Any] | None = None,
        on_event: OnEvent | None = None,
        multitask_strategy: str = "reject",
    ) -> RunOutcome:
        """Run the graph on and wait; the checkpoints that it writes carry the run's id in their metadata.

        A run that is stopped cancels async nodes under way; sync ones come to their end, and are written.
        """
        if multitask_strategy != "reject":
            raise Unsupported(
                f"{self.kind} {self.address} keeps no queue of runs, so there is nothing to {multitask_strategy}: an "
                "Agent Server does",
                thread_id=thread_id,
            )
        at = thread_id, checkpoint_id
        return self._runs.run(self._at(thread_id), at, settings, input=input, command=command, on_event=on_event)

    @cached_property
    def _runs(self) -> GraphRuns:
        return GraphRuns(self._acting, self._left)

    def _left(self, thread_id: str, run_id: str) -> Any:
        with self._as_errors(f"reading where run {run_id} of thread {thread_id} ended", thread_id):
            return self._call(self._at(thread_id), "get_state", config(thread_id)).next

    def pulse(self, thread_id: str) -> tuple[Any, bool | None]:
        """The head, and whether something is left to run; a checkpointer does not know whether a run is under way."""
        state = self.state(thread_id)
        if state is None:
            return None, None
        waits = not state["next"] or any(task.get("interrupts") for task in state["tasks"] or ())
        return id_of(state), False if waits and state["next"] is not None else None

    def must_hold_copies(self) -> None:
        must_hold_copies(self._saver, f"{self.kind} {self.address}", awaits=self._call.awaits)

    def copy(self, thread_id: str) -> str:
        self.thread(thread_id)
        return self._copies.owe(thread_id)

    def memory(self) -> Memory:
        if self._graph.store is None:
            return super().memory()
        from .store import GraphMemory

        return GraphMemory(f"{self.kind} {self.address}", self._graph.store, self._as_errors)

    def plant(self, thread_id: str, states: Sequence[State], classes: Classes = "unknown") -> tuple[str, ...]:
        with self._as_errors(f"writing thread {thread_id}", thread_id):
            graph = self._at(thread_id)
            return plant(graph, graph.checkpointer, self._call, self._acting, thread_id, states, classes)

    def tag(self, thread_id: str, metadata: Mapping[str, Any]) -> None:
        if is_scratch(metadata):
            self._copies.make_scratch(thread_id)
        self._at(thread_id)
        self._tags.setdefault(thread_id, {}).update(metadata)

    def delete(self, thread_id: str) -> None:
        self._tags.pop(thread_id, None)
        if not self._copies.forget(thread_id):
            with self._as_errors(f"deleting thread {thread_id}", thread_id):
                self._call(self._saver, "delete_thread", thread_id)

    def _at(self, thread_id: str) -> Any:
        """The graph, on the saver that has the thread; a copy that is still owed is written."""
        with self._as_errors(f"copying to thread {thread_id}", thread_id):
            return self._copies.graph_of(thread_id)


def checked(graph: Any) -> tuple[Any, Saver]:
    """The graph and its checkpointer.

    Raises:
        InvalidInput: It is no compiled graph, or keeps nothing.
    """
    if not hasattr(graph, "get_state_history") or not hasattr(graph, "checkpointer"):
        hint = ": builder.compile(checkpointer=…) makes one" if hasattr(graph, "compile") else ""
        raise InvalidInput(f"a {type(graph).__name__} is no compiled graph{hint}")
    if not hasattr(graph.checkpointer, "get_tuple"):
        raise InvalidInput(
            f"the graph {graph.get_name()} was compiled without a checkpointer, so its threads have no history: "
            "builder.compile(checkpointer=InMemorySaver()), or SqliteSaver (pip install langgraph-checkpoint-sqlite), "
            "PostgresSaver (pip install langgraph-checkpoint-postgres) …"
        )
    return graph, graph.checkpointer
