"""The contract of every backend: what a `Book` may ask of the place that holds its threads.

A checkpoint's state travels in the shape of LangGraph's `ThreadState`: a dict with `values`, `next`, `tasks`,
`metadata`, `created_at`, `checkpoint`, `parent_checkpoint` and `interrupts`. What a place cannot know is None, never
empty.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import Unsupported
from ..model.edits import plain
from ..model.states import State, Thread, head_of
from ..model.tree import Head
from .budget import DEFAULT_BUDGET, Budget
from .capabilities import Capability, overridden
from .classes import Classes
from .events import OnEvent
from .readers import AT_ONCE, side_by_side
from .records import Graph, RunOutcome, RunSettings, Update
from .store import Memory


class Backend(ABC):
    """A place that holds threads. Readers implement the first half, places that can act the second, too.

    Attributes:
        kind: What it is, as in "the Agent Server".
        address: Where it is, as a user would type it, without secrets.
        assistant: The graph that all its threads belong to, where there is only one.
        takes_context_beside_configurable: Whether a run may be given both; a server takes one and derives the other.
        keeps_objects: Whether an edit may hold objects; elsewhere it is JSON.
        awaits: Whether it awaits objects that live on an event loop, as async checkpointers do.
        header_names: The headers that go with every request, by name alone.
        keeps_rows: Whether it keeps what it read of a thread, so that to read it again costs only what changed since.
            It gives the same states again then, so callers do not change them.
        classes: What it tells of the classes of objects in values: `unknown`, `named`, or `loaded`, where LangGraph has
            made these objects in this process.
        parallel: Whether several threads of this process may ask it at a time.
        is_live: Whether its threads may change while they are read.
        budget: The bounds of what it reads.
        capabilities: What it can do beyond reading; asking for more is an error that names the kinds of place that can.
            A class has those whose methods it overrides, unless it says otherwise; an instance may have fewer.
    """

    kind: str
    address: str
    capabilities: frozenset[Capability] = frozenset()
    budget: Budget = DEFAULT_BUDGET
    is_live: bool = True
    assistant: str | None = None
    takes_context_beside_configurable: bool = True
    keeps_rows: bool = False
    classes: Classes = "unknown"
    parallel: bool = False
    keeps_objects: bool = False
    awaits: bool = False
    header_names: tuple[str, ...] = ()

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if "capabilities" not in vars(cls):
            cls.capabilities = overridden(cls, Backend)

    @abstractmethod
    def threads(self, **search: Any) -> Iterator[Thread]:
        """Every thread that fits the search, newest first, forkbook's scratch copies left out."""

    def ids(self) -> Iterator[str]:
        """The ids of all its threads."""
        return (str(thread["thread_id"]) for thread in self.threads())

    @abstractmethod
    def thread(self, thread_id: str) -> Thread:
        """One thread's record.

        Raises:
            ThreadNotFound: There is none.
        """

    @abstractmethod
    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        """All states of one namespace of a thread, newest first, in pages; exhausted only when nothing is left."""

    @abstractmethod
    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        """One checkpoint's state, or that of the newest in its namespace; None if there is no such checkpoint."""

    def states(self, thread_id: str, ids: Collection[str], *, ns: str = "") -> dict[str, State]:
        """The states of several checkpoints of a namespace, by id, of those that are there; as few reads as it takes.

        What was read before and did not change may be the same object again.
        """
        keys = list(ids)
        found = side_by_side(lambda id_: self.state(thread_id, id_, ns=ns), keys, AT_ONCE if self.parallel else 1)
        return {id_: state for id_, state in zip(keys, found, strict=True) if state is not None}

    def namespaces(self, thread_id: str) -> set[str] | None:
        """The namespaces of a thread's subgraphs; None: it keeps no list, so only the tasks of states name them."""
        return None

    def n_checkpoints(self, thread_id: str) -> int | None:
        """How many checkpoints a thread has in all its namespaces; None: the place does not tell."""
        return None

    def heads(self, thread_id: str) -> list[Head]:
        """Ids, parents, steps and sources of a thread's root namespace; stores read them without any value."""
        return [head_of(state) for page in self.pages(thread_id) for state in page]

    @property
    def place(self) -> Any:
        """What all backends of one place have in common, and those of no other."""
        return self.kind, self.address

    @property
    def file(self) -> Path | None:
        """The file that has its threads; None: they are in no file, or in one that this place does not know."""
        return None

    @property
    def lives_in(self) -> Any:
        """The object of this process that its threads end with; None: they outlive the process."""
        return None

    def close(self) -> None:  # noqa: B027  # most places have nothing open
        """Let go of what is open."""

    def assistants(self) -> list[str]:
        """Names of the graphs that it runs."""
        return [self.assistant] if self.assistant else []

    def graph(self, assistant: str) -> Graph:
        """The graph behind an assistant id or graph name."""
        raise self._cannot(Capability.GRAPHS, "know a graph's nodes and channels")

    def subgraph(self, assistant: str, ns: str) -> Graph:
        """The graph that wrote the checkpoints of a namespace.

        Raises:
            Unsupported: The place does not know it: a node may call it in its own code.
        """
        raise self._cannot(Capability.GRAPHS, "know a subgraph's nodes and channels")

    def run_settings(self, thread_id: str, metadata: Mapping[str, Any]) -> RunSettings:
        """How the run was run that wrote a checkpoint with this metadata."""
        raise self._cannot(Capability.RUN, "know how a run was run")

    def as_sent(self, values: Any) -> dict[str, Any]:
        """An edit as this place takes it; a server takes JSON.

        Raises:
            InvalidInput: It cannot be sent.
        """
        return plain(values)

    def as_edit(self, state: State, values: Any) -> tuple[dict[str, Any], Mapping[str, str]]:
        """An edit of a checkpoint as this place takes it; by channel what becomes of objects that it cannot keep.

        Raises:
            InvalidInput: It cannot be sent.
        """
        return self.as_sent(values), {}

    def why_unread(self, thread_id: str) -> str | None:
        """Why LangGraph makes no state of some checkpoint of a thread, where that is known."""
        return None

    def as_shown(self, value: Any) -> Any:
        """A sent value in the plain form in which this place shows it."""
        return value

    def update(
        self, thread_id: str, checkpoint_id: str | None, values: Any, as_node: str | None, *, ns: str = ""
    ) -> str:
        """Write values at a checkpoint of a namespace, or its head (None), through the reducers; the new one's id."""
        raise self._cannot(Capability.WRITE, "edit")

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
        """Run the graph on from a checkpoint (None: the head) and wait for the end.

        Args:
            thread_id: The thread.
            checkpoint_id: Where.
            settings: How.
            input: A new input; None: go on where the checkpoint stands.
            command: LangGraph's command in the input's place, as {"resume": answer} for an interrupt.
            on_event: Called in this thread with what the run tells. Whatever it raises cancels the run; `StopRun` is no
                error, the outcome is `interrupted` then.
            multitask_strategy: What a server is to do where the thread is busy: LangGraph's `reject`, `enqueue`,
                `interrupt` or `rollback`.

        Raises:
            ThreadBusy: It is busy, and the strategy is `reject`.
        """
        raise self._cannot(Capability.RUN, "run a graph")

    def cancel(self, thread_id: str, run_id: str | None = None) -> None:  # noqa: B027  # not what runs in this process
        """Cancel the runs under way on a thread, or one of them, where the place can; what they wrote stays."""

    def pulse(self, thread_id: str) -> tuple[Any, bool | None]:
        """Something cheap that changes whenever the thread does; and whether a run is under way, None: unknown."""
        return max((head.id for head in self.heads(thread_id)), default=None), None

    def must_hold_copies(self) -> None:  # noqa: B027  # most places do
        """Check that a copy of a thread can be kept here, checkpoint by checkpoint.

        Raises:
            Unsupported: It cannot; the text says why, and what else can be done.
        """

    def copy(self, thread_id: str) -> str:
        """Copy a whole thread; the copy's id."""
        raise self._cannot(Capability.WRITE, "copy a thread")

    def create(
        self, thread_id: str, graph_id: str, metadata: Mapping[str, Any], supersteps: Sequence[Sequence[Update]]
    ) -> None:
        """Make a thread and write its supersteps, one checkpoint each, in one line from a new root.

        Args:
            thread_id: Its id.
            graph_id: The graph that writes, through its reducers; "": none yet, of a thread without supersteps.
            metadata: The thread's metadata.
            supersteps: Of each the updates, `{"values": …, "as_node": …}`.

        Raises:
            ThreadBusy: There is a thread of this id already; nothing was written.
            InvalidInput: The graph refuses an update; the thread is there, with the supersteps before it.
        """
        raise self._cannot(Capability.CREATE, "create a thread")

    def plant(self, thread_id: str, states: Sequence[State], classes: Classes = "unknown") -> tuple[str, ...]:
        """Write a thread's checkpoints as they are, ids too; what is there already is written over with itself.

        Args:
            thread_id: The thread.
            states: Of all its namespaces.
            classes: What the states tell of the classes of objects in them.

        Returns:
            Notes, in words, on what a history does not show and could not be derived.
        """
        raise self._cannot(Capability.PLANT, "write checkpoints under their own ids")

    def scratches(self, *, perhaps: bool = False) -> list[Thread]:
        """The records of threads that are marked as scratch copies; a place that keeps none has none.

        Args:
            perhaps: Those that may be scratch copies, in the place of those that are.
        """
        return []

    def tag(self, thread_id: str, metadata: Mapping[str, Any]) -> None:
        """Merge keys into a thread's metadata."""
        raise self._cannot(Capability.WRITE, "change a thread's metadata")

    def delete(self, thread_id: str) -> None:
        """Delete a thread."""
        raise self._cannot(Capability.WRITE, "delete a thread")

    def memory(self) -> Memory:
        """The memory that threads share.

        Raises:
            Unsupported: This place has none.
        """
        raise Unsupported(
            f"{self.kind} {self.address} has no memory that threads share: an Agent Server has one, a graph that was "
            "compiled with store=…, and a SQLite or Postgres store with the table that LangGraph's store makes",
            capability=Capability.STORE,
            places=Capability.STORE.places,
        )

    def require(self, capability: Capability, deed: str) -> None:
        """Check that this place can do something, before anything else is tried.

        Args:
            capability: What it takes.
            deed: What is to be done, as in "run a graph".

        Raises:
            Unsupported: It cannot.
        """
        if capability not in self.capabilities:
            raise self._cannot(capability, deed)

    def _cannot(self, capability: Capability, deed: str) -> Unsupported:
        return Unsupported(
            f"{self.kind} {self.address} cannot {deed}: {' or '.join(capability.places)} can",
            capability=capability,
            places=capability.places,
        )
