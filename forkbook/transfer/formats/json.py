"""Export to one JSON file: the plain list of threads that people know from LangGraph migration scripts.

A thread is its record as the place gives it (`thread_id`, `created_at`, `updated_at`, `metadata`, `status` …), its
`values` (those of its newest checkpoint) and its `history`: the states of the root graph, newest first, in the shape of
LangGraph's `ThreadState`. Where subgraphs ran, `subgraphs` has theirs by namespace. Each thread is one line of the
file.

What JSON has no word for stays readable in Python: NaN and infinities are written as Python's own `NaN` and `Infinity`
(the report says in which threads), lone surrogates as their escape, integers of any size as digits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ...backends.archive.pack import UNLISTED
from ...backends.archive.text import NotJson, json_line
from ...backends.gather import Gathered
from ...backends.jsonfile.backend import JsonBackend
from ...errors import ForkbookError
from ...files import new_file
from ...model.states import State, namespace
from ...tokens import Counter
from .format import ThreadWriter, refused

LEFT_OUT = UNLISTED | {"history", "subgraphs"}  # of a record
PROMISED = ("thread_id", "created_at", "updated_at", "metadata", "status")
STRANGE = (
    "thread {id}: NaN or infinity in it is written as Python's json writes it; forkbook reads it back, a strict reader "
    "refuses it"
)


@contextmanager
def open_json(path: Path, counter: Counter | None = None) -> Iterator[ThreadWriter]:
    """A JSON file to be written; it appears under its name when it is whole, in the place of a file of that name.

    Raises:
        InvalidInput: A file cannot be there.
        SourceError: It cannot be written.
    """
    with new_file(path) as new:
        writer = JsonWriter(path, new.place)
        new.place.write(b"[")
        yield writer
        new.place.write(b"\n]\n")
        new.name = writer.name


class JsonWriter(ThreadWriter):
    """Writes threads to a JSON file, one per line.

    Args:
        path: Its name.
        file: The open file.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        super().__init__(path)
        self._file, self._separator = file, b"\n"

    def add(self, thread: Gathered) -> int:
        start, is_strange = self._file.tell(), False
        try:
            self._file.write(self._separator)
            for text, is_odd in _pieces(thread):
                self._file.write(text)
                is_strange |= is_odd
        except (NotJson, RecursionError) as error:
            self._file.seek(start)
            self._file.truncate()
            raise refused(thread, "JSON", error) from error
        self._separator = b",\n"
        if is_strange:
            self.notes.append(STRANGE.format(id=thread.thread_id))
        return len(thread.states)


def held(path: Path) -> set[str] | None:
    """The ids of the threads in a JSON file; None: it cannot be read."""
    try:
        return {str(thread["thread_id"]) for thread in JsonBackend(path).threads()}
    except ForkbookError:
        return None


def _pieces(thread: Gathered) -> Iterator[tuple[bytes, bool]]:
    """The text of a thread, state by state, and whether strict readers refuse the piece."""
    known = {key: value for key, value in thread.record.items() if key not in LEFT_OUT}
    record = dict.fromkeys(key for key in PROMISED if key not in known) | known
    by_ns: dict[str, list[State]] = {"": []}
    for state in thread.states:
        by_ns.setdefault(namespace(state), []).append(state)
    roots = by_ns.pop("")
    head, odd = json_line(record | {"values": roots[0]["values"] if roots else thread.record.get("values")})
    yield head[:-1] + b',"history":', odd
    yield from _list(roots)
    if by_ns:
        for n, (ns, states) in enumerate(sorted(by_ns.items())):
            yield (b"," if n else b',"subgraphs":{') + json_line(ns)[0] + b":", False
            yield from _list(states)
        yield b"}", False
    yield b"}", False


def _list(states: list[State]) -> Iterator[tuple[bytes, bool]]:
    yield b"[", False
    for n, state in enumerate(states):
        text, odd = json_line(state)
        yield (b"," if n else b"") + text, odd
    yield b"]", False
