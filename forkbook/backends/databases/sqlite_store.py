"""The memory in a SQLite file, in the table that LangGraph's SqliteStore or AsyncSqliteStore wrote; read-only."""

import sqlite3
from typing import Any

from ..store import Item, Namespace, text_of
from ..values.cells import as_text, sized
from .sqlite_file import SqliteFile
from .store import COLUMNS, LARGEST_VALUE, Tables, item_of

HAS_TABLE = "SELECT 1 FROM sqlite_schema WHERE name = 'store' AND type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
ITEMS = f"""
SELECT prefix, key, {sized("value", "?1")}, created_at, updated_at, {{expires}}
FROM store WHERE {{where}} ORDER BY updated_at DESC, prefix, key LIMIT ?2
"""  # noqa: S608  # our own columns
UNDER = "?3 = '' OR prefix = ?3 OR substr(prefix, 1, length(?3) + 1) = ?3 || '.'"
NAMESPACES = (
    "SELECT DISTINCT prefix FROM store WHERE ?1 = '' OR prefix = ?1 OR substr(prefix, 1, length(?1) + 1) = ?1 || '.'"
)


class SqliteMemory(Tables):
    """What the store table of a SQLite file holds."""

    def __init__(self, name: str, file: SqliteFile) -> None:
        self.name, self._file = name, file

    @staticmethod
    def columns(connection: sqlite3.Connection) -> set[str]:
        """The columns of LangGraph's store table; empty: there is none."""
        found = {name for _, name, *_ in connection.execute("PRAGMA table_info(store)")}
        return found if found >= COLUMNS and connection.execute(HAS_TABLE).fetchone() else set()

    def items(self, prefix: Namespace, query: str | None = None, limit: int | None = None) -> list[Item]:
        self.no_query(query)
        return self._items(UNDER, -1 if limit is None else limit, text_of(prefix))

    def item(self, namespace: Namespace, key: str) -> Item | None:
        return next(iter(self._items("prefix = ?3 AND key = ?4", 1, text_of(namespace), key)), None)

    def namespaces(self, prefix: Namespace) -> list[Namespace]:
        found = self._file.read(
            "listing the namespaces",
            lambda connection: connection.execute(NAMESPACES, [text_of(prefix)]).fetchall(),
        )
        return [tuple(as_text(text).split(".")) for (text,) in found]

    def _items(self, where: str, limit: int, *wanted: Any) -> list[Item]:
        def work(connection: sqlite3.Connection) -> list[Item]:
            expires = "expires_at" if "expires_at" in self.columns(connection) else "NULL"
            query = ITEMS.format(expires=expires, where=where)
            return [item_of(*row) for row in connection.execute(query, [LARGEST_VALUE, limit, *wanted])]

        return self._file.read("reading the store", work)
