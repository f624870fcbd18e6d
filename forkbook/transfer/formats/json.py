"""Export to one JSON file: the plain list of threads that people know from LangGraph migration scripts.

A thread is its record as the place gives it (`thread_id`, `created_at`, `updated_at`, `metadata`, `status` …), its
`values` (those of its newest checkpoint) and its `history`: the states of the root graph, newest first, in the shape of
LangGraph's `ThreadState`. Where subgraphs ran, `subgraphs` has theirs by namespace. A thread is a line of the file.

What JSON has no word for stays readable in Python: NaN and infinities are written as Python's own `NaN` and `Infinity`
(the report says in which threads), lone surrogates as their escape, integers of any size as digits.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from ...backends.archive.export import Account, ExportReport
from ...backends.archive.pack import UNLISTED
from ...backends.archive.text import NotJson, spelled
from ...backends.contract import Backend
from ...backends.gather import Ask, Gathered, at_once, gather, place
from ...backends.jsonfile.backend import JsonBackend
from ...errors import ForkbookError, InvalidInput
from ...files import new_file
from ...model.states import State
from ..keeping import name_for

LEFT_OUT = UNLISTED | {"history", "subgraphs"}  # of a record
PROMISED = ("thread_id", "created_at", "updated_at", "metadata", "status")
STRANGE = (
    "thread {id}: NaN or infinity in it is written as Python's json writes it; forkbook reads it back, a strict reader "
    "refuses it"
)


def write(
    path: Path,
    backend: Backend,
    thread_ids: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    readers: int | None = None,
    ask: Ask = at_once,
    secrets: bool = False,
) -> ExportReport:
    """Write threads to a JSON file, in the order of the list; it appears under its name when it is whole.

    A file of that name is replaced then. It stays as it is if the export fails, or could not read a thread that it
    has: what could be read is then in `report.partial`. In memory are the threads that are being read, never the file.

    Args:
        path: The file.
        backend: Where the threads are.
        thread_ids: Which ones; None for all.
        progress: Called with the number of threads that are done, and of all.
        readers: Threads that are read side by side; None: what the place allows, at most 6.
        ask: Makes a request, and makes it again where that may help.
        secrets: Whether to write the secrets in settings and metadata, too.

    Raises:
        InvalidInput: A file cannot be there.
        SourceError: It cannot be written, or the threads' place is gone.
    """
    account = Account(progress)
    with new_file(path) as new:
        file = new.place
        number, threads = gather(backend, thread_ids, readers=readers, ask=ask, secrets=secrets)
        file.write(b"[")
        for thread in threads:
            error = thread.error
            if error is None:
                error = _write_thread(file, thread, account)
            account.add(thread, error, number)
        file.write(b"\n]\n")
        new.name = name_for(path, account, held)
    return account.report(path, backend, ask, listed=thread_ids is None, name=new.name)


def held(path: Path) -> set[str] | None:
    """The ids of the threads in a JSON file; None: it cannot be read."""
    try:
        return {str(thread["thread_id"]) for thread in JsonBackend(path).threads()}
    except ForkbookError:
        return None


def _write_thread(file: IO[bytes], thread: Gathered, account: Account) -> ForkbookError | None:
    """Write one thread, or nothing of it if it is no JSON."""
    start = file.tell()
    strange = False
    try:
        file.write(b",\n" if account.threads else b"\n")
        for piece, odd in _pieces(thread):
            file.write(piece)
            strange |= odd
    except (NotJson, RecursionError) as error:
        file.seek(start)
        file.truncate()
        refused = InvalidInput(
            f"thread {thread.thread_id} cannot be written as JSON: {error}", thread_id=thread.thread_id
        )
        refused.__cause__ = error
        return refused
    if strange:
        account.notes.append(STRANGE.format(id=thread.thread_id))
    return None


def _pieces(thread: Gathered) -> Iterator[tuple[bytes, bool]]:
    """The text of a thread, state by state, and whether strict readers refuse the piece."""
    known = {key: value for key, value in thread.record.items() if key not in LEFT_OUT}
    record = dict.fromkeys(key for key in PROMISED if key not in known) | known
    by_ns: dict[str, list[State]] = {"": []}
    for state in thread.states:
        by_ns.setdefault(place(state)[0], []).append(state)
    roots = by_ns.pop("")
    head, odd = spelled(record | {"values": roots[0]["values"] if roots else thread.record.get("values")})
    yield head[:-1] + b',"history":', odd
    yield from _list(roots)
    if by_ns:
        for n, (ns, states) in enumerate(sorted(by_ns.items())):
            yield (b"," if n else b',"subgraphs":{') + spelled(ns)[0] + b":", False
            yield from _list(states)
        yield b"}", False
    yield b"}", False


def _list(states: list[State]) -> Iterator[tuple[bytes, bool]]:
    yield b"[", False
    for n, state in enumerate(states):
        text, odd = spelled(state)
        yield (b"," if n else b"") + text, odd
    yield b"]", False
