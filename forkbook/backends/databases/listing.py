"""Searching the threads of a checkpoint store, which knows little of them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import InvalidInput

SEARCHES = ("ids", "limit")


def check_search(search: Mapping[str, Any]) -> None:
    """Check that a store can be searched by this.

    Raises:
        InvalidInput: It cannot.
    """
    if unknown := search.keys() - set(SEARCHES):
        raise InvalidInput(
            f"a store knows its threads' ids only: search by ids and limit, not {', '.join(sorted(unknown))}",
            candidates=SEARCHES,
        )


def fitting(rows: Sequence[tuple[Any, ...]], search: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of threads that fit a search, each with the thread's id first; in their order."""
    wanted = None if search.get("ids") is None else set(search["ids"])
    return [row for row in rows if wanted is None or row[0] in wanted][: search.get("limit")]
