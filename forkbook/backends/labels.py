"""Labels of checkpoints: in the place's own memory, one item each, or in a file of ours where it has none to write to.

They are never in a thread's metadata: a server copies those into every checkpoint of later runs.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from ..errors import AccessDenied, ForkbookError, ServerFault, Unsupported
from ..marks import OURS
from ..model.label import Label
from .contract import Backend
from .label_files import files_of
from .store import Namespace

NO_ROUTE = (404, 405, 501)  # the HTTP status of a server that has no memory
_of_checkpointers: MutableMapping[Any, dict[str, dict[str, Label]]] = WeakKeyDictionary()


class Shelf(Protocol):
    """Somewhere labels are kept. Of several shelves a later one overrules those before it."""

    def labels(self, thread_id: str) -> Mapping[str, Label]:
        """The labels of a thread by checkpoint id; an empty one hides what the shelves before it have."""

    def put(self, thread_id: str, checkpoint_id: str, label: Label | None) -> None:
        """Write a checkpoint's label; None: the shelf is to have none."""

    def forget(self, thread_id: str) -> None:
        """Delete the labels of a thread."""

    def is_barred(self, error: ForkbookError) -> bool:
        """Whether an error of `put` says that nothing can be written here, so that the next shelf is to be tried."""


def labels_of(backend: Backend, thread_id: str) -> dict[str, Label]:
    """The labels of a thread by checkpoint id.

    Raises:
        SourceError: They cannot be read.
    """
    found = _together(_shelves(backend), thread_id)
    return {checkpoint_id: label for checkpoint_id, label in found.items() if label}


def put_label(backend: Backend, thread_id: str, checkpoint_id: str, label: Label) -> None:
    """Write a checkpoint's label in the place of the one that it has; an empty one takes that away.

    Raises:
        SourceError: It cannot be written.
    """
    shelves = _shelves(backend)
    for number, shelf in enumerate(shelves):
        hidden = _together(shelves[:number], thread_id) if number and not label else {}
        try:
            shelf.put(thread_id, checkpoint_id, label if label or hidden.get(checkpoint_id) else None)
        except ForkbookError as error:
            if number == len(shelves) - 1 or not shelf.is_barred(error):
                raise
            continue
        for other in shelves[number + 1 :]:
            if checkpoint_id in other.labels(thread_id):  # from before it could be written to this one
                other.put(thread_id, checkpoint_id, None)
        return


def delete_thread(backend: Backend, thread_id: str) -> None:
    """Delete a thread, then its labels, as far as they can be.

    Raises:
        ThreadNotFound: There is no such thread.
        SourceError: It could not be deleted.
    """
    backend.delete(thread_id)
    for shelf in _shelves(backend):
        with suppress(ForkbookError):
            shelf.forget(thread_id)


def is_ours(namespace: Namespace) -> bool:
    """Whether a namespace of a memory holds labels of checkpoints; a server may put its user's name before it."""
    return namespace[-2:-1] == (OURS,)


def _shelves(backend: Backend) -> Sequence[Shelf]:
    if backend.lives_in is not None:
        return InMemory(backend), InProcess(_of_checkpointers.setdefault(backend.lives_in, {}))
    return InMemory(backend), *files_of(backend)


def _together(shelves: Sequence[Shelf], thread_id: str) -> dict[str, Label]:
    found: dict[str, Label] = {}
    for shelf in shelves:
        found |= shelf.labels(thread_id)
    return found


class InMemory:
    """The memory of a place, if it has one: an item per label, so that two writers do not undo each other's."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def labels(self, thread_id: str) -> Mapping[str, Label]:
        """Those that are there; none where there is no memory, or no right to read it."""
        namespace = _namespace(thread_id)
        try:
            items = self._backend.memory().items(namespace)
        except ForkbookError as error:
            if not self.is_barred(error):
                raise
            return {}
        return {item.key: Label.of(item.value) for item in items if item.namespace[-2:] == namespace}

    def put(self, thread_id: str, checkpoint_id: str, label: Label | None) -> None:
        """Write an item, left out of any search by meaning, or delete it."""
        memory = self._backend.memory()
        memory.check_writable()
        if label is None:
            memory.delete(_namespace(thread_id), checkpoint_id)
        else:
            memory.put(_namespace(thread_id), checkpoint_id, label.as_json(), indexed=False)

    def forget(self, thread_id: str) -> None:
        """Delete the items."""
        for checkpoint_id in self.labels(thread_id):
            self.put(thread_id, checkpoint_id, None)

    def is_barred(self, error: ForkbookError) -> bool:
        """Whether there is no memory, it is read-only, or this user has no right to it."""
        no_route = isinstance(error, ServerFault) and error.details.get("status") in NO_ROUTE
        return no_route or isinstance(error, Unsupported | AccessDenied)


class InProcess:
    """Labels of threads that end with this process: they live as long as the checkpointer that has the threads."""

    def __init__(self, threads: dict[str, dict[str, Label]]) -> None:
        self._threads = threads

    def labels(self, thread_id: str) -> Mapping[str, Label]:
        """Those that were put."""
        return dict(self._threads.get(thread_id, {}))

    def put(self, thread_id: str, checkpoint_id: str, label: Label | None) -> None:
        """Keep it, or let it go."""
        self._threads.setdefault(thread_id, {}).pop(checkpoint_id, None)
        if label is not None:
            self._threads[thread_id][checkpoint_id] = label

    def forget(self, thread_id: str) -> None:
        """Let them go."""
        self._threads.pop(thread_id, None)

    def is_barred(self, error: ForkbookError) -> bool:
        """Never."""
        return False


def _namespace(thread_id: str) -> Namespace:
    """Where a memory has the labels of a thread; no label of a namespace is empty or has a period."""
    return OURS, thread_id.replace("%", "%25").replace(".", "%2E").replace("*", "%2A") or "%"
