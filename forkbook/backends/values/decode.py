"""What LangGraph's serializer wrote, as plain data; importing and calling nothing that the data names.

Messages come out as the dicts that an Agent Server sends, what JSON lacks as the forms in `plain`. A value that cannot
be read becomes a visible `{"__type__": "opaque", "reason": …, "size": …}`; the rest of its row stays readable.
"""

import json
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

import orjson
import ormsgpack

from ...model.text import cut
from ..budget import DEFAULT_BUDGET, Budget, Meter
from .cells import DAMAGES, as_bytes, kind_of
from .counting import TooMany, check_msgpack, json_items, most_items
from .plain import DEEPEST, Plain, Settling, array, constructed, fields_of, in_base64, opaque, settle, tagged

JS_VALUES = ("undefined", "delta_snapshot")  # what LangGraph.js writes for a missing value, and for a whole channel
MEMO_BYTES = 64 * 1024 * 1024  # of remembered extensions, after which a memo is dropped
DEEPEST_EXTENSION = 32  # extensions within extensions
LONG_NUMBER = re.compile(rb"[0-9]{19}")
WRITTEN_DEEP = 230  # lists and dicts in each other that JSON writers take, with some more around them
LONGEST_KIND = 60  # characters of a type that is not known

MESSAGES = {
    "HumanMessage": "human", "AIMessage": "ai", "SystemMessage": "system", "ToolMessage": "tool",
    "FunctionMessage": "function", "ChatMessage": "chat", "RemoveMessage": "remove",
    "HumanMessageChunk": "HumanMessageChunk", "AIMessageChunk": "AIMessageChunk",
    "SystemMessageChunk": "SystemMessageChunk", "ToolMessageChunk": "ToolMessageChunk",
}  # fmt: skip
MESSAGE_DEFAULTS: dict[str, dict[str, Any]] = {
    "ai": {"tool_calls": [], "invalid_tool_calls": [], "usage_metadata": None},
    "tool": {"tool_call_id": None, "artifact": None, "status": "success"},
}


class Decoder:
    """Decodes values; equal extensions (messages, dates …) become one object, so do not change it.

    The memo lives as long as the decoder: one for a thread's read shares what the read returns anyway.

    Args:
        budget: The bounds of a value.

    Attributes:
        held: Bytes of the extensions that the memo remembers.
        meter: Measures the read that values are decoded for; None: nothing does.
    """

    def __init__(self, budget: Budget = DEFAULT_BUDGET) -> None:
        self.held = 0
        self.meter: Meter | None = None
        self._most, self._settling = most_items(budget), Settling(int(budget.depth))
        self._snapshots = set[int]()
        self._depth = threading.local()
        self._extension = lru_cache(maxsize=None)(self._first_met)
        self._kinds: dict[str, Callable[[bytes], Any]] = {
            "msgpack": self._msgpack,
            "json": self._json,
            "bytes": lambda data: tagged("bytes", in_base64(data)),
            "bytearray": lambda data: tagged("bytearray", in_base64(data)),
            "null": lambda data: None,
            "pickle": lambda data: opaque("pickled: reading it would run its code", len(data)),
        }

    def decode(self, kind: Any, data: Any) -> Any:
        """A stored value as plain data; what cannot be read is one opaque value.

        Args:
            kind: What the store says it is: `msgpack`, `json`, `bytes`, `bytearray`, `null`, `pickle`, or one of
                these with `+` and a cipher's name.
            data: The stored bytes; of a damaged store anything that a cell can hold.

        Raises:
            OverBudget: The read that it is for has too many items.
        """
        if (raw := as_bytes(data)) is None:
            return opaque(f"damaged: there is {kind_of(data)} where bytes belong", 0)
        if not isinstance(kind, str | None):
            return opaque(f"damaged: its type is {kind_of(kind)}", len(raw))
        reader = self._kinds.get(str(kind))
        if reader is None and "+" in str(kind):
            return opaque(f"encrypted: {cut(str(kind), LONGEST_KIND)}", len(raw))
        if reader is None:
            return opaque(f"unknown type {None if kind is None else cut(kind, LONGEST_KIND)!r}", len(raw))
        try:
            return reader(raw)
        except DAMAGES as error:
            return self._unread(error, len(raw))
        finally:
            self._count()

    def plain_json(self, data: bytes) -> Any:
        """JSON of the place's own, which is shown as it is; what cannot be read is one opaque value.

        Raises:
            OverBudget: The read that it is for has too many items.
        """
        try:
            self._settling.items += json_items(data, self._most)
            return _checked(_loaded(data), self._settling.deepest)
        except DAMAGES as error:
            return self._unread(error, len(data))
        finally:
            self._count()

    def _unread(self, error: Exception, size: int) -> Plain:
        """What stands for a value that cannot be read; one of too many items counts as so many."""
        if not isinstance(error, TooMany):
            return _damaged(error, size)
        self._settling.items += self._most + 1
        return opaque(str(error), size)

    def _count(self) -> None:
        """Have the meter count what was unpacked since."""
        items, self._settling.items = self._settling.items, 0
        if self.meter is not None:  # it may have raised within an extension, which is told as damage
            self.meter.take(items=items)

    def is_snapshot(self, value: Any) -> bool:
        """Whether this list or dict was decoded here from a DeltaChannel's snapshot."""
        return id(value) in self._snapshots

    def _msgpack(self, data: bytes) -> Any:
        return settle(self._unpacked(data), self._settling)

    def _json(self, data: bytes) -> Any:
        self._settling.items += json_items(data, self._most)
        return from_json(data, self._settling.deepest)

    def _unpacked(self, data: bytes) -> Any:
        if len(data) > self._most:
            check_msgpack(data, self._most)
        return ormsgpack.unpackb(data, ext_hook=self._extension, option=ormsgpack.OPT_NON_STR_KEYS)

    def _first_met(self, code: int, data: bytes) -> Any:
        self.held += len(data)
        if self._settling.items > self._most:
            self._count()
        depth = getattr(self._depth, "now", 0)
        if depth >= DEEPEST_EXTENSION:
            return opaque(f"damaged: nested deeper than {DEEPEST_EXTENSION} objects", len(data))
        self._depth.now = depth + 1
        try:
            built = _checked(self._built(code, data), self._settling.deepest)
            if code == SNAPSHOT and isinstance(built, dict | list):
                self._snapshots.add(id(built))  # the memo keeps it, so that its id stays its own
            return built
        except DAMAGES as error:
            return self._unread(error, len(data))
        finally:
            self._depth.now = depth

    def _built(self, code: int, data: bytes) -> Any:
        if code != NUMPY and code not in EXTENSIONS:
            return opaque(f"unknown extension {code}", len(data))
        said = self._unpacked(data)
        return array(*said) if code == NUMPY else EXTENSIONS[code](settle(said, self._settling))


NUMPY, SNAPSHOT = 6, 7
EXTENSIONS: dict[int, Callable[[Any], Any]] = {
    0: lambda said: constructed(said[0], said[1], [said[2]], {}),
    1: lambda said: constructed(said[0], said[1], said[2], {}),
    2: lambda said: constructed(said[0], said[1], [], said[2]),
    3: lambda said: constructed(said[0], said[1], [said[2]], {}, said[3]),
    4: lambda said: fields_of(*said[:3]),
    5: lambda said: fields_of(*said[:3]),
    SNAPSHOT: lambda said: said,  # the snapshot of a DeltaChannel is its whole value
}


def from_json(data: bytes, deepest: int = DEEPEST) -> Any:
    """JSON as plain data, what LangChain wrote as constructor calls included.

    Args:
        data: The text.
        deepest: Lists and dicts in each other.

    Raises:
        ValueError, TypeError, RecursionError: It is no JSON, or nested too deep.
    """
    value = json.loads(
        data.decode("utf-8", "surrogatepass"),
        object_hook=_revived,
        parse_int=_integer,
        parse_float=lambda digits: settle(float(digits)),
        parse_constant=lambda name: tagged("float", str(float(name))),
    )
    return _checked(_encodable(value) if b"\\ud" in data.lower() or b"\xed" in data else value, deepest)


def _loaded(data: bytes) -> Any:
    """JSON whose objects stay what they are; long numbers, which `orjson` makes floats of, are kept."""
    if LONG_NUMBER.search(data) is None:
        with suppress(orjson.JSONDecodeError):  # of strings that UTF-8 cannot hold, NaN
            return orjson.loads(data)
    return from_json(data)


def json_as_it_is(data: bytes) -> Any:
    """JSON whose integers and characters may be any, as what UTF-8 and 64 bits can hold; the rest in its plain form.

    Raises:
        ValueError, TypeError, RecursionError: It is no JSON, or nested too deep.
    """
    read = json.loads(data.decode("utf-8", "surrogatepass"), parse_int=_integer, parse_constant=_no_number)
    return _encodable(read)


def _no_number(name: str) -> Any:
    raise ValueError(f"JSON has no {name}")


def _integer(digits: str) -> Any:
    return int(digits) if len(digits) < 19 else _long_integer(digits)


def _long_integer(digits: str) -> Any:
    if len(digits) <= 21 and -(2**63) <= int(digits) < 2**64:
        return int(digits)
    return tagged("int", digits)


def _encodable(value: Any) -> Any:
    """The value with every string that UTF-8 cannot hold in its plain form."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return tagged("str", json.dumps(value))
        return value
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if not isinstance(value, dict):
        return value
    pairs = [[_encodable(key), _encodable(item)] for key, item in value.items()]
    return type(value)(pairs) if all(isinstance(key, str) for key, _ in pairs) else tagged("dict", pairs)


def _revived(said: dict[str, Any]) -> Any:
    kind, path, fields = said.get("type"), said.get("id"), said.get("kwargs") or {}
    if said.get("lc") == 2 and kind in JS_VALUES:
        return said.get("value")
    if said.get("lc") not in (1, 2) or not isinstance(path, list) or not path:
        return settle(said) if "__type__" in said else said
    name = str(path[-1])
    if kind == "constructor" and said["lc"] == 2:
        method = next((str(item) for item in said.get("method") or () if item), "")
        return _plain(constructed(".".join(map(str, path[:-1])), name, said.get("args") or [], fields, method))
    if kind == "constructor" and name in MESSAGES:
        return _plain(message_of(MESSAGES[name], fields))
    if kind == "constructor":
        return fields_of(".".join(map(str, path[:-1])), name, fields)
    return opaque(f"LangChain wrote {name} as {kind}", len(str(said.get("repr") or "")))


def message_of(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A message with these fields, and with every other field of its kind as LangChain begins it."""
    common: dict[str, Any] = {
        "content": "",
        "additional_kwargs": {},
        "response_metadata": {},
        "type": kind,
        "name": None,
        "id": None,
    }
    return common | MESSAGE_DEFAULTS.get(kind.removesuffix("MessageChunk").lower(), {}) | fields


def _damaged(error: Exception, size: int) -> Plain:
    return opaque(f"damaged: {str(error) or type(error).__name__}", size)


def _checked(value: Any, deepest: int = DEEPEST) -> Any:
    """The value, if JSON writers take it, and it is about as flat as it must be."""
    written = orjson.dumps(value)
    if written.count(b"[") + written.count(b"{") > deepest:  # it may be deep
        around = value
        for _ in range(WRITTEN_DEEP - deepest):
            around = [around]
        orjson.dumps(around)
    return _plain(value)


def _plain(value: Any) -> Any:
    return Plain(value) if type(value) is dict else value


_shared = Decoder()


def decode(kind: Any, data: Any) -> Any:
    """A stored value as plain data, by a decoder that all callers share; see `Decoder.decode`."""
    global _shared
    if _shared.held > MEMO_BYTES:
        _shared = Decoder()
    return _shared.decode(kind, data)
