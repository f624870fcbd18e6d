"""Searching the threads of a checkpoint store, which knows little of them. Pure."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import InvalidInput
from ..values.cells import kind_of

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


def named(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows of threads whose ids are texts; others, which nobody can ask for, are passed over with a warning."""
    found = [row for row in rows if isinstance(row[0], str)]
    if len(found) < len(rows):
        odd = kind_of(next(row[0] for row in rows if not isinstance(row[0], str)))
        left = f"{len(rows) - len(found):,} of {len(rows):,} threads left out: there is {odd} in the place of an id"
        warnings.warn(f"{left}, so LangGraph cannot have written them", stacklevel=2)
    return found


def fitting(rows: Sequence[tuple[Any, ...]], search: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of threads that fit a search, each with the thread's id first; in their order."""
    wanted = None if search.get("ids") is None else set(search["ids"])
    return [row for row in rows if wanted is None or row[0] in wanted][: search.get("limit")]
