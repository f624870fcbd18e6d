"""Where a checkpointer keeps its checkpoints: in a file, in a database, or in the memory of this process."""

from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from ...errors import SourceError
from ...model.held import Secret
from ..contract import Backend
from .calls import caller_of
from .snapshots import Saver

SQLITE = "langgraph.checkpoint.sqlite"
PLACE = ("host", "port", "user", "password", "dbname", "options", "sslmode")  # what names a database to libpq


class OnCheckpointer(Backend):
    """A place whose threads a checkpointer keeps."""

    _saver: Saver

    @cached_property
    def _is_sqlite(self) -> bool:
        return any(each.__module__.startswith(SQLITE) for each in type(self._saver).__mro__)

    @cached_property
    def _path(self) -> Path | None:
        try:
            return sqlite_file(self._saver) if self._is_sqlite else None
        except Exception as error:
            raise SourceError(f"asking {self.address} for its file: {type(error).__name__}: {error}") from error

    @property
    def file(self) -> Path | None:
        return self._path

    @property
    def lives_in(self) -> Any:
        in_memory = isinstance(self._saver, InMemorySaver) or (self._is_sqlite and self._path is None)
        return self._saver if in_memory else None


def store_of(saver: Saver) -> Path | Secret | None:
    """Where a checkpointer keeps its checkpoints, if forkbook can read them there by itself.

    Returns:
        The file of a SqliteSaver, or the address of a PostgresSaver's database; None: it is another checkpointer, has
        its data in memory, or writes them in a way of its own (a subclass, another serializer).
    """
    if type(saver.serde) is not JsonPlusSerializer:
        return None
    module = type(saver).__module__
    if module.startswith(SQLITE):
        return sqlite_file(saver)
    if module.startswith("langgraph.checkpoint.postgres"):
        return _postgres_address(getattr(saver, "conn", None))
    return None


def sqlite_file(saver: Saver) -> Path | None:
    """The file of a SqliteSaver; None: its database is in memory."""
    rows = caller_of(saver)(_Files(saver), "files")
    path = next((row[2] for row in rows if row[1] == "main"), "")
    return Path(path) if path else None


class _Files:
    """Asks a SqliteSaver, sync or async, for the files of its connection."""

    def __init__(self, saver: Any) -> None:
        self._saver = saver

    def files(self) -> list[Any]:
        with self._saver.lock:
            return list(self._saver.conn.execute("PRAGMA database_list").fetchall())

    async def afiles(self) -> list[Any]:
        async with self._saver.conn.execute("PRAGMA database_list") as cursor:
            return list(await cursor.fetchall())


def _postgres_address(held: Any) -> Secret | None:
    """The address of the database behind a connection, or a pool of them."""
    from psycopg.conninfo import conninfo_to_dict

    if (info := getattr(held, "info", None)) is not None:
        said = {**info.get_parameters(), "password": info.password, "dbname": info.dbname}
    elif isinstance(text := getattr(held, "conninfo", None), str):
        said = {**conninfo_to_dict(text), **(getattr(held, "kwargs", None) or {})}
    else:
        return None
    known = {name: str(value) for name in PLACE if (value := said.get(name)) not in (None, "")}
    return Secret(f"postgresql://?{urlencode(known, quote_via=quote)}")
