"""Answers as a person gives them: one value, or several by the ids of what is asked. Pure."""

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from ..model.text import short


def check_answer(value: Any, by_id: Any) -> None:
    """Check that there is one value, or several by their ids.

    Raises:
        InvalidInput: There is neither, or both, or no mapping of ids.
    """
    if (value is ...) == (by_id is None):
        raise InvalidInput(
            "give one answer, answer(value), or several, answer(by_id={id: value, …}), with ids of waiting_for"
        )
    if by_id is not None and (not isinstance(by_id, Mapping) or not by_id):
        raise InvalidInput(f"by_id maps ids of interrupts to answers, as waiting_for has them; this is {short(by_id)}")
