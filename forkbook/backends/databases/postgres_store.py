"""The memory on Postgres, in the table that LangGraph's PostgresStore wrote; read-only."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ..budget import Budget
from ..store import Item, Namespace, text_of
from .postgres_rows import name
from .store import COLUMNS, Items, Tables

FOUND = """
select attname::text from pg_attribute join pg_class on pg_class.oid = attrelid
where attrelid = to_regclass('store') and relkind in ('r', 'p') and attnum > 0 and not attisdropped
"""
TIME = """to_char({} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US')"""
BINARY = 'collate "C"'
ITEMS = f"""
select {name("prefix")}, {name("key")}, octet_length(value::text),
       case when octet_length(value::text) <= %(largest)s then value::text end, {{created}}, {{updated}}, {{expires}}
from store where {{where}} order by updated_at desc, prefix {BINARY}, key {BINARY} limit %(limit)s
"""  # noqa: S608  # our own columns
UNDER = f"""
%(prefix)s = '' or prefix {BINARY} = %(prefix)s or starts_with(prefix {BINARY}, %(prefix)s || '.')
"""
ONE = f"prefix {BINARY} = %(prefix)s and key {BINARY} = %(key)s"
NAMESPACES = f"""
select {name("prefix")} from (select distinct prefix {BINARY} as prefix from store where {UNDER}) spaces order by prefix
"""  # noqa: S608


class PostgresMemory(Tables):
    """What the store table of a Postgres database holds.

    Args:
        name: The database.
        reading: Opens a read-only transaction, from what is read.
        budget: The bounds of what is read.
    """

    def __init__(self, name: str, reading: Callable[[str], AbstractContextManager[Any]], budget: Budget) -> None:
        self.name, self._reading, self.budget = name, reading, budget

    @staticmethod
    def columns(connection: Any) -> set[str]:
        """The columns of LangGraph's store table; empty: there is none."""
        found = {name for (name,) in connection.execute(FOUND)}
        return found if found >= COLUMNS else set()

    def items(self, prefix: Namespace, query: str | None = None, limit: int | None = None) -> list[Item]:
        self.no_query(query)
        return self._items(UNDER, limit=limit, prefix=text_of(prefix))

    def item(self, namespace: Namespace, key: str) -> Item | None:
        found = self._items(ONE, prefix=text_of(namespace), key=key)
        return next(iter(found), None)

    def namespaces(self, prefix: Namespace) -> list[Namespace]:
        if "\0" in text_of(prefix):
            return []
        with self._reading("listing the namespaces") as connection:
            found = connection.execute(NAMESPACES, {"prefix": text_of(prefix)})
            return [tuple(text.split(".")) for (text,) in found]

    def _items(self, where: str, limit: int | None = None, **wanted: str) -> list[Item]:
        if any("\0" in text for text in wanted.values()):  # no text on Postgres has a NUL
            return []
        with self._reading("reading the store") as connection:
            expires = TIME.format("expires_at") if "expires_at" in self.columns(connection) else "null"
            times = {"created": TIME.format("created_at"), "updated": TIME.format("updated_at"), "expires": expires}
            query = ITEMS.format(where=where, **times)
            items = Items(self.name, self.budget)
            with connection.cursor("forkbook") as cursor:
                cursor.execute(query, {"largest": items.most, "limit": limit, **wanted})
                return [items.item(*row) for row in cursor]
