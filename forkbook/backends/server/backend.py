"""Threads on an Agent Server, through langgraph-sdk's sync client."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from ...errors import ForkbookError, InvalidInput, ProtocolError, ServerFault, ThreadBusy, ThreadNotFound
from ...marks import COPY_OF, PERHAPS_SCRATCH, SCRATCH, is_scratch
from ...model.held import Secret
from ...model.reserved import END
from ...model.states import State, Thread, id_of
from ..budget import DEFAULT_BUDGET, Budget
from ..contract import Backend
from ..events import OnEvent
from ..records import Graph, RunOutcome, RunSettings, Update
from ..retry import RETRIED
from ..values.interning import Interner
from ..wire import a_run, a_state, a_thread, an_object, as_written, items_in, objects, text_in, threads_of
from .client import Client
from .faults import as_errors, discreet, is_no_route
from .graphs import ServerGraphs
from .keys import checked_url, held_headers, request_headers, secret_words
from .message_forms import in_one_form
from .runs import ServerRuns, guessed_settings, recorded_settings
from .store import ServerMemory

LARGEST_PAGE = 1000
PAGES_IN_VAIN = 10  # that may bring nothing new, one after the other: threads made meanwhile move the others on
SEARCHES = ("ids", "metadata", "values", "status", "sort_by", "sort_order", "limit", "offset")
ALL_BUT_VALUES = [
    "thread_id",
    "created_at",
    "updated_at",
    "metadata",
    "config",
    "status",
    "interrupts",
]  # all but `values`


class ServerBackend(Backend):
    """An Agent Server.

    Args:
        url: Its address, http or https.
        api_key: The key for this server; "env" takes the one in the environment; None sends none.
        headers: More headers for every request, by name. Like the key they show nowhere.
        insecure: Allow a key to travel over plain http to another machine.
    """

    kind = "the Agent Server"
    takes_context_beside_configurable = False
    parallel = True

    def __init__(
        self,
        url: Any,
        api_key: Any = None,
        headers: Any = None,
        *,
        insecure: bool = False,
        budget: Budget = DEFAULT_BUDGET,
    ) -> None:
        self.budget = budget
        url, api_key, headers = Secret.of(url), Secret.of(api_key), held_headers(headers)  # for the locals of errors
        self.address = checked_url(url)
        self._headers = request_headers(self.address, api_key, headers, insecure)
        self.header_names = tuple(self._headers)
        self._secrets = secret_words(self._headers)
        self._line = Client(self.address, self._headers, budget)
        self._runs = ServerRuns(lambda: self._client.runs, self._as_errors)
        self._graphs = ServerGraphs(self.address, lambda: self._client.assistants, self._as_errors)
        self._interner, self._interned = Interner(), set[str]()
        self._measures = True  # whether it tells how large threads are, as far as is known

    @property
    def _client(self) -> Any:
        return self._line.now()

    def close(self) -> None:
        self._line.close()

    @contextmanager
    def _as_errors(self, deed: str, thread_id: str | None = None, *, write: bool = False) -> Iterator[None]:
        if thread_id == "":  # the request would ask for all threads
            raise ThreadNotFound(f"no thread '' on {self.address}: a server takes no empty id", thread_id=thread_id)
        try:
            with discreet(self._secrets), as_errors(deed, self.address, thread_id=thread_id, write=write):
                yield
        except ServerFault:
            self._line.renew()  # after a 500 the server drops the connection under the next request
            raise

    def check(self) -> None:
        """Look whether this is an Agent Server at all.

        Raises:
            SourceError: It is none, or denies access.
        """
        with self._as_errors("looking whether this is an Agent Server"):
            an_object(self._client.http.get("/ok"))

    def threads(self, **search: Any) -> Iterator[Thread]:
        if unknown := search.keys() - SEARCHES:
            raise InvalidInput(
                f"threads cannot be searched by {', '.join(sorted(unknown))}: there is {', '.join(SEARCHES)}",
                candidates=SEARCHES,
            )
        return self._searched({"select": ALL_BUT_VALUES} | search)

    def ids(self) -> Iterator[str]:
        found = self._searched({"select": ["thread_id", "metadata"]}, page_size=LARGEST_PAGE)
        return (str(thread["thread_id"]) for thread in found)

    def _searched(self, search: dict[str, Any], page_size: int = 100) -> Iterator[Thread]:
        search = {"sort_by": "created_at", "sort_order": "desc"} | search
        wanted, offset = search.pop("limit", None), search.pop("offset", 0)
        given, met, in_vain = 0, set[str](), 0
        while wanted is None or given < wanted:
            with self._as_errors(f"listing the threads from {offset} on"):
                answer = self._client.threads.search(**search, limit=page_size, offset=offset)
                new = [thread for thread in threads_of(answer) if thread["thread_id"] not in met]
            if not answer:
                return
            for thread in new:
                if thread["thread_id"] not in met and not is_scratch(thread.get("metadata")):
                    given += 1
                    yield thread
                    if given == wanted:
                        return
                met.add(thread["thread_id"])
            offset += len(answer)
            in_vain = 0 if new else in_vain + 1
            if in_vain == PAGES_IN_VAIN:
                raise ProtocolError(
                    f"listing the threads: {self.address} gave the same ones {in_vain} times, so it does not page as "
                    "LangGraph does, and others cannot be listed; open one by its id, as book['…']"
                )

    def scratches(self, *, perhaps: bool = False) -> list[Thread]:
        mark: Any = PERHAPS_SCRATCH if perhaps else SCRATCH
        with self._as_errors("opening it"):
            return threads_of(self._client.threads.search(metadata=mark, select=ALL_BUT_VALUES, limit=LARGEST_PAGE))

    def _interner_for(self, thread_id: str) -> Interner:
        """One interner for what is read of a thread, and of a second one that it may be compared with."""
        if thread_id not in self._interned:
            if len(self._interned) == 2:
                self._interner, self._interned = Interner(), set()
            self._interned.add(thread_id)
        return self._interner

    def thread(self, thread_id: str) -> Thread:
        with self._as_errors(f"reading thread {thread_id}", thread_id):
            return a_thread(self._client.threads.get(thread_id))

    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        """All states, newest first.

        The first page has 10, further ones as many (10 to 100) as keep about 5,000 list items in flight; `page_size`
        (1 to 1,000) fixes it. Reading goes on until a page is empty, or is shorter than asked for and no parent is
        missing: a server that cuts pages short loses nothing, and a small thread takes one request.
        """
        if page_size is not None and not 1 <= page_size <= LARGEST_PAGE:
            raise InvalidInput(f"page_size is {page_size}: give 1 to {LARGEST_PAGE}, the server's own limits")
        interner, before, read = self._interner_for(thread_id), None, 0
        known, parents = set[str](), set[Any]()
        limit = page_size or 10
        within: Any = {"checkpoint_ns": ns} if ns else None
        while True:
            deed = f"reading the history of thread {thread_id} ({read} checkpoints so far)"
            with self._as_errors(deed, thread_id):
                page = objects(
                    self._client.threads.get_history(thread_id, limit=limit, before=before, checkpoint=within)
                )
                states = [interner.state(state) for state in in_one_form([a_state(item) for item in page])]
                ids = [id_of(state) for state in states]
            if not states:
                return
            if len(set(ids)) < len(ids) or (before and max(ids) >= before["configurable"]["checkpoint_id"]):
                raise ProtocolError(
                    f"{deed}: {self.address} does not page as LangGraph does (it sent checkpoints again), "
                    "so nothing past them can be read",
                    thread_id=thread_id,
                )
            yield states
            known.update(ids)
            parents.update((state["parent_checkpoint"] or {}).get("checkpoint_id") for state in states)
            if len(states) < limit and parents - {None} <= known:
                return
            read += len(states)
            before = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": min(ids)}}
            if page_size is None:
                limit = max(10, min(100, 5000 // max(1, items_in(states[-1]))))

    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        with self._as_errors(f"reading checkpoint {checkpoint_id or 'head'} of thread {thread_id}", thread_id):
            answer = an_object(self._client.threads.get_state(thread_id, **_place(checkpoint_id, ns)))
            if answer.get("created_at") is None and not answer.get("metadata"):
                return None  # with an id where one was asked for
            state = a_state(answer)
            state["checkpoint"].setdefault("checkpoint_ns", "")
            return self._interner_for(thread_id).state(*in_one_form([state]))

    def n_checkpoints(self, thread_id: str) -> int | None:
        if not self._measures:
            return None
        with suppress(ForkbookError), self._as_errors(f"measuring thread {thread_id}", thread_id):
            try:
                answer = an_object(self._client.http.get(f"/threads/{thread_id}/storage"))
            except httpx.HTTPStatusError as error:
                self._measures = not is_no_route(error)
                if self._measures:
                    raise
                return None
            count = an_object(answer.get("checkpoints")).get("count")
            return count if isinstance(count, int) else None
        return None

    @property
    def place(self) -> Any:
        return self.kind, self.address.replace("//localhost", "//127.0.0.1")

    def assistants(self) -> list[str]:
        return self._graphs.names()

    def graph(self, assistant: str) -> Graph:
        return self._graphs.graph(assistant)

    def subgraph(self, assistant: str, ns: str) -> Graph:
        return self._graphs.subgraph(assistant, ns)

    def run_settings(self, thread_id: str, metadata: Mapping[str, Any]) -> RunSettings:
        run_id = metadata.get("run_id")
        with self._as_errors(f"reading run {run_id} of thread {thread_id}", thread_id):
            run = self._run(thread_id, run_id)
            if run is None:  # a copied thread has its original's run ids, not its runs
                thread = a_thread(self._client.threads.get(thread_id)).get("metadata") or {}
                run = self._run(thread[COPY_OF], run_id) if isinstance(thread.get(COPY_OF), str) else None
            return guessed_settings(metadata, thread) if run is None else recorded_settings(run)

    def _run(self, thread_id: str, run_id: Any) -> dict[str, Any] | None:
        """A run's record, if the server still has it."""
        try:
            return a_run(self._client.runs.get(thread_id, run_id)) if run_id else None
        except httpx.HTTPStatusError as error:
            if error.response.status_code == 404:
                return None
            raise

    def update(
        self, thread_id: str, checkpoint_id: str | None, values: Any, as_node: str | None, *, ns: str = ""
    ) -> str:
        values = as_written(values, as_node)
        if as_node == END and not ns and checkpoint_id == self._head_id(thread_id):
            checkpoint_id = None  # with it the thread would be called interrupted still
        with self._as_errors(
            f"editing checkpoint {checkpoint_id or 'at the head'} of thread {thread_id}", thread_id, write=True
        ):
            answer = an_object(
                self._client.threads.update_state(thread_id, values, as_node=as_node, **_place(checkpoint_id, ns))
            )
            return text_in(answer.get("checkpoint"), "checkpoint_id")

    def _head_id(self, thread_id: str) -> Any:
        head = self.state(thread_id)
        return head and id_of(head)

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
        sent = {"input": input, "command": command, "checkpoint_id": checkpoint_id}
        how = sent | {"multitask_strategy": multitask_strategy}
        try:
            run_id = self._runs.start(thread_id, settings, watched=on_event is not None, **how)
        except ThreadNotFound as error:  # or the assistant: the server says "Thread or assistant not found."
            self.thread(thread_id)
            raise InvalidInput(
                f"{self.address} has no assistant {settings.assistant!r} that this user may run",
                thread_id=thread_id,
            ) from error
        return self._runs.end(thread_id, run_id, on_event)

    def cancel(self, thread_id: str, run_id: str | None = None) -> None:
        self._runs.cancel(thread_id, run_id)

    def pulse(self, thread_id: str) -> tuple[Any, bool | None]:
        """The thread's record, which changes where a run begins and ends; in between, the head."""
        record = self.thread(thread_id)
        if record.get("status") != "busy":
            return record.get("updated_at"), False
        head = self.state(thread_id)
        return head and id_of(head), True

    def copy(self, thread_id: str) -> str:
        self.thread(thread_id)  # a missing one would be answered 409
        with self._as_errors(f"copying thread {thread_id}", thread_id, write=True):
            return text_in(self._client.threads.copy(thread_id), "thread_id")

    def create(
        self, thread_id: str, graph_id: str, metadata: Mapping[str, Any], supersteps: Sequence[Sequence[Update]]
    ) -> None:
        made = self._client.threads.create
        updates = [{"updates": list(step)} for step in supersteps]
        how = {"graph_id": graph_id or None, "metadata": dict(metadata), "supersteps": updates or None}
        try:
            with self._as_errors(f"creating thread {thread_id}", thread_id, write=True):
                answer = an_object(made(thread_id=thread_id, **how))
        except ThreadBusy as error:
            raise ThreadBusy(
                f"the id {thread_id} is taken on {self.address}: by a thread that was made meanwhile, or by one that "
                "this user may not see. Choose another id",
                thread_id=thread_id,
            ) from error
        if "thread_id" not in answer:  # 201, and an error in its body
            raise InvalidInput(f"creating thread {thread_id}: {self.address} says {answer.get('detail', answer)}")

    def memory(self) -> ServerMemory:
        return ServerMemory(f"{self.kind} {self.address}", lambda: self._client.store, self._as_errors)

    def tag(self, thread_id: str, metadata: Mapping[str, Any]) -> None:
        with self._as_errors(f"tagging thread {thread_id}", thread_id, write=True):
            an_object(self._client.threads.update(thread_id, metadata=dict(metadata)))

    def delete(self, thread_id: str) -> None:
        with self._as_errors(f"deleting thread {thread_id}", thread_id, write=True):
            try:
                self._client.threads.delete(thread_id)
            except httpx.HTTPStatusError as error:
                if error.response.status_code != 404 or error.response.extensions.get(RETRIED, 1) == 1:
                    raise  # else an earlier try, whose answer was lost, has deleted it


def _place(checkpoint_id: str | None, ns: str) -> dict[str, Any]:
    """A checkpoint as the SDK takes it; without an id the newest of its namespace."""
    if not ns:
        return {"checkpoint_id": checkpoint_id}
    return {"checkpoint": {"checkpoint_ns": ns} | ({"checkpoint_id": checkpoint_id} if checkpoint_id else {})}
