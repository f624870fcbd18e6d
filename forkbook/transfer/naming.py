"""The ids that messages got when a state took them up, given back to what tasks wrote. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..model.messages import role
from .match_messages import spelled


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
    if isinstance(write, list) and spelled(write, write=True) is not None and not _is_pair(write):
        return [_named_one(item, fresh) for item in write]
    return _named_one(write, fresh) if spelled(write, write=True) is not None else write


def _is_pair(write: list[Any]) -> bool:
    return not isinstance(spelled(write, write=True), list)


def _named_one(item: Any, fresh: list[dict[str, Any]]) -> Any:
    """A message with the id of the oldest new one that says the same, which is then taken."""
    if isinstance(item, dict) and item.get("id"):
        return item
    said = spelled(item, write=True)
    for place, message in enumerate(fresh):
        kept = spelled(message, write=True) or {}
        if all(kept.get(key) == value for key, value in said.items()):
            del fresh[place]
            return {**item, "id": message["id"]} if isinstance(item, dict) else message
    return item
