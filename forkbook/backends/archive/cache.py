"""A live place with an archive beside it: of a thread that was read before, only what is new is fetched."""

import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import ArchiveDamaged, ForkbookError, OverBudget, ThreadNotFound
from ...model.redaction import thread_without_secrets
from ...model.secrets import without_secrets
from ...model.states import State, Thread, id_of, namespace
from ...model.text import visible
from ..budget import MOST
from ..classes import Classes
from ..contract import Backend
from ..read import older
from ..records import Graph, RunOutcome, RunSettings, Update
from ..store import Memory
from ..values.interning import Interner
from .file import create, is_there, reading, writing
from .read import Reader
from .store import packed, remove, store
from .text import LARGEST

NEWEST_PAGE = 20  # checkpoints a request, until one is known


class CachedBackend(Backend):
    """A live backend; reading a thread also writes it to the archive, without the secrets in settings and metadata.

    Whether a thread exists, and everything but its old checkpoints, always comes from the live place.

    Args:
        live: The place.
        path: The archive; made if there is none.
    """

    def __init__(self, live: Backend, path: Path | str) -> None:
        self.live = live
        self.kind, self.address = live.kind, live.address
        self.capabilities, self.is_live, self.assistant = live.capabilities, live.is_live, live.assistant
        self.takes_context_beside_configurable, self.awaits = live.takes_context_beside_configurable, live.awaits
        self.budget = live.budget
        self._held_budget = replace(live.budget, value_bytes=max(LARGEST, live.budget.value_bytes), depth=MOST["depth"])
        self._path = Path(path)
        if not is_there(self._path):
            create(self._path)
        with reading(self._path, self.budget.meter(f"archive {path}", path=str(path))):
            pass

    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        """All states of a namespace, newest first; when the last page is taken the archive has them.

        Of the root namespace what is new is fetched, until a known checkpoint comes; the rest is from the archive. Of
        the known ones those are fetched again whose tasks may still change. Where the newest known checkpoint, or the
        oldest, is not there any more, all is fetched; so is the namespace of a subgraph, always.
        """
        record = self.live.thread(thread_id)
        held, namespaces = self._held(thread_id)
        known = {} if ns else {id_of(state): state for state in held if not namespace(state)}
        if known and self.live.state(thread_id, min(known)) is None:
            held, namespaces, known = [], set(), {}
        interner = _interner(known.values())
        fresh: dict[str, State] = {}
        met = False
        for page in self.live.pages(thread_id, ns=ns, page_size=page_size or (NEWEST_PAGE if known else None)):
            shared = [interner.state(state) for state in page] if known else page
            fresh |= {id_of(state): state for state in shared}
            yield shared
            if met := bool(known) and max(known) in fresh:
                break
        kept = older(self.live, thread_id, known, min(fresh)) if met else {}
        if kept:
            yield [kept[id_] for id_ in sorted(kept, reverse=True)]
        elsewhere = [state for state in held if namespace(state) != ns]
        self._keep(record, [*(kept | fresh).values(), *elsewhere], namespaces | {ns})

    def _held(self, thread_id: str) -> tuple[list[State], set[str]]:
        """What the archive has of a thread; nothing if that is damaged: it is then fetched, and replaced."""
        try:
            with reading(self._path, self._held_budget.meter(f"archive {self._path}")) as db:
                reader = Reader(db, self._path, self._held_budget)
                row = reader.row(thread_id)
                return reader.states(row), reader.namespaces(row)
        except (ThreadNotFound, ArchiveDamaged, OverBudget):
            return [], set()

    def _keep(self, record: Thread, states: list[State], namespaces: set[str]) -> None:
        try:
            bare, kept, _ = thread_without_secrets(record, states)
            thread = packed(bare, kept)
            with writing(self._path) as db:
                store(db, self._path, thread, namespaces)
        except ForkbookError as error:  # what was read is right all the same
            warnings.warn(visible(f"thread {record['thread_id']} is not in the cache: {error}"), stacklevel=2)

    def threads(self, **search: Any) -> Iterator[Thread]:
        return self.live.threads(**search)

    def ids(self) -> Iterator[str]:
        return self.live.ids()

    def thread(self, thread_id: str) -> Thread:
        return self.live.thread(thread_id)

    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        return self.live.state(thread_id, checkpoint_id, ns=ns)

    def states(self, thread_id: str, ids: Collection[str], *, ns: str = "") -> dict[str, State]:
        return self.live.states(thread_id, ids, ns=ns)

    def namespaces(self, thread_id: str) -> set[str] | None:
        return self.live.namespaces(thread_id)

    def n_checkpoints(self, thread_id: str) -> int | None:
        return self.live.n_checkpoints(thread_id)

    def close(self) -> None:
        self.live.close()

    def assistants(self) -> list[str]:
        return self.live.assistants()

    def graph(self, assistant: str) -> Graph:
        return self.live.graph(assistant)

    def subgraph(self, assistant: str, ns: str) -> Graph:
        return self.live.subgraph(assistant, ns)

    def run_settings(self, thread_id: str, metadata: Mapping[str, Any]) -> RunSettings:
        found = self.live.run_settings(thread_id, metadata)
        if not found.guessed:
            return found
        return self.live.run_settings(thread_id, self._with_secrets(thread_id, metadata))

    def _with_secrets(self, thread_id: str, metadata: Mapping[str, Any]) -> Mapping[str, Any]:
        """The metadata of a checkpoint as the live place has them: those from the archive lack their secrets."""
        bare, _ = without_secrets(metadata)
        found = (state["metadata"] or {} for page in self.live.pages(thread_id) for state in page)
        return next((whole for whole in found if without_secrets(whole)[0] == bare), metadata)

    def as_sent(self, values: Any) -> dict[str, Any]:
        return self.live.as_sent(values)

    def as_edit(self, state: State, values: Any) -> tuple[dict[str, Any], Mapping[str, str]]:
        return self.live.as_edit(state, values)

    def as_shown(self, value: Any) -> Any:
        return self.live.as_shown(value)

    @property
    def place(self) -> Any:
        return self.live.place

    @property
    def file(self) -> Path | None:
        return self.live.file

    @property
    def lives_in(self) -> Any:
        return self.live.lives_in

    def update(
        self, thread_id: str, checkpoint_id: str | None, values: Any, as_node: str | None, *, ns: str = ""
    ) -> str:
        return self.live.update(thread_id, checkpoint_id, values, as_node, ns=ns)

    def run(self, thread_id: str, checkpoint_id: str | None, settings: RunSettings, **given: Any) -> RunOutcome:
        return self.live.run(thread_id, checkpoint_id, settings, **given)

    def cancel(self, thread_id: str, run_id: str | None = None) -> None:
        self.live.cancel(thread_id, run_id)

    def pulse(self, thread_id: str) -> tuple[Any, bool | None]:
        return self.live.pulse(thread_id)

    def why_unread(self, thread_id: str) -> str | None:
        return self.live.why_unread(thread_id)

    def must_hold_copies(self) -> None:
        self.live.must_hold_copies()

    def copy(self, thread_id: str) -> str:
        return self.live.copy(thread_id)

    def create(
        self, thread_id: str, graph_id: str, metadata: Mapping[str, Any], supersteps: Sequence[Sequence[Update]]
    ) -> None:
        self.live.create(thread_id, graph_id, metadata, supersteps)

    def plant(self, thread_id: str, states: Sequence[State], classes: Classes = "unknown") -> tuple[str, ...]:
        return self.live.plant(thread_id, states, classes)

    def memory(self) -> Memory:
        return self.live.memory()

    def scratches(self, *, perhaps: bool = False) -> list[Thread]:
        return self.live.scratches(perhaps=perhaps)

    def tag(self, thread_id: str, metadata: Mapping[str, Any]) -> None:
        self.live.tag(thread_id, metadata)

    def delete(self, thread_id: str) -> None:
        """Delete a thread, from the archive, too."""
        self.live.delete(thread_id)
        remove(self._path, thread_id)


def _interner(states: Iterable[State]) -> Interner:
    """One that knows the values of these states, so that fresh states share them."""
    channels = (
        state["values"].values() if isinstance(state["values"], dict) else [state["values"]] for state in states
    )
    held = {id(value): value for values in channels for value in values}
    items = {id(item): item for value in held.values() for item in (value if isinstance(value, list) else [value])}
    interner = Interner()
    interner.one(list(items.values()))
    return interner
