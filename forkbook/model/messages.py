"""Messages inside a state: which values are messages, and what they say. Pure."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from .reserved import ROOT
from .states import DEEPEST, hides_messages, is_placeholder
from .text import json_text

Message = dict[str, Any]
HIDDEN = "hidden"  # the first part of the keys of placeholders

ROLES = {
    "human": "human", "user": "human", "HumanMessageChunk": "human",
    "ai": "ai", "assistant": "ai", "AIMessageChunk": "ai",
    "system": "system", "developer": "system", "SystemMessageChunk": "system",
    "tool": "tool", "function": "tool", "ToolMessageChunk": "tool", "FunctionMessageChunk": "tool",
    "chat": "chat", "ChatMessageChunk": "chat",
}  # fmt: skip


def role(message: Mapping[str, Any]) -> str | None:
    """`human`, `ai`, `system`, `tool` or `chat`; None if this is no message."""
    if "content" not in message:
        return None
    kind = message.get("type") if isinstance(message.get("type"), str) else message.get("role")
    return ROLES.get(kind) if isinstance(kind, str) else None


Key = tuple[Any, ...]
Held = dict[Key, Message]


class Finder:
    """Finds the messages in values, however deep they are, and the placeholders of what may hold some.

    It remembers lists and dicts in which there is nothing to find, so do not change them while it is in use.
    """

    def __init__(self) -> None:
        self._empty: dict[int, Any] = {}  # by identity; the value itself stays, or its identity would go to another

    def find(self, channel: str, value: Any, depth: int = DEEPEST) -> Iterator[tuple[Key, Message]]:
        """Messages with their keys, `("id", id)` or the channel and the content, and placeholders under `HIDDEN`."""
        if isinstance(value, dict):
            if role(value):
                yield key_of(channel, value), value
                return
            if is_placeholder(value):
                if hides_messages(value):
                    yield (HIDDEN, channel), value
                return
        elif not isinstance(value, list):
            return
        if id(value) in self._empty:
            return
        if not depth:
            yield (HIDDEN, channel), {"__type__": "not stored", "reason": f"nested deeper than {DEEPEST}"}
            return
        found = False
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, dict | list):
                for each in self.find(channel, item, depth - 1):
                    found = True
                    yield each
        if not found:
            self._empty[id(value)] = value

    def in_state(self, values: Any) -> Iterator[tuple[Key, Message]]:
        """The same in all channels of a state; a message that several hold comes several times."""
        for channel, value in channels(values).items():
            yield from self.find(channel, value)


def channels(values: Any) -> dict[str, Any]:
    """A state's values by channel; a graph with one channel has a bare value, which may be a list or a message."""
    if isinstance(values, dict):
        if "__type__" not in values and "additional_kwargs" not in values:  # nearly always, and quick to tell
            return values
        bare = is_placeholder(values) or (role(values) and "additional_kwargs" in values)
        return {ROOT: values} if bare else values
    return {} if values is None else {ROOT: values}


def key_of(channel: str, message: Message) -> Key:
    """`("id", id)`, or the channel and the content where a message has no id."""
    named = message.get("id")
    return ("id", named) if isinstance(named, str) and named else (channel, canonical(message))


def distinct(found: Iterable[tuple[Key, Message]]) -> Iterator[tuple[Key, Message]]:
    """Each message once, however many channels hold it; other messages under its id get keys of their own."""
    seen: dict[Key, Message] = {}
    for key, item in found:
        unique = _version(key, item, seen) if key[0] == "id" else unused(key, seen)
        if unique not in seen:
            seen[unique] = item
            yield unique, item


def _version(key: Key, item: Message, seen: Held) -> Key:
    """The key of this version of a message among those that are held under one id."""
    unique, again = key, 1
    while unique in seen and not same(seen[unique], item):
        again += 1
        unique = (*key, again)
    return unique


def unused(key: Key, held: Container[Key]) -> Key:
    """The first of `key`, `(*key, 2)`, `(*key, 3)` … that is not held, where those before it are."""
    if key not in held:
        return key
    high = 2
    while (*key, high) in held:
        high *= 2
    low = high // 2  # the last one that is known to be held
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if (*key, middle) in held else (low, middle)
    return (*key, high)


def messages_in(values: Any) -> Iterator[tuple[Key, Message]]:
    """Every message of a state's channels with its key: ("id", id), or its channel and content where it has no id.

    The same message comes once, however many channels hold it; other messages under its id get keys of their own.
    What is not known (see `model.states`) is left out.
    """
    return distinct(each for each in Finder().in_state(values) if each[0][0] != HIDDEN)


def text(message: Mapping[str, Any]) -> str:
    """What a message says: its content, of content blocks those that are text."""
    content = message["content"]
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else [content]
    return "\n".join(
        block if isinstance(block, str) else block["text"]
        for block in blocks
        if isinstance(block, str) or (isinstance(block, dict) and isinstance(block.get("text"), str))
    )


def tool_calls(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A message's tool calls, each with `name`, `args` and `id`."""
    calls = message.get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def same(a: Message, b: Message) -> bool:
    """Whether two messages are the same version."""
    return a is b or canonical(a) == canonical(b)


def canonical(value: Any) -> bytes:
    """JSON bytes that are equal just where the values are, keys in any order."""
    return json_text(value, ordered=True).encode()
