"""The memory of a graph in this process: the store that it was compiled with, sync or async."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from ...errors import InvalidInput
from ..store import Item, Memory, Namespace, checked_scores, every, place_of
from .calls import Caller
from .snapshots import Reading


class GraphMemory(Memory):
    """What a graph's store holds; its values are copied, so that what was read stays as it was.

    Args:
        name: The graph.
        store: LangGraph's BaseStore; an async one is awaited on its own loop.
        as_errors: Raises faults as errors of forkbook.
    """

    def __init__(self, name: str, store: Any, as_errors: Callable[[str], AbstractContextManager[None]]) -> None:
        self.name, self._store, self._as_errors = name, store, as_errors
        loop = getattr(store, "_loop", None)
        self._call = Caller(isinstance(loop, asyncio.AbstractEventLoop), loop)

    def items(self, prefix: Namespace, query: str | None = None, limit: int | None = None) -> list[Item]:
        def ask(wanted: int, skip: int) -> list[Item]:
            with self._as_errors(f"reading the store from item {skip} on"):
                how = {"query": query, "limit": wanted, "offset": skip, "refresh_ttl": False}
                return [_item(found) for found in self._call(self._store, "search", prefix, **how)]

        return checked_scores(every(ask, place_of, limit, f"the store of {self.name}"), query, self.name)

    def item(self, namespace: Namespace, key: str) -> Item | None:
        with self._as_errors(f"reading item {key!r} of the store"):
            found = self._call(self._store, "get", namespace, key, refresh_ttl=False)
        return None if found is None else _item(found)

    def namespaces(self, prefix: Namespace) -> list[Namespace]:
        def ask(wanted: int, skip: int) -> list[Namespace]:
            with self._as_errors(f"listing the store's namespaces from {skip} on"):
                return list(
                    self._call(self._store, "list_namespaces", prefix=prefix or None, limit=wanted, offset=skip)
                )

        found = every(ask, lambda namespace: namespace, None, f"the store of {self.name}")
        return [namespace for namespace in found if namespace[: len(prefix)] == prefix]  # it takes "*" for any label

    def put(self, namespace: Namespace, key: str, value: Mapping[str, Any], *, indexed: bool = True) -> None:
        with self._as_errors(f"writing item {key!r} of the store"):
            try:
                self._call(self._store, "put", namespace, key, dict(value), index=None if indexed else False)
            except ValueError as error:
                raise InvalidInput(f"the store of {self.name} refuses item {key!r}: {error}") from error

    def delete(self, namespace: Namespace, key: str) -> None:
        with self._as_errors(f"deleting item {key!r} of the store"):
            self._call(self._store, "delete", namespace, key)


def _item(found: Any) -> Item:
    created, updated = (time and time.isoformat() for time in (found.created_at, found.updated_at))
    value, score = Reading().plain(found.value), getattr(found, "score", None)
    return Item(tuple(found.namespace), found.key, value, created, updated, score=score)
