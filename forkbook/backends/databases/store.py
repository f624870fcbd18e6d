"""The rows of LangGraph's `store` table, which SQLite and Postgres have alike, as items. Nothing of LangGraph runs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ...errors import Unsupported
from ..budget import Budget
from ..store import Item, Memory, Namespace
from ..values.cells import as_bytes, as_text, kind_of
from ..values.decode import Decoder
from ..values.plain import opaque

COLUMNS = {"prefix", "key", "value", "created_at", "updated_at"}


class Tables(Memory):
    """A memory that is read from its table.

    Attributes:
        budget: The bounds of what is read.
    """

    budget: Budget

    def put(self, namespace: Namespace, key: str, value: Mapping[str, Any], *, indexed: bool = True) -> None:
        self.check_writable()

    def delete(self, namespace: Namespace, key: str) -> None:
        self.check_writable()

    def check_writable(self) -> None:
        raise Unsupported(
            f"{self.name} is read-only, so nothing can be written there: open the Agent Server or the graph that uses "
            "it, fb.connect('http://…') or fb.connect(graph)"
        )

    def no_query(self, query: str | None) -> None:
        """Check that nothing is asked that only the store itself can answer.

        Raises:
            Unsupported: A query is.
        """
        if query is not None:
            raise Unsupported(
                f"{self.name} is read without its index, so it cannot search by meaning: read all items and filter the "
                "DataFrame, or ask the Agent Server or the graph that uses it"
            )


class Items:
    """Makes items of rows, and measures them.

    Args:
        name: The place.
        budget: The bounds of what is read.

    Attributes:
        most: Bytes of a value that is read.
    """

    def __init__(self, name: str, budget: Budget) -> None:
        self._meter = budget.meter(f"the memory of {name}")
        self._decoder = Decoder(budget)
        self._decoder.meter = self._meter
        self.most = int(budget.value_bytes)

    def item(
        self, prefix: Any, key: Any, size: int | None, value: Any, created: Any, updated: Any, expires: Any
    ) -> Item:
        """An item from a row; its times are UTC where they name no zone.

        Expired items that were not swept yet are still there, as LangGraph's own store gives them by default.
        """
        self._meter.take(items=1, nbytes=size or 0)
        namespace = tuple(as_text(prefix).split("."))
        return Item(namespace, as_text(key), self._value(size or 0, value), _iso(created), _iso(updated), _iso(expires))

    def _value(self, size: int, value: Any) -> Any:
        if value is None:
            return opaque(f"larger than {self.most:,} bytes" if size else "damaged: there is no value", size)
        if (text := as_bytes(value)) is None:
            return opaque(f"damaged: there is {kind_of(value)} where JSON belongs", 0)
        return self._decoder.plain_json(text)


def _iso(time: Any) -> str | None:
    try:
        found = datetime.fromisoformat(as_text(time))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return None
