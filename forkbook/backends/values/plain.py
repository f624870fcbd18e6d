"""The plain form of what JSON lacks: one dict, `{"__type__": name, "value": …}`, that keeps the meaning.

| `__type__` | `value` | more |
|---|---|---|
| `datetime`, `date`, `time` | ISO 8601 text | `time`: `tzinfo`, `fold`, where it has them |
| `timedelta` | [days, seconds, microseconds] | |
| `timezone` | [the timedelta, its name if it has one] | |
| `ZoneInfo`, `UUID`, `Decimal` | text | |
| `IPv4Address`, `IPv6Network`, … | text | |
| `PosixPath`, `WindowsPath`, `Path` | text | |
| `regex` | the pattern | `flags` |
| `bytes`, `bytearray` | base64 | |
| `tuple`, `deque`, `set`, `frozenset` | a list, sets sorted; a tuple only where the store tells it from a list | |
| `dict` | [[key, value], …]: keys that are no text, or a user's own key `__type__` | |
| `float` | `nan`, `inf` or `-inf` | |
| `int` | digits: more than 64 bits | |
| `str` | JSON text of a string that UTF-8 cannot hold | |
| `ndarray` | nested lists; above 1,000 items, or an unusual dtype, base64 of the bytes | `dtype`, `shape`, `order` |
| `enum` | the member's value; also of other classes that are made from one value | `class` |
| `call` | the list of arguments of any other constructor or method | `class` |
| `opaque` | (none) nothing can be shown: pickled, encrypted, damaged, secret … | `reason`, `size` in bytes, `class` |
| `not stored` | (none) the place does not hold it | `reason` |

`model.states` finds the last two in a state.

A `Uint8Array`, `Set`, `Map` or `RegExp` of LangGraph.js is `bytes`, `set`, `dict` or `regex`, `undefined` is None.
Pydantic models, dataclasses and named tuples are plain dicts of their fields (`Fields`, which tells the class),
messages the dicts that a server sends.
`Interrupt` is `{"id", "value"}`, `Send` `{"node", "arg"}`, `Overwrite` `{"__overwrite__": value}`.
"""

import base64
import math
import pathlib
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from ...model.reserved import OVERWRITE
from ..budget import DEFAULT_BUDGET

LARGEST_ARRAY = 1_000  # items that are shown as numbers
OF_MESSAGES = ("langchain_core.messages", "langchain.schema")  # the modules of their classes
DEEPEST = int(DEFAULT_BUDGET.depth)  # nested lists and dicts


class Plain(dict[str, Any]):
    """A dict that is in its plain form already, all the way down."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        """Messages are objects in the graph's own process; here they are dicts, as a server sends them."""
        where = f"[{name!r}]" if name in self else f"it has {', '.join(map(str, self))}"
        raise AttributeError(f"no attribute {name!r}: this is a plain dict here: {where}", name=name, obj=self)


class Fields(Plain):
    """The fields of an object.

    Args:
        fields: Their names and values.
        of: The object's class, as `module.Name`.
    """

    __slots__ = ("of",)

    def __init__(self, fields: Mapping[str, Any], of: str) -> None:
        super().__init__(fields)
        self.of = of

    def __reduce__(self) -> tuple[Any, ...]:
        return Fields, (dict(self), self.of)


ATOMS = frozenset({str, int, bool, type(None), Plain, Fields})


def tagged(kind: str, value: Any, **more: Any) -> Plain:
    """A value in the plain form of its type."""
    return Plain(__type__=kind, value=value, **more)


def opaque(reason: str, size: int, **more: str) -> Plain:
    """What stands for a value that cannot be shown; `size` in bytes, and its `class` where it is known."""
    return Plain(__type__="opaque", reason=reason, size=size, **more)


def not_stored(reason: str) -> Plain:
    """What stands for a value that the place does not hold."""
    return Plain(__type__="not stored", reason=reason)


def in_base64(data: bytes | bytearray | memoryview) -> str:
    """Bytes as base64 text."""
    return base64.b64encode(data).decode()


class Settling:
    """How deep values may be, and how many items they had so far.

    Attributes:
        deepest: Lists and dicts in each other.
        items: Items of the lists and dicts, counted at every level.
    """

    __slots__ = ("deepest", "items")

    def __init__(self, deepest: int = DEEPEST) -> None:
        self.deepest, self.items = deepest, 0


def settle(value: Any, by: Settling | None = None) -> Any:
    """A freshly unpacked value in its plain form; lists and dicts are changed in place.

    Raises:
        ValueError: It is nested too deep.
    """
    by = by or Settling()
    return _settle(value, by.deepest, by)


def _settle(value: Any, depth: int, by: Settling) -> Any:
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind is float:
        return value if math.isfinite(value) else tagged("float", repr(value))
    if kind is bytes:
        return tagged("bytes", in_base64(value))
    if kind is tuple:
        return tagged("tuple", _settle(list(value), depth, by))
    if depth <= 0:
        raise ValueError(f"nested deeper than {by.deepest}")
    if not value:
        return value
    by.items += len(value)
    return _settle_list(value, depth - 1, by) if kind is list else _settle_dict(value, depth - 1, by)


def _settle_list(items: list[Any], depth: int, by: Settling) -> list[Any]:
    kinds = set(map(type, items))
    if not (kinds <= ATOMS or (kinds == {float} and all(map(math.isfinite, items)))):
        items[:] = [_settle(item, depth, by) for item in items]
    return items


def _settle_dict(items: dict[Any, Any], depth: int, by: Settling) -> dict[str, Any]:
    if "__type__" in items or not set(map(type, items)) <= {str}:
        return tagged("dict", [[_settle(key, depth, by), _settle(item, depth, by)] for key, item in items.items()])
    for key, item in items.items():
        if type(item) not in ATOMS:
            items[key] = _settle(item, depth, by)
    return items


def constructed(module: str, name: str, args: Sequence[Any], fields: Mapping[str, Any], method: str = "") -> Any:
    """The plain form of what a store describes as a class and its arguments; the class is only ever a name.

    Raises:
        ValueError, TypeError, IndexError, KeyError: The arguments do not fit a class that has a form of its own.
    """
    form = FORMS.get((module.removesuffix("._local"), name))
    if form:
        return form(name, args, fields)
    if fields or not args:
        return fields_of(module, name, fields)
    path = ".".join(part for part in (module, name, method) if part)
    if len(args) == 1 and not method:
        return tagged("enum", args[0], **{"class": path})
    return tagged("call", list(args), **{"class": path})


def fields_of(module: str, name: str, fields: Any) -> Any:
    """The plain form of an object with these fields; that of a message is a dict as a server sends it."""
    if module.startswith(OF_MESSAGES) or not isinstance(fields, dict) or "__type__" in fields:
        return fields
    return Fields(fields, f"{module}.{name}")


Form = Callable[[str, Sequence[Any], Mapping[str, Any]], Any]


def _text(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    return tagged(name, str(args[0]))


def _items(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    items = list(args[0]) if args else []
    if name in ("set", "frozenset"):
        items.sort(key=lambda item: orjson.dumps(item, option=orjson.OPT_SORT_KEYS))
    return tagged(name, items)


def _arguments(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    return tagged(name, list(args))


def _uuid(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    digits = str(args[0]).replace("-", "")
    return tagged(name, f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")


def _date(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    year, month, day = args
    return tagged(name, f"{year:04d}-{month:02d}-{day:02d}")


def _time(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    if args:  # as text, in the older JSON form
        return tagged(name, str(args[0]))
    clock = "{hour:02d}:{minute:02d}:{second:02d}.{microsecond:06d}".format(**fields)
    return tagged(name, clock, **{key: fields[key] for key in ("tzinfo", "fold") if fields.get(key)})


def _path(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    pure = pathlib.PureWindowsPath if "Windows" in name else pathlib.PurePosixPath
    return tagged(name, str(pure(*args)))


def _regex(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    pattern, *flags = args
    return tagged("regex", pattern, flags=flags[0] if flags else 0)


def _secret(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    return opaque(f"a secret: pydantic's {name}", len(str(args[0])), **{"class": f"pydantic.types.{name}"})


def _send(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    node, arg, *timeout = args
    return {"node": node, "arg": arg} | ({"timeout": timeout[0]} if timeout else {})


def _interrupt(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    if "id" not in fields and fields.get("ns"):  # before 0.6; later versions give it this id
        from xxhash import xxh3_128_hexdigest

        return {"id": xxh3_128_hexdigest("|".join(fields["ns"]).encode()), "value": fields["value"]}
    said = {"id": fields.get("id"), "value": fields["value"]}
    return said | ({"response_schema": fields["response_schema"]} if fields.get("response_schema") else {})


def _overwrite(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    return {OVERWRITE: fields["value"]}


def _js_bytes(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    return tagged("bytes", in_base64(bytes(args[0])))


def _js_set(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    return _items("set", args, fields)


def _js_map(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> Plain:
    return tagged("dict", [[key, value] for key, value in args[0]])


FORMS: dict[tuple[str, str], Form] = {
    ("datetime", "datetime"): _text, ("datetime", "date"): _date, ("datetime", "time"): _time,
    ("datetime", "timedelta"): _arguments, ("datetime", "timezone"): _arguments, ("zoneinfo", "ZoneInfo"): _text,
    ("decimal", "Decimal"): _text, ("uuid", "UUID"): _uuid, ("re", "compile"): _regex,
    ("builtins", "set"): _items, ("builtins", "frozenset"): _items, ("builtins", "tuple"): _items,
    ("collections", "deque"): _items,
    **{("ipaddress", f"IPv{n}{kind}"): _text for n in (4, 6) for kind in ("Address", "Interface", "Network")},
    **{("pathlib", f"{kind}Path"): _path for kind in ("", "Posix", "Windows", "Pure", "PurePosix", "PureWindows")},
    **{("pydantic.types", f"Secret{kind}"): _secret for kind in ("Str", "Bytes")},
    ("langgraph.types", "Send"): _send, ("langgraph.constants", "Send"): _send,
    ("langgraph.types", "Interrupt"): _interrupt, ("langgraph.types", "Overwrite"): _overwrite,
    ("", "Uint8Array"): _js_bytes, ("", "Set"): _js_set, ("", "Map"): _js_map, ("", "RegExp"): _regex,
}  # fmt: skip


def array(dtype: str, shape: Sequence[int], order: str, data: bytes) -> Plain:
    """The plain form of a numpy array, read without numpy."""
    size = math.prod(shape)
    code = {"b1": "?", "f2": "e", "f4": "f", "f8": "d"}.get(dtype[1:]) or {
        f"{sign}{2**n}": "bhiq"[n].upper() if sign == "u" else "bhiq"[n] for n in range(4) for sign in "iu"
    }.get(dtype[1:])
    about = {"dtype": dtype, "shape": list(shape), "order": order}
    fits = code and size <= LARGEST_ARRAY and (order == "C" or len(shape) < 2)
    if not fits or len(data) != size * int(dtype[2:]):
        return tagged("ndarray", in_base64(data), **about)
    numbers: list[Any] = settle(list(struct.unpack(f"{'>' if dtype[0] == '>' else '<'}{size}{code}", data)))
    for length in reversed(shape[1:]):
        numbers = [numbers[start : start + length] for start in range(0, len(numbers), length or 1)]
    return tagged("ndarray", numbers if shape else numbers[0], **about)
