"""The contract of a place's shared memory: items under a namespace and a key."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import InvalidInput, SourceError, Unsupported
from ..model.text import short

Namespace = tuple[str, ...]
T = TypeVar("T")
PAGE_SIZES = (1_000, 10_000, 100_000)  # items a request: at first, and after each time that a writer came in between


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that the memory holds.

    Attributes:
        namespace: Its labels, as in ("memories", "123").
        key: Its name in there.
        value: A dict.
        created_at: When it was first written, ISO 8601; None: unknown.
        updated_at: When it was last written.
        expires_at: When it is to be forgotten; None: never, or the place does not tell.
        score: How near it is to a query; None without one.
    """

    namespace: Namespace
    key: str
    value: Any
    created_at: str | None
    updated_at: str | None
    expires_at: str | None = None
    score: float | None = None


class Memory(ABC):
    """What a place remembers across threads; reading prolongs no item's life.

    Attributes:
        name: The place, as in "the Agent Server http://…".
    """

    name: str

    @abstractmethod
    def items(self, prefix: Namespace, query: str | None = None, limit: int | None = None) -> list[Item]:
        """All items under a prefix, or the first so many in the place's own order; with a query by score."""

    @abstractmethod
    def item(self, namespace: Namespace, key: str) -> Item | None:
        """One item; None if there is none."""

    @abstractmethod
    def namespaces(self, prefix: Namespace) -> list[Namespace]:
        """All namespaces that hold items and begin so, each once."""

    @abstractmethod
    def put(self, namespace: Namespace, key: str, value: Mapping[str, Any], *, indexed: bool = True) -> None:
        """Write an item.

        Args:
            namespace: Where.
            key: Its name.
            value: What it is.
            indexed: Whether a search by meaning may find it, where the place has an index.
        """

    @abstractmethod
    def delete(self, namespace: Namespace, key: str) -> None:
        """Delete an item; one that is not there is no error."""

    def check_writable(self) -> None:  # noqa: B027  # most are
        """Check that something can be written.

        Raises:
            Unsupported: This place is read-only.
        """


def namespace_of(given: str | Iterable[str] | None) -> Namespace:
    """A namespace from its labels, or from its text: ("memories", "123") is "memories.123".

    Raises:
        InvalidInput: A label is empty, no text, or has a period in it.
    """
    labels: tuple[Any, ...]
    if isinstance(given, str):
        labels = tuple(given.split("."))
    elif isinstance(given, Iterable):
        labels = tuple(given)
    elif given is None:
        labels = ()
    else:
        labels = (given,)
    for label in labels:
        if not isinstance(label, str) or not label or "." in label or not _is_utf8(label):
            raise InvalidInput(
                f"a namespace is text labels without periods, as in ('memories', '123') or 'memories.123'; "
                f"{short(label)} is no such label"
            )
    return labels


def checked_key(key: Any) -> str:
    """The key of an item.

    Raises:
        InvalidInput: It can be none.
    """
    if not isinstance(key, str) or not key or not _is_utf8(key):
        raise InvalidInput(f"an item's key is text that is not empty, not {short(key)}")
    return key


def text_of(namespace: Namespace) -> str:
    """A namespace as text, which is unique: labels have no periods."""
    return ".".join(namespace)


def every(ask: Callable[[int, int], list[T]], name: Callable[[T], Any], limit: int | None, where: str) -> list[T]:
    """Everything that can be asked for in pages, or the first so many.

    Pages overlap by one. Where the last of one is not the first of the next, a writer came in between, so that
    something could be missing: everything is read again, in larger pages.

    Args:
        ask: Gives a page, from a number of things and how many to skip.
        name: What a thing is told by.
        limit: At most so many; None: all.
        where: The place, for the error.

    Raises:
        SourceError: It changes faster than it can be read.
    """
    for size in PAGE_SIZES:
        found = _all_pages(ask, name, size, limit)
        if found is not None:
            return found
    raise SourceError(f"{where} changed {len(PAGE_SIZES)} times while it was read; read again when less is written")


def _all_pages(
    ask: Callable[[int, int], list[T]], name: Callable[[T], Any], size: int, limit: int | None
) -> list[T] | None:
    found: list[T] = []
    while limit is None or len(found) < limit:
        wanted = size if limit is None else min(size, limit - len(found) + bool(found))
        page = ask(wanted, max(len(found) - 1, 0))
        if found:
            if not page or name(page[0]) != name(found[-1]):
                return None
            page = page[1:]
        if not page:
            break
        found += page
    return found if len(set(map(name, found))) == len(found) else None


def place_of(item: Item) -> tuple[Namespace, str]:
    """What tells items apart."""
    return item.namespace, item.key


def checked_scores(items: list[Item], query: str | None, where: str) -> list[Item]:
    """The items, unless a query was passed over.

    Raises:
        Unsupported: The place has no index, so it gave everything, as if nothing had been asked.
    """
    if query is not None and items and all(item.score is None for item in items):
        raise Unsupported(
            f"{where} has no index to search by meaning, it passes over query={short(query)}: configure its store with "
            "an index, or read all items and filter the DataFrame"
        )
    return items


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
