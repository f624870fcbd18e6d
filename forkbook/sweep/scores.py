"""What a sweep's branches are worth, by a function of the user's. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from math import isnan
from numbers import Integral, Real
from typing import Any

from ..errors import InvalidInput
from ..model.text import cut, short, visible
from .rows import Place, Row

SCORED = ("finished", "waiting", "pending")
ERROR_LENGTH = 100


def checked(score: Any) -> Callable[[Any], Any]:
    """Check that this is a function.

    Raises:
        InvalidInput: It is none.
    """
    if not callable(score):
        raise InvalidInput(f"score is {short(score)}: give a function of a branch's last checkpoint")
    return score  # type: ignore[no-any-return]


def judged(rows: Iterable[Row], tips: Iterable[tuple[Place, Any]], score: Callable[[Any], Any]) -> list[Row]:
    """The rows with their scores, or with why there is none; failed and cancelled branches have neither.

    Args:
        rows: The rows.
        tips: For each row where its branch is, and its last checkpoint.
        score: The user's function of such a checkpoint.
    """
    return [
        replace(row, **_judged(tip, score)) if tip is not None and place.status in SCORED else row
        for row, (place, tip) in zip(rows, tips, strict=True)
    ]


def failed(rows: Sequence[Row]) -> tuple[str, ...]:
    """A note on the branches whose score failed, if there are any: how many, and why the first one did."""
    errors = [row.score_error for row in rows if row.score_error]
    if not errors:
        return ()
    n_scored = sum(row.score is not None for row in rows)
    why = cut(visible(errors[0]), ERROR_LENGTH)
    more = "; others say otherwise: see score_error" if len(set(errors)) > 1 else ""
    return (f"score failed on {len(errors)} of {len(errors) + n_scored}: {why}{more}",)


def _judged(tip: Any, score: Callable[[Any], Any]) -> dict[str, Any]:
    try:
        found = score(tip)
        if isinstance(found, Mapping) and found:
            return {"score": {name: _plain(part) for name, part in found.items()}}
        return {"score": _plain(found)}
    except Exception as error:
        return {"score_error": f"{type(error).__name__}: {error}"}


def _plain(value: Any) -> float | str | None:
    """A number, bool or text as one of Python's own; NaN is None, as it is null in a frame.

    Raises:
        InvalidInput: It is something else.
    """
    found = value.item() if hasattr(value, "item") else value
    if isinstance(found, bool | str):
        return found
    if isinstance(found, Integral):
        return int(found)
    if isinstance(found, Real | Decimal):
        return None if isnan(found) else float(found)
    raise InvalidInput(f"the score is {short(found)}: give a number, bool, text, or a dict of them; NaN for none")
