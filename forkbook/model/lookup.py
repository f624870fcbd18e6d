"""A thread's id found from how people write it: as it is shown, `5868deb3…cf84`, or by its end. Pure."""

import re
from collections.abc import Iterable
from uuid import UUID

from ..errors import ThreadNotFound
from .text import cut, visible

LEAST_CHARACTERS = 4  # of a piece of an id
MOST_NAMED = 5  # candidates in an error's text
NEAR = 80.0  # percent of likeness, of two ids of which one may be a typo of the other
ELLIPSIS = re.compile(r"…|\.\.\.")


def is_uuid(text: str) -> bool:
    """Whether a text is written as a UUID."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def is_piece(given: str) -> bool:
    """Whether this may be a piece of an id: long enough, and no whole UUID."""
    return not is_uuid(given) and len(ELLIPSIS.sub("", given)) >= LEAST_CHARACTERS


def id_like(given: str, ids: Iterable[str], error: ThreadNotFound) -> str:
    """The one id that a text stands for.

    Args:
        given: The end of an id, or its beginning and its end with `…` or `...` in between.
        ids: All ids that there are.
        error: What was raised of this text as an id.

    Raises:
        ThreadNotFound: None fits, or several; its candidates are the ids that may be meant.
    """
    known = list(ids)
    fits = [id_ for id_ in known if _fits(given, id_)]
    if len(fits) == 1:
        return fits[0]
    if fits:
        more = f" and {len(fits) - MOST_NAMED:,} more" if len(fits) > MOST_NAMED else ""
        message = f"{len(fits):,} threads have ids like {given!r}: {_named(fits)}{more}; give more of the one you mean"
    elif fits := _near(given, known):
        message = f"{error}; near it: {_named(fits)}"
    else:
        raise error
    raise ThreadNotFound(message, thread_id=given, candidates=fits) from error


def _fits(given: str, id_: str) -> bool:
    if len(parts := ELLIPSIS.split(given.lower())) > 2:
        return False
    start, end = parts if len(parts) == 2 else ("", parts[0])
    shown = id_.lower()
    return len(shown) >= len(start) + len(end) and shown.startswith(start) and shown.endswith(end)


def _near(given: str, known: list[str]) -> list[str]:
    from rapidfuzz import process

    found = process.extract(given, known, limit=MOST_NAMED, score_cutoff=NEAR)
    return [id_ for id_, _, _ in found]


def _named(ids: list[str]) -> str:
    return ", ".join(cut(visible(id_), 60) for id_ in ids[:MOST_NAMED])
