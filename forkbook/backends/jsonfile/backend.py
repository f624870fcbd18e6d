"""Threads in a JSON file, read-only: what `book.export("x.json")` writes, and the backups of migration scripts.

Such a file is a list of threads, or an object with one under `threads`. A thread has its `thread_id`, its record and
its states under `history`, `checkpoints` or `states`, in any order; or just its `values`, which then are one checkpoint
of a made-up id. What a file does not say is None. What is no thread is listed, too, and reading it raises an error.
"""

import json
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ...errors import InvalidInput, SourceError, ThreadNotFound
from ...model.states import State, Thread, id_of
from ..archive.backend import searched
from ..budget import DEFAULT_BUDGET, Budget
from ..contract import Backend
from ..json_bounds import is_deeper
from ..shape import Unfit
from ..typed_place import no_file
from ..values.interning import Interner
from .scripts import record_of, states_of, thread_id_of
from .spans import Beyond, loads, threads

FRAME = 10  # lists and objects that a file has around a value: threads, a thread, its history, a state, its tasks …
NINETEEN_DIGITS = re.compile(rb"\d{19}")  # an integer this long may be one that orjson rounds


@dataclass(frozen=True, slots=True)
class Item:
    """Where a thread is in the file.

    Attributes:
        start: Its first byte.
        end: The byte after its last.
        record: Its record.
        fault: Why it is no thread that can be read; None: it is one.
        beyond: The bound of the budget that it goes beyond; None: none.
    """

    start: int
    end: int
    record: Thread
    fault: str | None = None
    beyond: str | None = None


class JsonBackend(Backend):
    """The threads of a JSON file. When it is opened its text is in memory once, later only the thread that is read.

    Args:
        path: The file.
        budget: The bounds of what is read of the file, and of each thread.

    Raises:
        InvalidInput: There is no such file, or it holds no list of threads.
        OverBudget: It is too large.
        SourceError: It cannot be read, or is not whole JSON.
    """

    kind = "the JSON file"
    is_live = False

    def __init__(self, path: Path | str, budget: Budget = DEFAULT_BUDGET) -> None:
        self.budget = budget
        self.path = Path(path)
        self.address = str(path)
        self._stamp = self._look()
        budget.check("read_bytes", self._stamp[0], f"the file {path}", path=str(path))
        self._items = index(self.path, self._bytes(), budget)

    @property
    def file(self) -> Path:
        return self.path

    def threads(self, **search: Any) -> Iterator[Thread]:
        """Every thread that fits, newest first.

        Args:
            **search: `ids`, `metadata` (a part of the thread's own), `status`, `limit`, `offset`.
        """
        records = [item.record for item in self._items.values()]
        return map(_copied, searched(records, place="a JSON file", **search))

    def thread(self, thread_id: str) -> Thread:
        return _copied(self._item(thread_id).record)

    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        """All states of a namespace, newest first."""
        if page_size is not None and page_size < 1:
            raise InvalidInput(f"page_size is {page_size}: give 1 or more")
        states = self._states(thread_id).get(ns, [])
        size = page_size or max(1, len(states))
        for start in range(0, len(states), size):
            yield states[start : start + size]

    def namespaces(self, thread_id: str) -> set[str]:
        return set(self._states(thread_id)) - {""}

    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        held = self._states(thread_id).get(ns, [])
        fit = (state for state in held if checkpoint_id in (None, id_of(state)))
        return next(fit, None)

    def states(self, thread_id: str, ids: Collection[str], *, ns: str = "") -> dict[str, State]:
        held, wanted = self._states(thread_id).get(ns, []), set(ids)
        return {id_: state for state in held if (id_ := id_of(state)) in wanted}

    def _item(self, thread_id: str) -> Item:
        if (item := self._items.get(thread_id)) is None:
            raise ThreadNotFound(
                f"no thread {thread_id!r} in {self.path}: it holds {len(self._items):,}, book.threads() lists them",
                thread_id=thread_id,
            )
        return item

    def _states(self, thread_id: str) -> Mapping[str, list[State]]:
        item = self._item(thread_id)
        if item.fault is not None:
            raise SourceError(item.fault, thread_id=thread_id, path=str(self.path))
        if item.beyond is not None:
            met = getattr(self.budget, item.beyond) + 1
            self.budget.check(item.beyond, met, f"thread {thread_id} in {self.path}", thread_id=thread_id)
        if self._look() != self._stamp:
            raise SourceError(f"{self.path} was changed since it was opened: open it again", path=str(self.path))
        try:
            found, exact = parsed(self._bytes(item.start, item.end))
            states = states_of(found, thread_id)
        except (Unfit, RecursionError) as error:
            raise SourceError(
                f"thread {thread_id} in {self.path} is no history: {error}", thread_id=thread_id, path=str(self.path)
            ) from error
        interner = Interner()
        return {ns: [interner.state(state) if exact else state for state in each] for ns, each in states.items()}

    def _look(self) -> tuple[int, int]:
        try:
            found = self.path.stat()
        except OSError as error:
            raise InvalidInput(f"there is no file {self.path} ({error.strerror})", path=str(self.path)) from error
        if not stat.S_ISREG(found.st_mode):
            raise InvalidInput(f"{self.path} is {no_file(found.st_mode)}: it was not opened", path=str(self.path))
        return found.st_size, found.st_mtime_ns

    def _bytes(self, start: int = 0, end: int | None = None) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read(-1 if end is None else end - start)
        except OSError as error:
            raise SourceError(f"{self.path} cannot be read: {error.strerror}", path=str(self.path)) from error


def parsed(text: bytes) -> tuple[Any, bool]:
    """A JSON value, and whether it is what orjson would write; NaN, long integers and lone surrogates stay."""
    if not NINETEEN_DIGITS.search(text):
        try:
            return orjson.loads(text), True
        except orjson.JSONDecodeError:
            pass
    value = loads(text)
    try:
        return value, bool(orjson.loads(orjson.dumps(value)) == value)
    except orjson.JSONEncodeError:
        return value, False


def index(path: Path, data: bytes, budget: Budget = DEFAULT_BUDGET) -> dict[str, Item]:
    """Where each thread of a file is, with its record.

    Raises:
        InvalidInput: It holds no list of threads.
        SourceError: It is not whole JSON.
    """
    items: dict[str, Item] = {}
    try:
        text = data.decode()
        offset, last = 0, 0
        for start, end, value in threads(text, _most(data, budget)):
            offset += start - last if text.isascii() else len(text[last:start].encode())
            length = end - start if text.isascii() else len(text[start:end].encode())
            if isinstance(value, dict) and is_deeper(data[offset : offset + length], budget.depth + FRAME):
                value = Beyond((pair for pair in value.items() if not isinstance(pair[1], dict | list)), "depth")
            item = _item(path, len(items) + 1, value, offset, offset + length)
            id_ = str(item.record["thread_id"])
            if id_ in items:
                fault = f"thread {id_} is in {path} more than once, so which one is meant is not known"
                item = Item(0, 0, item.record, fault)
            items[id_] = item
            offset, last = offset + length, end
    except Unfit as error:
        raise InvalidInput(f"{path} {error}", path=str(path)) from error
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{path} is not whole JSON: {error}. The {len(items):,} threads before that are; take the file from where "
            "it was written once more",
            path=str(path),
        ) from error
    except (RecursionError, ValueError) as error:
        raise SourceError(f"{path} cannot be read as JSON: {error}", path=str(path)) from error
    return items


def _copied(record: Thread) -> Thread:
    """A record whose own dicts and lists may be changed; deeper ones may be nested too deep to be copied."""
    return {name: copy(value) for name, value in record.items()}


def _most(data: bytes, budget: Budget) -> int | None:
    """The items that a thread may have; None: all threads together have fewer."""
    items = data.count(b",") + data.count(b"[") + data.count(b"{")
    return budget.items if items > budget.items else None


def _item(path: Path, number: int, value: Any, start: int, end: int) -> Item:
    try:
        thread_id = thread_id_of(value)
    except Unfit as error:
        name = f"item {number}"
        return Item(start, end, {"thread_id": name}, f"{name} of {path} is no thread: {error}")
    if isinstance(value, Beyond):
        return Item(start, end, {"thread_id": thread_id}, beyond=value.bound)
    try:
        return Item(start, end, record_of(value, thread_id))
    except Unfit as error:
        return Item(start, end, {"thread_id": thread_id}, f"thread {thread_id} in {path} is no thread: {error}")
