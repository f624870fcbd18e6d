"""Reading an archive through the contract of every backend."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from ...errors import InvalidInput
from ...model.states import State, Thread
from ...model.tree import Head
from ..budget import DEFAULT_BUDGET, Budget
from ..contract import Backend
from .file import reading
from .read import Reader

SEARCHES = ("ids", "metadata", "status", "limit", "offset")


class ArchiveBackend(Backend):
    """The threads of an archive. Every call sees the file at one moment, and leaves nothing open.

    Args:
        path: The file.
        budget: The bounds of what each call reads.

    Raises:
        InvalidInput: There is no such file, or it is no archive.
        ForeignArchive: It is of another format.
        ArchiveDamaged: It is malformed, or cut so short that no thread can be found in it.
    """

    kind = "the archive"
    is_live = False
    parallel = True

    def __init__(self, path: Path | str, budget: Budget = DEFAULT_BUDGET) -> None:
        self.budget = budget
        self.path = Path(path)
        self.address = str(path)
        with self._reader(f"archive {path}"):
            pass

    @property
    def file(self) -> Path:
        return self.path

    def threads(self, **search: Any) -> Iterator[Thread]:
        """Every thread that fits, newest first.

        Args:
            **search: `ids`, `metadata` (a part of the thread's own), `status`, `limit`, `offset`.

        Raises:
            InvalidInput: Something else was asked for.
            ArchiveDamaged: A thread is missing, or the file is cut; by their ids threads that are whole can still be
                read. A thread that is damaged, or too large, is listed; it is told when it is read.
        """
        return iter(searched(self._records(), **search))

    def thread(self, thread_id: str) -> Thread:
        with self._reader_of(thread_id) as reader:
            return reader.record(reader.row(thread_id))

    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        """All states, newest first; nothing is handed out before everything fits the thread's digest."""
        if page_size is not None and page_size < 1:
            raise InvalidInput(f"page_size is {page_size}: give 1 or more")
        with self._reader_of(thread_id) as reader:
            states = reader.states(reader.row(thread_id), ns)
        size = page_size or max(1, len(states))
        for start in range(0, len(states), size):
            yield states[start : start + size]

    def namespaces(self, thread_id: str) -> set[str]:
        """Those that are here, and those that a task names: asking for one that was never read is an error."""
        with self._reader_of(thread_id) as reader:
            return reader.subgraphs(reader.row(thread_id))

    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        with self._reader_of(thread_id) as reader:
            return reader.state(reader.row(thread_id), checkpoint_id, ns)

    def states(self, thread_id: str, ids: Collection[str], *, ns: str = "") -> dict[str, State]:
        with self._reader_of(thread_id) as reader:
            return reader.some(reader.row(thread_id), ids, ns)

    def heads(self, thread_id: str) -> list[Head]:
        with self._reader_of(thread_id) as reader:
            return reader.heads(reader.row(thread_id))

    def _records(self) -> list[Thread]:
        with self._reader(f"the list of threads of archive {self.path}", cut_too=False) as reader:
            return [reader.listed_record(row) for row in reader.rows()]

    def _reader_of(self, thread_id: str) -> AbstractContextManager[Reader]:
        return self._reader(f"thread {thread_id} of archive {self.path}", thread_id=thread_id)

    @contextmanager
    def _reader(self, what: str, *, cut_too: bool = True, **about: Any) -> Iterator[Reader]:
        clock = self.budget.meter(what, path=self.address, **about)
        with reading(self.path, clock, cut_too=cut_too) as db:
            yield Reader(db, self.path, self.budget)


def searched(
    records: list[Thread],
    *,
    place: str = "an archive",
    ids: Iterable[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    status: str | None = None,
    limit: int | None = None,
    offset: int = 0,
    **unknown: Any,
) -> list[Thread]:
    """Of these records those that fit, newest first."""
    if unknown:
        raise InvalidInput(
            f"{place} cannot be searched by {', '.join(sorted(unknown))}: there is {', '.join(SEARCHES)}",
            candidates=SEARCHES,
        )
    wanted = None if ids is None else set(ids)
    fit = [
        record
        for record in records
        if (wanted is None or record["thread_id"] in wanted)
        and (status is None or record.get("status") == status)
        and _holds(record.get("metadata") or {}, metadata or {})
    ]
    fit.sort(key=lambda record: str(record.get("created_at") or ""), reverse=True)
    return fit[offset:][:limit]


def _holds(whole: Any, part: Any) -> bool:
    if isinstance(part, Mapping) and isinstance(whole, Mapping):
        return all(key in whole and _holds(whole[key], value) for key, value in part.items())
    return type(whole) is type(part) and bool(whole == part)
