"""When two plain values mean the same, and how a value looks as JSON. Pure.

As in RFC 6902: 1 and 1.0 are equal (a server or a browser makes the one of the other), true is no number, keys come in
any order. Beyond it, by the forms in `backends.values.plain`: NaN equals NaN, a `datetime` the same instant spelled
otherwise, a set the same items in any order, a tuple a list of the same items.
"""

import json
import math
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from typing import Any

TYPE = "__type__"
NOT_A_NUMBER = ("nan",)


def same(a: Any, b: Any) -> bool:
    """Whether two values mean the same; what two states share costs nothing."""
    if a is b:
        return True
    if isinstance(a, str) and isinstance(b, str):
        return a == b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict) and TYPE not in a and TYPE not in b:
        a, b = named(a), named(b)
        return len(a) == len(b) and all(key in b and same(value, b[key]) for key, value in a.items())
    return meaning(a) == meaning(b)


def meaning(value: Any) -> Hashable:
    """What a value says, as something that is equal (and hashes the same) just where two values are `same`."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int | float):
        return NOT_A_NUMBER if value != value else value
    if isinstance(value, list | tuple):
        return ("list", *map(meaning, value))
    if isinstance(value, dict):
        return _tagged(value) if TYPE in value else _fields(value)
    return (type(value), value if isinstance(value, Hashable) else repr(value))


def named(items: Mapping[Any, Any]) -> Mapping[str, Any]:
    """A mapping with its keys as JSON would have them."""
    return items if set(map(type, items)) <= {str} else {_key(key): value for key, value in items.items()}


def as_json(value: Any) -> Any:
    """A value as JSON would have it: keys as text, tuples as lists, a bare NaN or infinity as null."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in named(value).items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def line(value: Any) -> str:
    """A value as JSON on one line, to be read."""
    return json.dumps(as_json(value), ensure_ascii=False, default=repr)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str(key)
    return {True: "true", False: "false"}[key] if isinstance(key, bool) else "null" if key is None else str(key)


def _fields(value: Mapping[Any, Any]) -> Hashable:
    return ("dict", frozenset((key, meaning(item)) for key, item in named(value).items()))


def _items(value: Any) -> Hashable:
    return frozenset(map(meaning, value))


READERS: dict[str, Callable[[Any], Hashable]] = {
    "datetime": lambda value: ("datetime", datetime.fromisoformat(value)),
    "float": lambda value: meaning(float(value)),
    "int": int,
    "tuple": lambda value: meaning(list(value)),
    "set": lambda value: ("set", _items(value)),
    "frozenset": lambda value: ("frozenset", _items(value)),
    "dict": lambda value: ("pairs", _items(value)),
}


def _tagged(value: Mapping[str, Any]) -> Hashable:
    """The meaning of `{"__type__": …, "value": …}`; of one that has no reader, its fields."""
    reader = READERS.get(value[TYPE]) if isinstance(value[TYPE], str) and len(value) == 2 else None
    try:
        return reader(value.get("value")) if reader else _fields(value)
    except (TypeError, ValueError):
        return _fields(value)
