"""Messages inside a state: which values are messages, and what they say. Pure."""

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .jsontext import json_text
from .tree import Tree

Message = dict[str, Any]

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


def messages_in(values: Any) -> Iterator[tuple[Key, Message]]:
    """Every message of a state's channels with its key: ("id", id), or its channel and content where it has no id.

    The same message comes once, however many channels hold it; other messages under its id get keys of their own.
    """
    seen: dict[Key, Message] = {}
    for channel, value in values.items() if isinstance(values, dict) else ():
        for key, item in keyed(channel, value if isinstance(value, list) else [value]):
            unique, again = key, 1
            while unique in seen and not (key[0] == "id" and same(seen[unique], item)):
                again += 1
                unique = (*key, again)
            if unique not in seen:
                seen[unique] = item
                yield unique, item


def keyed(channel: str, items: Iterable[Any]) -> Iterator[tuple[Key, Message]]:
    """The messages among a channel's items with their keys."""
    for item in items:
        if isinstance(item, dict) and role(item):
            named = item.get("id")
            yield (("id", named) if isinstance(named, str) and named else (channel, canonical(item))), item


def added(old: Any, new: Any) -> list[tuple[Key, Message]] | None:
    """The messages that a state has beside those of another, where it only adds to the ends of its channels.

    None if it does anything else, or if telling would need a closer look. Sharing makes this quick: what both states
    hold is the same object.
    """
    if not isinstance(old, dict) or not isinstance(new, dict) or old.keys() - new.keys():
        return None
    found: list[tuple[Key, Message]] = []
    for channel, value in new.items():
        before = old.get(channel)
        if value is before:
            continue
        if isinstance(value, list) and (before is None or isinstance(before, list)):
            kept = len(before or ())
            if kept > len(value) or not all(map(operator.is_, before or (), value)):
                return None
            found += keyed(channel, value[kept:])
        elif isinstance(before, list | dict) or isinstance(value, dict):
            return None
    return found


def steps(tree: Tree, values: Sequence[Any]) -> Iterator[tuple[int, Held, Held, Held]]:
    """For each position what its state has that the parent's has not, what is gone or replaced, and what it holds.

    Along a line the holdings are one dict that grows, so the whole costs as much as what is new.
    """
    holdings: dict[int, Held] = {}
    for position, parent in enumerate(tree.parents):
        before: Held = {}
        if parent >= 0:
            last_child = tree.children[parent][-1] == position
            before = holdings.pop(parent) if last_child else dict(holdings[parent])
        more = added(values[parent], values[position]) if parent >= 0 else None
        fresh, gone = dict(more or ()), {}
        if more is None or len(fresh) < len(more) or not before.keys().isdisjoint(fresh):
            now = dict(messages_in(values[position]))
            fresh = {
                key: message for key, message in now.items() if key not in before or not same(before[key], message)
            }
            gone = {key: message for key, message in before.items() if key in fresh or key not in now}
            before = now
        else:
            before |= fresh
        yield position, fresh, gone, before
        if tree.children[position]:
            holdings[position] = before


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
