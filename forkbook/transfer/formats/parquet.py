"""Export to a folder of Parquet tables.

A folder has one table a grain: `threads`, `checkpoints`, `messages`, `tasks`, `branches`, `tokens`; each is a folder
itself, with one file per thread (`threads`: one file), so that `pd.read_parquet(folder / "checkpoints")` reads all of
them, and `filters=[("thread_id", "==", …)]` one. Columns and dtypes are those of the frames, for the root graph of each
thread. Lists of names (`next`, `branches`) stay lists; what may hold anything (`metadata`, `tool_calls`, `path`,
`interrupts`, `writes`) is JSON text, for `json.loads`: Parquet has no type for `{}`, nor for a value that is now a
text and now a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from ... import columns, frames
from ...backends.archive.text import NotJson, json_line
from ...backends.gather import Gathered
from ...errors import MissingExtra
from ...facts import Facts
from ...files import new_folder
from ...model.states import head_of, id_of, namespace
from ...model.text import without_surrogates
from ...model.tree import Tree
from ...tokens import Counter
from .format import ThreadWriter, refused

COLUMNS: Mapping[str, columns.Columns] = {
    "threads": frames.THREADS,
    "checkpoints": frames.CHECKPOINTS,
    "messages": frames.MESSAGES,
    "tasks": frames.TASKS,
    "branches": frames.BRANCHES,
    "tokens": frames.TOKENS,
}
TABLES = tuple(COLUMNS)[1:]  # those that have one file per thread
MARK = "_forkbook.json"
NO_ROWS = "000000.parquet"
NESTED = (
    "{count:,} checkpoints of subgraphs are not in the tables, which cover the root graphs; an archive and a JSON file "
    "have them"
)


@contextmanager
def open_tables(path: Path, counter: Counter | None = None) -> Iterator[ThreadWriter]:
    """A folder of tables to be written; it appears under its name when it is whole.

    A folder of this name that an export wrote is replaced then, any other one is refused.

    Args:
        path: The folder.
        counter: What counts tokens; None: the default.

    Raises:
        MissingExtra: pyarrow is not installed.
        InvalidInput: The folder cannot be there.
        SourceError: It cannot be written.
    """
    require()
    with new_folder(path, MARK) as new:
        writer = TablesWriter(path, new.place, counter)
        yield writer
        writer.end()
        new.name = writer.name


class TablesWriter(ThreadWriter):
    """Writes threads to a folder of tables.

    Args:
        path: Its name.
        folder: The empty folder.
        counter: What counts tokens; None: the default.
    """

    def __init__(self, path: Path, folder: Path, counter: Counter | None) -> None:
        super().__init__(path)
        self._folder, self._counter = folder, counter
        self._records: list[columns.Row] = []
        self._nested = 0  # checkpoints of subgraphs, which are left out
        for name in COLUMNS:
            (folder / name).mkdir()

    def add(self, thread: Gathered) -> int:
        try:
            facts = _facts(thread, self._counter)
            tables = {name: _table(list(getattr(frames, f"{name}_rows")(facts)), name) for name in TABLES}
        except (NotJson, ValueError, TypeError, OverflowError) as error:
            raise refused(thread, "tables", error) from error
        readable = re.sub(r"[^\w-]", "_", thread.thread_id, flags=re.ASCII)[:80]
        for name, table in tables.items():
            self._write(table, name, f"{len(self._records):06d}-{readable}.parquet")
        self._records += frames.threads_rows([thread.record], secrets=True)  # those that were not left out
        self._nested += (nested := sum(bool(namespace(state)) for state in thread.states))
        return len(thread.states) - nested

    def end(self) -> None:
        """Write the table of the threads themselves, and what says that the folder is one of ours."""
        self._write(_table(self._records, "threads"), "threads", NO_ROWS)
        for name in () if self._records else TABLES:
            self._write(_table([], name), name, NO_ROWS)
        (self._folder / MARK).write_text('{"format": 1, "tables": "forkbook"}\n')
        if self._nested:
            self.notes.append(NESTED.format(count=self._nested))

    def _write(self, table: Any, name: str, file: str) -> None:
        from pyarrow import parquet

        parquet.write_table(table, self._folder / name / file)


def held(path: Path) -> set[str] | None:
    """The ids of the threads in a folder of tables; None: it cannot be read."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path / "threads", columns=["thread_id"])
    except (OSError, pa.ArrowException):
        return None
    return set(map(str, table.column("thread_id").to_pylist()))


def require() -> None:
    """Look for pyarrow.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise MissingExtra("Parquet needs pyarrow: pip install 'forkbook[parquet]'") from error


def _facts(thread: Gathered, counter: Counter | None) -> Facts:
    roots = {id_of(state): state for state in thread.states if not namespace(state)}
    tree = Tree([head_of(state) for state in roots.values()])
    return Facts(thread.thread_id, tree, [roots[head.id] for head in tree.heads], counter)


def _table(rows: list[columns.Row], name: str) -> Any:
    """Rows as an Arrow table that pandas reads back with the dtypes of the frames."""
    import pyarrow as pa

    arrays = []
    for field, dtype in zip(_schema(name), COLUMNS[name].values(), strict=True):
        kind = "names" if field.name in columns.NAMES else dtype
        convert = CONVERTED.get(kind if isinstance(kind, str) else columns.TEXT)
        data = [row.get(field.name) for row in rows]
        arrays.append(pa.array([convert(each) for each in data] if convert else data, field.type))
    return pa.Table.from_arrays(arrays, schema=_schema(name))


@cache
def _schema(name: str) -> Any:
    """A table's columns; what pandas needs to give them the dtypes of the frames is in the metadata."""
    import pyarrow as pa

    pattern = pa.Schema.from_pandas(frames.frame([], COLUMNS[name]), preserve_index=False)
    return pa.schema([(column, _kind(column, dtype)) for column, dtype in COLUMNS[name].items()], pattern.metadata)


def _kind(name: str, dtype: str | tuple[str, ...]) -> Any:
    import pyarrow as pa

    if isinstance(dtype, tuple):
        return pa.dictionary(pa.int32(), pa.string())
    if name in columns.NAMES:
        return pa.list_(pa.string())
    return {
        columns.TIME: pa.timestamp("us", "UTC"),
        columns.INT: pa.int64(),
        columns.BOOL: pa.bool_(),
        columns.FLOAT: pa.float64(),
    }.get(dtype, pa.string())


def _time(value: Any) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _json(value: Any) -> str | None:
    return None if value is None else json_line(value)[0].decode()


def _names(value: Any) -> list[str | None] | None:
    return None if value is None else [_text(item) for item in value]


def _text(value: Any) -> str | None:
    return None if value is None else without_surrogates(str(value))


CONVERTED: Mapping[str, Callable[[Any], Any]] = {
    columns.TIME: _time,
    columns.TEXT: _text,
    columns.OBJECT: _json,
    "names": _names,
}
