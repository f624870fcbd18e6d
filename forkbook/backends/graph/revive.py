"""From the plain form back to Python's own objects, so that what a checkpoint shows can be written again."""

import base64
import datetime as dt
import decimal
import os
import pathlib
import uuid
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ...errors import InvalidInput
from ...model.messages import role

MAKERS: dict[str, Callable[[Any], Any]] = {
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "timedelta": lambda value: dt.timedelta(*value),
    "UUID": uuid.UUID,
    "Decimal": decimal.Decimal,
    "PosixPath": pathlib.PosixPath if os.name == "posix" else pathlib.PurePosixPath,
    "Path": pathlib.Path,
    "bytes": base64.b64decode,
    "bytearray": lambda value: bytearray(base64.b64decode(value)),
    "tuple": lambda value: tuple(map(revived, value)),
    "set": lambda value: set(map(revived, value)),
    "frozenset": lambda value: frozenset(map(revived, value)),
    "deque": lambda value: deque(map(revived, value)),
    "dict": lambda value: {revived(key): revived(item) for key, item in value},
    "float": float,
    "int": int,
}


def revived(value: Any, leave: Collection[str] = ()) -> Any:
    """A value with every plain form in it turned back; Python's own objects stay what they are.

    Args:
        value: The value.
        leave: The `__type__` of forms that are to stay.

    Raises:
        InvalidInput: A form says what a value was, but not the value: opaque, not stored, of a class.
    """
    if isinstance(value, list):
        return [revived(item, leave) for item in value]
    kind = value.get("__type__") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or (isinstance(kind, str) and kind in leave):
        return value
    if not isinstance(kind, str) or "value" not in value:
        if kind in ("opaque", "not stored"):
            raise InvalidInput(f"a value that is {kind} ({value.get('reason')}) cannot be written back")
        return {key: revived(item, leave) for key, item in value.items()}
    if kind == "time" and len(value) == 2:
        return dt.time.fromisoformat(value["value"])
    if kind not in MAKERS:
        raise InvalidInput(f"the plain form of a {kind} cannot be written back: give the object itself")
    return MAKERS[kind](value["value"])


def holds_messages(value: Any) -> bool:
    """Whether a list holds messages as dicts."""
    return isinstance(value, list) and any(isinstance(item, dict) and role(item) for item in value)
