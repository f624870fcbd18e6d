"""Which reader opens a file, or the store of a checkpointer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from ..extras import require_langgraph
from ..model.text import short
from .budget import Budget
from .contract import Backend
from .typed_place import ARCHIVE_SUFFIX, existing_path

if TYPE_CHECKING:
    from .databases.rules import Reducer, Rules

JSON_SUFFIX = ".json"
FOR_STORES = (
    "reducers and graph are for checkpoint stores, a SQLite file or a Postgres address: elsewhere values are whole, so "
    "leave them out"
)


def rules_given(reducers: Mapping[str, Reducer] | None, graph: Any) -> Rules | None:
    """The rules of DeltaChannels that a user gives: functions, and what a graph has beside them."""
    if not reducers and graph is None:
        return None
    from .databases.rules import first_of, given

    wrong = [name for name, reducer in (reducers or {}).items() if not callable(reducer)]
    if wrong:
        raise InvalidInput(f"reducers[{wrong[0]!r}] is no function: give one of the state and a list of writes")
    if graph is None:
        return given(reducers or {})
    if not hasattr(graph, "get_subgraphs"):
        raise InvalidInput(f"graph={short(graph)} is no compiled graph: give builder.compile()")
    require_langgraph()
    from .graph.reducers import rules_of

    return first_of(given(reducers or {}), rules_of(graph))


def is_saver(source: Any) -> bool:
    """Whether this is a LangGraph checkpointer."""
    return hasattr(source, "get_tuple") and hasattr(source, "put_writes")


def saver_backend(saver: Any, rules: Rules | None, budget: Budget) -> Backend:
    """A checkpointer's store: by our own reader where it is a SQLite file or a Postgres database, else by LangGraph."""
    from .graph.kept_in import store_of
    from .graph.saver import SaverBackend

    require_langgraph()
    store = store_of(saver)
    if isinstance(store, Path):
        return file_backend(store, rules, budget)
    if store is not None:
        from .databases.postgres import PostgresBackend

        return PostgresBackend(store, rules, budget)
    return SaverBackend(saver, rules)


def file_backend(source: Any, rules: Rules | None, budget: Budget) -> Backend:
    path = existing_path(source)
    if rules is not None and path.suffix.lower() in (ARCHIVE_SUFFIX, JSON_SUFFIX):
        raise InvalidInput(FOR_STORES)
    if path.suffix == ARCHIVE_SUFFIX:
        from .archive import ArchiveBackend

        return ArchiveBackend(path, budget)
    if path.suffix.lower() == JSON_SUFFIX:
        from .jsonfile.backend import JsonBackend

        return JsonBackend(path, budget)
    if path.is_dir():
        raise InvalidInput(
            f"{str(path)!r} is a folder; tables of a Parquet export are read by pandas.read_parquet, "
            "and only exports to .forkbook and .json can be opened again"
        )
    from .databases.sqlite import SqliteBackend

    return SqliteBackend(path, rules, budget)
