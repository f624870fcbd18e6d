"""What a search for threads may ask, checked before any place is asked."""

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from ..model.text import short

THREAD_STATUSES = ("idle", "busy", "interrupted", "error")  # LangGraph's


def check_search(search: Mapping[str, Any]) -> None:
    """Check the words of a search, which are those of the SDK's `threads.search`.

    Raises:
        InvalidInput: A value cannot be right.
    """
    for name in ("limit", "offset"):
        number = search.get(name)
        if number is not None and not (isinstance(number, int) and number >= 0):
            raise InvalidInput(f"{name} is {short(number)}: give a number of threads, or leave it out")
    for name in ("metadata", "values"):
        wanted = search.get(name)
        if wanted is not None and not isinstance(wanted, Mapping):
            raise InvalidInput(f"{name} is {short(wanted)}: give a mapping, as in {{'owner': 'ada'}}")
    if (status := search.get("status")) is not None and status not in THREAD_STATUSES:
        raise InvalidInput(
            f"no thread has the status {short(status)}: there is {', '.join(THREAD_STATUSES)}",
            candidates=THREAD_STATUSES,
        )
