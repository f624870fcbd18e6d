"""Threads of a LangGraph checkpointer alone, without the graph that wrote them; read-only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple

from ...errors import ForkbookError, InvalidInput, SourceError, ThreadNotFound, Unsupported
from ...model.states import State, Thread
from ...model.tree import Head
from ..databases.listing import check_search, fitting
from ..databases.rows import Saved, Write, parts
from ..databases.rules import Rules
from ..databases.states import states
from ..values.decode import Decoder
from ..values.plain import opaque
from .calls import caller_of
from .kept_in import OnCheckpointer
from .snapshots import SERIALIZER, Saver, Stub, config, stub, without_objects

WARNING = "read by LangGraph: may import classes and change the file"


class SaverBackend(OnCheckpointer):
    """A checkpointer of any kind, asked by its own `list`.

    The checkpointer makes the values, with whatever classes they name; what runs next is worked out of the stored
    data, as for the stores that forkbook reads itself. A checkpointer that gives the writes of tasks in another order
    than they were made in may show the values of a `DeltaChannel` in that order, too.

    Args:
        saver: The checkpointer, sync or async.
        rules: The rules that were given for DeltaChannels.
    """

    kind = "the checkpointer"
    classes = "loaded"

    def __init__(self, saver: Saver, rules: Rules | None = None) -> None:
        self._saver, self._rules, self._call = saver, rules, caller_of(saver)
        self.address = f"{type(saver).__name__} ({WARNING})"
        self.awaits = self._call.awaits

    @contextmanager
    def _as_errors(self, deed: str, thread_id: str | None = None) -> Iterator[None]:
        try:
            yield
        except ForkbookError:
            raise
        except NotImplementedError as error:
            raise Unsupported(f"{deed}: {self.address} does not offer it ({error})", thread_id=thread_id) from error
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            raise SourceError(f"{deed}: {self.address} says {why}", thread_id=thread_id) from error

    def threads(self, **search: Any) -> Iterator[Thread]:
        check_search(search)
        times: dict[str, list[str]] = {}
        for found in self._stubs(None):
            times.setdefault(found.thread_id, []).append(found.created_at)
        newest_first = sorted(times.items(), key=lambda item: min(item[1]), reverse=True)
        yield from (_thread(*row) for row in fitting(newest_first, search))

    def thread(self, thread_id: str) -> Thread:
        times = [found.created_at for found in self._stubs(thread_id)]
        if not times:
            raise ThreadNotFound(
                f"no thread {thread_id!r} in {self.address}; book.threads() lists them", thread_id=thread_id
            )
        return _thread(thread_id, times)

    def heads(self, thread_id: str) -> list[Head]:
        heads = [found.head for found in self._stubs(thread_id) if not found.head.ns]
        return sorted(heads, key=lambda head: head.id, reverse=True)

    def namespaces(self, thread_id: str) -> set[str]:
        return {found.head.ns for found in self._stubs(thread_id)} - {""}

    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        if page_size is not None and page_size < 1:
            raise InvalidInput(f"page_size is {page_size}: give 1 or more")
        found = self._states(thread_id, ns)
        size = page_size or max(1, len(found))
        yield from (found[start : start + size] for start in range(0, len(found), size))

    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        found = self._states(thread_id, ns)
        wanted = [state for state in found if checkpoint_id in (None, state["checkpoint"]["checkpoint_id"])]
        return wanted[0] if wanted else None

    def _states(self, thread_id: str, ns: str) -> list[State]:
        decoder = Decoder()
        with self._as_errors(f"reading thread {thread_id}", thread_id):
            saved = self._call.each(lambda item: _saved(item, decoder), self._saver, "list", config(thread_id, ns=ns))
        return states([item for item in saved if item.ns == ns], self.namespaces(thread_id), self._rules)

    def _stubs(self, thread_id: str | None) -> list[Stub]:
        where = None if thread_id is None else {"configurable": {"thread_id": thread_id}}
        with self._as_errors("listing the checkpoints", thread_id):
            return self._call.each(stub, without_objects(self._saver), "list", where)


def _thread(thread_id: str, times: list[str]) -> Thread:
    return {
        "thread_id": thread_id,
        "status": None,
        "created_at": min(times),
        "updated_at": max(times),
        "metadata": {},
    }


def _saved(item: CheckpointTuple, decoder: Decoder) -> Saved:
    """A checkpoint as a store holds it, of what a checkpointer gives."""
    head = stub(item)
    checkpoint, values = parts(_plain(dict(item.checkpoint), decoder), 0)
    values = {name: _plain(value, decoder) for name, value in item.checkpoint["channel_values"].items()}
    writes = [
        Write(task_id, "", idx, channel, _plain(value, decoder))
        for idx, (task_id, channel, value) in enumerate(item.pending_writes or [])
    ]
    metadata = _plain(dict(item.metadata or {}), decoder)
    return Saved(
        head.thread_id,
        head.head.ns,
        head.head.id,
        head.head.parent_id,
        checkpoint,
        values,
        metadata if "__type__" not in metadata else {},
        writes,
        frozenset(name for name, value in values.items() if decoder.is_snapshot(value)),
    )


def _plain(value: Any, decoder: Decoder) -> Any:
    """A value as the plain data that every kind of place gives for it."""
    try:
        return decoder.decode(*SERIALIZER.dumps_typed(value))
    except Exception as error:  # what a checkpointer gives may be anything
        return opaque(f"cannot be shown: {error}", 0)
