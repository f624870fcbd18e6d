"""LangGraph's rule for a list of messages, on the plain dicts that a store's reader gives. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...model.message_edits import REMOVE_ALL
from ..values.decode import MESSAGES, message_of
from ..values.plain import Plain

KINDS = frozenset(MESSAGES.values())
ROLES = {
    "human": "human", "user": "human", "ai": "ai", "assistant": "ai", "system": "system", "developer": "system",
    "function": "function", "tool": "tool", "remove": "remove",
}  # fmt: skip
OF_EVERY_MESSAGE = ("content", "additional_kwargs", "response_metadata")
ARGUMENTS = frozenset({"name", "id", "tool_call_id", "tool_calls", "response_metadata", "additional_kwargs"})


class Unsuited(ValueError):
    """A rule cannot be applied to a value; the text says why."""


def is_message(item: Any) -> bool:
    """Whether this was a message object when it was stored."""
    return isinstance(item, Plain) and item.get("type") in KINDS and all(name in item for name in OF_EVERY_MESSAGE)


class MessageRule:
    """Messages are replaced by id, removed by `RemoveMessage`, else appended: LangGraph's `_messages_delta_reducer`.

    Attributes:
        words: What a user reads of it.
    """

    words = "LangGraph's message rule"

    def __init__(self) -> None:
        self._latest: tuple[Any, dict[str, int]] = (None, {})  # a result, and the places of its ids

    def start(self) -> list[Any]:
        """The value of a channel to which nothing was written."""
        return []

    def doubt(self, value: Any, writes: Sequence[Any]) -> str | None:
        """Why this rule may be wrong for these writes; it never is, once a channel is known to hold messages."""
        return None

    def fold(self, value: Any, writes: Sequence[Any]) -> list[Any]:
        """The value after these writes; messages stay the objects that they are.

        Raises:
            Unsuited: Something is no message, nor what LangGraph makes one of.
        """
        if not isinstance(value, list):
            raise Unsuited("a value of this channel is no list of messages")
        items = [item for write in writes for item in (write if isinstance(write, list) else [write])]
        fresh = [as_message(item) for item in items]
        before = value if not value or is_message(value[0]) else [as_message(item) for item in value]
        reset = max((n for n, item in enumerate(fresh) if removes_all(item)), default=-1)
        return self._merged([] if reset >= 0 else before, fresh[reset + 1 :])

    def _merged(self, before: list[Any], fresh: Sequence[Any]) -> list[Any]:
        known, places = self._latest
        if known is not before:
            if not all(map(is_message, before)):
                raise Unsuited("a value of this channel holds more than messages")
            places = {item["id"]: n for n, item in enumerate(before) if item["id"] is not None}
        self._latest = (None, {})  # `places` is changed from here on
        result: list[Any] = list(before)
        removed = False
        for item in fresh:
            id_ = item["id"]
            if item["type"] == "remove" and id_ is not None:
                if (place := places.pop(id_, None)) is not None:
                    result[place] = None
                    removed = True
            elif id_ in places:
                result[places[id_]] = item
            else:
                if id_ is not None:
                    places[id_] = len(result)
                result.append(item)
        if removed:
            return [item for item in result if item is not None]
        self._latest = result, places
        return result


def removes_all(item: Mapping[str, Any]) -> bool:
    """Whether this message empties the list before it."""
    return bool(item["type"] == "remove" and item["id"] == REMOVE_ALL)


def as_message(item: Any) -> Any:
    """The message that LangChain makes of what a node wrote: itself, or one of a text, a pair or a dict.

    Raises:
        Unsuited: LangChain makes none of it, or it cannot be known here which one.
    """
    if is_message(item):
        return item
    if isinstance(item, str):
        return _made("human", item)
    if isinstance(item, dict) and item.get("__type__") == "tuple":
        item = item["value"]
    if isinstance(item, list) and len(item) == 2:
        return _made(*item)
    if isinstance(item, dict) and "content" in item and ("role" in item or "type" in item):
        fields = dict(item)
        kind = fields.pop("role") if "role" in fields else fields.pop("type")
        return _made(kind, fields.pop("content") or "", **fields)
    raise Unsuited(f"a write holds {_named(item)}, which is no message")


def _made(kind: Any, content: Any, **fields: Any) -> Plain:
    if kind not in ROLES:
        raise Unsuited(f"a write holds a message of the kind {kind!r}, which LangChain does not know")
    extra = {name: fields.pop(name) for name in list(fields) if name not in ARGUMENTS}
    extra |= fields.pop("additional_kwargs", None) or {}
    known = {name: item for name, item in fields.items() if item is not None}
    if "tool_calls" in known:
        known["tool_calls"] = [_tool_call(call) for call in known["tool_calls"]]
    if kind == "tool":
        known |= {name: extra.pop(name) for name in ("artifact", "status") if name in extra}
    if kind == "developer":
        extra["__openai_role__"] = "developer"
    if extra.get("tool_calls") or extra.get("function_call"):
        raise Unsuited("a write holds a message with tool calls in a provider's own form")
    return Plain(message_of(ROLES[kind], {"content": content, "additional_kwargs": extra} | known))


def _tool_call(call: Any) -> dict[str, Any]:
    if not isinstance(call, Mapping):
        raise Unsuited(f"a write holds a message with {_named(call)} for a tool call")
    function = call.get("function")
    if not isinstance(function, Mapping):
        return {**call, "type": "tool_call"}
    args = function.get("arguments")
    try:
        said = json.loads(args, strict=False) if isinstance(args, str) else args
    except ValueError as error:
        raise Unsuited(f"a write holds a tool call whose arguments are no JSON ({error})") from error
    return {"name": function.get("name"), "args": said, "id": call.get("id"), "type": "tool_call"}


def _named(item: Any) -> str:
    kind = item.get("__type__") if isinstance(item, dict) else None
    return f"a value that is {kind}" if kind else f"a {type(item).__name__}"
