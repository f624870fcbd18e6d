"""Whether two values say the same, and what an Agent Server moves inside messages that are sent to it as JSON. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..model.messages import ROLES, role
from ..model.states import is_placeholder
from .equality import in_words, unequal

MOVED = ("usage_metadata", "invalid_tool_calls")
DEFAULTS: Mapping[str, Any] = {
    "usage_metadata": None,
    "invalid_tool_calls": [],
    "tool_calls": [],
    "additional_kwargs": {},
    "response_metadata": {},
    "example": False,
    "name": None,
    "artifact": None,
    "status": "success",
}
CHUNK_ONLY = ("tool_call_chunks", "chunk_position")
USAGE_MOVED = (
    "usage_metadata and invalid_tool_calls of AI messages: in additional_kwargs now, where forkbook counts them, too"
)
CHUNKS = "AIMessageChunk: the target takes no such messages, so they are AIMessages"
WRITE_FORMS = "how a write spelled its messages (without ids, as text, by role): it has the state's own messages"

Found = Iterator[tuple[str, Any, Any]]


class ValueMatcher:
    """Compares values of two threads, each pair of objects once; what differs only in form is counted.

    Attributes:
        forms: How many messages and writes say the same in another form, by what that is.
    """

    def __init__(self) -> None:
        self.forms: Counter[str] = Counter()
        self._known: dict[tuple[int, int, bool], tuple[list[tuple[str, Any, Any]], Any]] = {}

    def differences(self, a: Any, b: Any, path: str = "", *, write: bool = False) -> Found:
        """Paths and both values wherever two values do not say the same.

        Args:
            a: The original.
            b: What was written.
            path: Where they stand.
            write: Whether they are what a task wrote, so that messages may be in any form that LangGraph takes.
        """
        if a is b:
            return
        if is_placeholder(a) != is_placeholder(b):
            yield path, in_words(a), in_words(b)
        elif isinstance(a, dict) and isinstance(b, dict) and not role(a):
            for key in a.keys() | b.keys():
                inner = f"{path}.{key}" if path else str(key)
                if key in a and key in b:
                    yield from self.differences(a[key], b[key], inner, write=write)
                else:
                    yield inner, a.get(key, "nothing"), b.get(key, "nothing")
        elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
            for index, (item, other) in enumerate(zip(a, b, strict=True)):
                yield from self._item(item, other, f"{path}[{index}]", write)
        else:
            yield from self._message_or_value(a, b, path, write)

    def _item(self, a: Any, b: Any, path: str, write: bool) -> Found:
        """An item of a list; histories hold the same pair many times."""
        if not isinstance(a, dict) or a is b:
            yield from self.differences(a, b, path, write=write)
            return
        if (key := (id(a), id(b), write)) not in self._known:
            found = list(self.differences(a, b, "", write=write))
            self._known[key] = found, (a, b)  # the pair is held, so that its ids stay its own
        for inner, one, other in self._known[key][0]:
            yield f"{path}.{inner}" if inner else path, one, other

    def _message_or_value(self, a: Any, b: Any, path: str, write: bool) -> Found:
        found = list(unequal(a, b, path))
        if not found:
            return
        as_sent, as_kept = normalized(a, write), normalized(b, write)
        if as_sent is None or as_kept is None:
            yield from found
            return
        if write and isinstance(as_sent, list) != isinstance(as_kept, list):
            as_sent, as_kept = (item if isinstance(item, list) else [item] for item in (as_sent, as_kept))
        if isinstance(as_sent, list):
            if len(as_sent) != len(as_kept):
                yield from found
                return
            pairs: Sequence[tuple[Any, Any]] = list(zip(as_sent, as_kept, strict=True))
        else:
            pairs = [(as_sent, as_kept)]
        nameless = any("id" not in one for one, _ in pairs)
        left = [
            difference
            for one, other in pairs
            for difference in unequal(
                one, {k: v for k, v in other.items() if k != "id" or k in one} if write else other, path
            )
        ]
        if left:
            yield from left
        elif write:
            self.forms[WRITE_FORMS] += nameless or type(a) is not type(b) or (isinstance(a, dict) and "role" in a)
        elif a.get("type") == "AIMessageChunk":
            self.forms[CHUNKS] += 1
        elif any(as_sent.get(key) for key in MOVED):
            self.forms[USAGE_MOVED] += 1


def normalized(value: Any, write: bool = False) -> Any:
    """A message in one form, whatever form it came in; None if this is none.

    Args:
        value: A message; in a write also text, a pair of role and text, or a list of any of these.
        write: Whether it is a write.
    """
    if isinstance(value, dict) and role(value):
        return _plain(value, write)
    if not write:
        return None
    if isinstance(value, str):
        return {"type": "human", "content": value}
    if isinstance(value, list) and len(value) == 2 and _is_text(value) and value[0] in ROLES:
        return {"type": ROLES[value[0]], "content": value[1]}
    if isinstance(value, list) and value:
        inner = [normalized(item, write) for item in value]
        return None if any(item is None or isinstance(item, list) for item in inner) else inner
    return None


def _is_text(items: list[Any]) -> bool:
    return all(isinstance(item, str) for item in items)


def _plain(message: Mapping[str, Any], write: bool) -> dict[str, Any]:
    """A message less what is its default; in a write its kind is its role, in a state it is what it is."""
    result = {key: value for key, value in message.items() if key not in CHUNK_ONLY}
    if write:
        result["type"] = role(message)
        result.pop("role", None)
    elif message.get("type") == "AIMessageChunk":
        result["type"] = "ai"
    extra = dict(result.get("additional_kwargs") or {})
    for key in MOVED:
        if not result.get(key) or extra.get(key) in (None, [], result[key]):
            moved = extra.pop(key, None)
            result[key] = result.get(key) or moved
    result["additional_kwargs"] = extra
    result["invalid_tool_calls"] = result["invalid_tool_calls"] or []
    kept = {key: value for key, value in result.items() if key not in DEFAULTS or value != DEFAULTS[key]}
    return {key: value for key, value in kept.items() if key != "id" or value is not None}


def sendable(value: Any) -> Any:
    """A value with its messages as a server keeps them best: without the defaults that it would move."""
    if isinstance(value, list):
        return [sendable(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not role(value):
        return {key: sendable(item) for key, item in value.items()}
    kept = {key: item for key, item in value.items() if key not in MOVED or item}
    if kept.get("type") in ("AIMessageChunk",):
        kept = {key: item for key, item in kept.items() if key not in CHUNK_ONLY} | {"type": "ai"}
    return {key: item for key, item in kept.items() if not (key == "example" and item is False)}


def with_ids(results: Sequence[Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Any]:
    """What tasks wrote, their messages with the ids that the state gave them."""
    fresh = {channel: _fresh(before.get(channel), value) for channel, value in after.items()}
    return [
        result and {channel: _named(write, fresh.get(channel) or []) for channel, write in result.items()}
        for result in results
    ]


def _fresh(before: Any, after: Any) -> list[dict[str, Any]]:
    """The messages of a channel that are new."""
    old = {item.get("id") for item in before if isinstance(item, dict)} if isinstance(before, list) else set()
    messages = [item for item in after if isinstance(item, dict) and role(item)] if isinstance(after, list) else []
    return [item for item in messages if item.get("id") and item["id"] not in old]


def _named(write: Any, fresh: list[dict[str, Any]]) -> Any:
    if isinstance(write, list) and normalized(write, write=True) is not None and not _is_pair(write):
        return [_named_one(item, fresh) for item in write]
    return _named_one(write, fresh) if normalized(write, write=True) is not None else write


def _is_pair(write: list[Any]) -> bool:
    return not isinstance(normalized(write, write=True), list)


def _named_one(item: Any, fresh: list[dict[str, Any]]) -> Any:
    """A message with the id of the oldest new one that says the same, which is then taken."""
    if isinstance(item, dict) and item.get("id"):
        return item
    said = normalized(item, write=True)
    for place, message in enumerate(fresh):
        kept = normalized(message, write=True) or {}
        if all(kept.get(key) == value for key, value in said.items()):
            del fresh[place]
            return {**item, "id": message["id"]} if isinstance(item, dict) else message
    return item
