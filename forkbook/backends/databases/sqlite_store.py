"""The memory in a SQLite file, in the table that LangGraph's SqliteStore or AsyncSqliteStore wrote; read-only."""

import sqlite3
from typing import Any

from ..store import Item, Namespace, text_of
from ..values.cells import as_text, sized
from .sqlite_file import SqliteFile
from .sqlite_rows import name
from .store import COLUMNS, Items, Tables

HAS_TABLE = """
SELECT 1 FROM sqlite_schema WHERE lower(name) = 'store' AND type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'
"""
TIMES = f"{name('created_at')}, {name('updated_at')}"
BINARY = "COLLATE BINARY"
ITEMS = f"""
SELECT {name("prefix")}, {name("key")}, {sized("value", "?1")}, {TIMES}, {{expires}}
FROM store WHERE {{where}} ORDER BY updated_at DESC, prefix {BINARY}, key {BINARY} LIMIT ?2
"""  # noqa: S608  # our own columns
UNDER = f"?3 = '' OR prefix = ?3 {BINARY} OR substr(prefix, 1, length(?3) + 1) = ?3 || '.' {BINARY}"
ONE = f"prefix = ?3 {BINARY} AND key = ?4 {BINARY}"
NAMESPACES = f"SELECT DISTINCT {name('prefix')} {BINARY} FROM store WHERE {UNDER.replace('?3', '?1')}"  # noqa: S608


class SqliteMemory(Tables):
    """What the store table of a SQLite file holds."""

    def __init__(self, name: str, file: SqliteFile) -> None:
        self.name, self._file, self.budget = name, file, file.budget

    @staticmethod
    def columns(connection: sqlite3.Connection) -> set[str]:
        """The columns of LangGraph's store table; empty: there is none."""
        found = {str(row[1]).lower() for row in connection.execute("PRAGMA table_info(store)")}
        return found if found >= COLUMNS and connection.execute(HAS_TABLE).fetchone() else set()

    def items(self, prefix: Namespace, query: str | None = None, limit: int | None = None) -> list[Item]:
        self.no_query(query)
        return self._items(UNDER, -1 if limit is None else limit, text_of(prefix))

    def item(self, namespace: Namespace, key: str) -> Item | None:
        return next(iter(self._items(ONE, 1, text_of(namespace), key)), None)

    def namespaces(self, prefix: Namespace) -> list[Namespace]:
        found = self._file.read(
            "listing the namespaces",
            lambda connection: connection.execute(NAMESPACES, [text_of(prefix)]).fetchall(),
        )
        return [tuple(as_text(text).split(".")) for (text,) in found]

    def _items(self, where: str, limit: int, *wanted: Any) -> list[Item]:
        def work(connection: sqlite3.Connection) -> list[Item]:
            expires = name("expires_at") if "expires_at" in self.columns(connection) else "NULL"
            query = ITEMS.format(expires=expires, where=where)
            items = Items(self.name, self.budget)
            return [items.item(*row) for row in connection.execute(query, [items.most, limit, *wanted])]

        return self._file.read("reading the store", work)
