"""The memory of an Agent Server, through langgraph-sdk's sync client."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from ..store import Item, Memory, Namespace, checked_scores, every, place_of
from ..wire import UnexpectedAnswer, an_object, objects


class ServerMemory(Memory):
    """What an Agent Server remembers.

    Measured on langgraph-api 0.16.7: a search gives 10 items and a list 100 namespaces unless told otherwise, with no
    upper limit; a limit of 0 means the default. A read prolongs the life of what it gives, unless told not to. A query
    is passed over where the server has no index.

    Args:
        name: The server, with its address.
        client: Gives the SDK's store client as it is now.
        as_errors: Raises faults as errors of forkbook.
    """

    def __init__(
        self, name: str, client: Callable[[], Any], as_errors: Callable[[str], AbstractContextManager[None]]
    ) -> None:
        self.name, self._client, self._as_errors = name, client, as_errors

    def items(self, prefix: Namespace, query: str | None = None, limit: int | None = None) -> list[Item]:
        def ask(wanted: int, skip: int) -> list[Item]:
            with self._as_errors(f"reading the store from item {skip} on"):
                search = self._client().search_items
                answer = search(list(prefix), query=query, limit=wanted, offset=skip, refresh_ttl=False)
                return [_item(found) for found in objects(an_object(answer).get("items"))]

        return checked_scores(every(ask, place_of, limit, f"the store of {self.name}"), query, self.name)

    def item(self, namespace: Namespace, key: str) -> Item | None:
        with self._as_errors(f"reading item {key!r} of the store"):
            found = self._client().get_item(list(namespace), key, refresh_ttl=False)
            return None if found is None else _item(an_object(found))

    def namespaces(self, prefix: Namespace) -> list[Namespace]:
        def ask(wanted: int, skip: int) -> list[Namespace]:
            with self._as_errors(f"listing the store's namespaces from {skip} on"):
                answer = an_object(self._client().list_namespaces(list(prefix) or None, limit=wanted, offset=skip))
                return [_namespace(found) for found in _a_list(answer.get("namespaces") or [])]

        found = every(ask, lambda namespace: namespace, None, f"the store of {self.name}")
        return [namespace for namespace in found if namespace[: len(prefix)] == prefix]  # it takes "*" for any label

    def put(self, namespace: Namespace, key: str, value: Mapping[str, Any], *, indexed: bool = True) -> None:
        with self._as_errors(f"writing item {key!r} of the store"):
            self._client().put_item(list(namespace), key, dict(value), index=None if indexed else False)

    def delete(self, namespace: Namespace, key: str) -> None:
        with self._as_errors(f"deleting item {key!r} of the store"):
            self._client().delete_item(list(namespace), key)


def _item(found: Mapping[str, Any]) -> Item:
    if not isinstance(found.get("key"), str) or "value" not in found:
        raise UnexpectedAnswer(f"sent an item of its store without key or value, with {', '.join(found)}")
    times = (found.get("created_at"), found.get("updated_at"))
    return Item(_namespace(found.get("namespace")), found["key"], found["value"], *times, score=found.get("score"))


def _a_list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise UnexpectedAnswer("sent namespaces of its store that are no list")
    return found


def _namespace(found: Any) -> Namespace:
    if not isinstance(found, list):
        raise UnexpectedAnswer("sent a namespace of its store that is no list of labels")
    return tuple(map(str, found))
