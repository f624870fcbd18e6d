"""Export to a folder of Parquet tables.

A folder has one table a grain: `threads`, `checkpoints`, `messages`, `tasks`, `branches`, `tokens`; each is a folder
itself, with a file a thread (`threads`: one file), so that `pd.read_parquet(folder / "checkpoints")` reads all of them,
and `filters=[("thread_id", "==", …)]` one. Columns and dtypes are those of the frames, for the root graph of each
thread. Lists of names (`next`, `branches`) stay lists; what may hold anything (`metadata`, `tool_calls`, `path`,
`interrupts`, `writes`) is JSON text, for `json.loads`: Parquet has no type for `{}`, nor for a value that is now a
text and now a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from ... import columns, frames
from ...backends.archive.export import Account, ExportReport
from ...backends.archive.text import NotJson, spelled
from ...backends.contract import Backend
from ...backends.gather import Ask, Gathered, at_once, gather, place
from ...errors import ForkbookError, InvalidInput, MissingExtra
from ...facts import Facts
from ...files import new_folder
from ...model.states import head_of
from ...model.text import without_surrogates
from ...model.tree import Tree
from ...tokens import Counter
from ..keeping import name_for

COLUMNS: Mapping[str, columns.Columns] = {
    "threads": frames.THREADS,
    "checkpoints": frames.CHECKPOINTS,
    "messages": frames.MESSAGES,
    "tasks": frames.TASKS,
    "branches": frames.BRANCHES,
    "tokens": frames.TOKENS,
}
TABLES = tuple(COLUMNS)[1:]  # those that have a file a thread
MARK = "_forkbook.json"
NO_ROWS = "000000.parquet"


def write(
    path: Path,
    backend: Backend,
    thread_ids: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    readers: int | None = None,
    ask: Ask = at_once,
    secrets: bool = False,
    counter: Counter | None = None,
) -> ExportReport:
    """Write threads to a folder of tables, thread by thread; it appears under its name when it is whole.

    A folder of this name that an export wrote is replaced then, any other one refused. It stays as it is if this export
    could not read a thread that it has: what could be read is then in `report.partial`.

    Args:
        path: The folder.
        backend: Where the threads are.
        thread_ids: Which ones; None for all.
        progress: Called with the number of threads that are done, and of all.
        readers: Threads that are read side by side; None: what the place allows, at most 6.
        ask: Makes a request, and makes it again where that may help.
        secrets: Whether to write the secrets in settings and metadata, too.
        counter: What counts tokens; None: the default.

    Raises:
        MissingExtra: pyarrow is not installed.
        InvalidInput: The folder cannot be there.
        SourceError: It cannot be written, or the threads' place is gone.
    """
    require()
    from pyarrow import parquet

    account, records, below = Account(progress), list[columns.Row](), 0
    with new_folder(path, MARK) as new:
        folder = new.place
        for name in COLUMNS:
            (folder / name).mkdir()
        number, threads = gather(backend, thread_ids, readers=readers, ask=ask, secrets=secrets)
        for place_, thread in enumerate(threads):
            error = thread.error or _write_thread(folder, place_, thread, counter)
            if error is None:
                records += frames.threads_rows([thread.record], secrets=True)  # those that were not left out
                below += sum(bool(place(state)[0]) for state in thread.states)
            account.add(thread, error, number)
        parquet.write_table(_table(records, "threads"), folder / "threads" / NO_ROWS)
        for name in () if records else TABLES:
            parquet.write_table(_table([], name), folder / name / NO_ROWS)
        (folder / MARK).write_text('{"format": 1, "tables": "forkbook"}\n')
        new.name = name_for(path, account, held)
    if below:
        account.notes.append(
            f"{below:,} checkpoints of subgraphs are not in the tables, which cover the root graphs; an archive and a "
            "JSON file have them"
        )
        account.checkpoints -= below
    return account.report(path, backend, ask, listed=thread_ids is None, name=new.name)


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


def _write_thread(folder: Path, number: int, thread: Gathered, counter: Counter | None) -> ForkbookError | None:
    try:
        facts = _facts(thread, counter)
        tables = {name: _table(list(getattr(frames, f"{name}_rows")(facts)), name) for name in TABLES}
    except ForkbookError as error:
        return error
    except (NotJson, ValueError, TypeError, OverflowError) as error:
        refused = InvalidInput(
            f"thread {thread.thread_id} cannot be written as tables: {error}", thread_id=thread.thread_id
        )
        refused.__cause__ = error
        return refused
    from pyarrow import parquet

    readable = re.sub(r"[^\w-]", "_", thread.thread_id, flags=re.ASCII)[:80]
    for name, table in tables.items():
        parquet.write_table(table, folder / name / f"{number:06d}-{readable}.parquet")
    return None


def _facts(thread: Gathered, counter: Counter | None) -> Facts:
    roots = {place(state)[1]: state for state in thread.states if not place(state)[0]}
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
    return None if value is None else spelled(value)[0].decode()


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
