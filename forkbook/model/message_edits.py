"""Messages that a person typed as an edit, in any form that LangGraph's `add_messages` takes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import InvalidInput
from .messages import ROLES, Message, role, tool_calls

REMOVE_ALL = "__remove_all__"
MOVED = {"additional_kwargs", "response_metadata", "usage_metadata", "invalid_tool_calls"}  # by sending a message


def is_removal(value: Any) -> bool:
    """Whether this asks to remove a message."""
    return isinstance(value, Mapping) and "remove" in (value.get("type"), value.get("role")) and "id" in value


def says_what_goes(value: Any) -> bool:
    """Whether a channel's edit removes messages alone, or all of them first: it does not list what is to stay."""
    items = value if isinstance(value, list) else [value]
    removals = [item for item in items if is_removal(item)]
    return bool(removals) and (len(removals) == len(items) or any(item["id"] == REMOVE_ALL for item in removals))


def completed(value: Any, before: Any, known: bool = False) -> Any:
    """A channel's edit in a form that every place takes: removals have a content, a pair (role, text) is a message.

    Args:
        value: What was typed.
        before: The channel's value.
        known: Whether it is known to hold messages; else its value decides, or, where it is empty, what was typed.

    Raises:
        InvalidInput: A removal names no message.
    """
    items = value if isinstance(value, list) else [value]
    if not (known or _any_message(before or items)):
        return value
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return _whole(value)


def _any_message(items: Any) -> bool:
    return isinstance(items, list | tuple) and any(
        (role(item) if isinstance(item, Mapping) else hasattr(item, "content")) for item in items
    )


def _whole(item: Any) -> Any:
    if isinstance(item, Mapping) and item.get("type") == "remove" and not item.get("id"):
        raise InvalidInput(
            "a message to remove is named by its id, as in {'type': 'remove', 'id': …}; cp.values has the ids"
        )
    if is_removal(item) and "content" not in item:
        return {**item, "content": ""}
    if isinstance(item, tuple) and len(item) == 2 and item[0] in ROLES:
        return {"role": item[0], "content": item[1]}
    return item


def as_messages(typed: Any) -> list[Message] | None:
    """What was typed as a list of messages and removals; None if something in it is neither."""
    items = typed if isinstance(typed, list) else [typed]
    found = [_as_message(item) for item in items]
    return None if None in found else [item for item in found if item is not None]


def _as_message(item: Any) -> Message | None:
    if isinstance(item, str):
        return {"role": "user", "content": item}
    if isinstance(item, Mapping) and item.get("__type__") == "tuple":
        item = item["value"]
    if isinstance(item, list):
        known = len(item) == 2 and isinstance(item[0], str) and item[0] in ROLES
        return {"role": item[0], "content": item[1]} if known else None
    return dict(item) if isinstance(item, Mapping) and (role(item) or is_removal(item)) else None


def same_message(typed: Any, became: Any) -> bool:
    """Whether a message says what was typed; what was not typed may be anything."""
    if not isinstance(became, dict) or role(typed) is None or role(typed) != role(became):
        return False
    keys = typed.keys() - {"type", "role", *MOVED}
    return all(_same_part(key, typed[key], became.get(key)) for key in keys)


def _same_part(key: str, typed: Any, became: Any) -> bool:
    if key == "id" and typed is None:
        return True
    if key == "content" and typed is None:
        return bool(became == "")
    if key == "tool_calls" and isinstance(typed, list):
        return _same_calls(typed, tool_calls({"tool_calls": became}))
    return bool(typed == became)


def _same_calls(typed: list[Any], became: list[dict[str, Any]]) -> bool:
    """Whether calls say what was typed; of those in OpenAI's form, whose arguments are text, the ids decide."""
    if len(typed) != len(became) or not all(isinstance(call, Mapping) for call in typed):
        return False
    if any("function" in call for call in typed):
        return [call.get("id") for call in typed] == [call.get("id") for call in became]
    return all({**there, **call} == there for call, there in zip(typed, became, strict=True))


def arrived(typed: Any, before: Any, became: Any) -> bool:
    """Whether a reducer of messages did what was typed: each is there once, those to remove are not, the others stay.

    One with an id is there under it. One that is just as before, but for the last one, shows that the whole was typed,
    to leave others out.
    """
    wanted, was = as_messages(typed), before if isinstance(before, list) else []
    if wanted is None or not isinstance(became, list) or not all(isinstance(m, dict) and role(m) for m in became):
        return False
    cleared = [n for n, item in enumerate(wanted) if is_removal(item) and item["id"] == REMOVE_ALL]
    if cleared:
        wanted, was = wanted[cleared[-1] + 1 :], []
    removed = {item["id"] for item in wanted if is_removal(item)}
    said = [item for item in wanted if not is_removal(item)]
    named, others = [m for m in said if m.get("id")], [m for m in said if not m.get("id")]
    if any(_under(was[:-1], item["id"], item) for item in named):
        return False
    there = all(len(at := _all_under(became, item["id"])) == 1 and same_message(item, at[0]) for item in named)
    known = {m.get("id") for m in was if isinstance(m, dict)} | {m["id"] for m in named}
    gone = {m.get("id") for m in was if isinstance(m, dict)} - {m.get("id") for m in became} - removed
    return (
        there
        and not gone
        and not any(_all_under(became, id_) for id_ in removed)
        and _in_order(others, [m for m in became if m.get("id") is None or m["id"] not in known])
        and (not cleared or len(became) == len(said))
    )


def _under(items: Iterable[Any], id_: str, message: Message) -> bool:
    return any(same_message(message, found) for found in _all_under(items, id_))


def _all_under(items: Iterable[Any], id_: str) -> list[Message]:
    return [item for item in items if isinstance(item, dict) and item.get("id") == id_]


def _in_order(typed: Sequence[Message], fresh: Iterable[Message]) -> bool:
    """Whether all of these are among the fresh ones, in this order."""
    left = iter(fresh)
    return all(any(same_message(item, found) for found in left) for item in typed)


def message_writes(before: Sequence[Any], wanted: Sequence[Any]) -> list[Any]:
    """Writes through `add_messages` after which a channel holds just the wanted messages, in this order.

    Only where the order changed is everything sent anew.
    """
    old = {item["id"]: item for item in before}
    known = [item["id"] in old for item in wanted]
    kept = [item["id"] for item in wanted if item["id"] in old]
    if kept != [id_ for id_ in old if id_ in set(kept)] or known != sorted(known, reverse=True):
        return [{"type": "remove", "id": REMOVE_ALL, "content": ""}, *wanted]
    removed = [{"type": "remove", "id": id_, "content": ""} for id_ in old if id_ not in set(kept)]
    return removed + [item for item in wanted if item["id"] not in old or old[item["id"]] != item]


def all_named(items: Sequence[Any]) -> bool:
    """Whether these are messages that all have ids; none at all are, too."""
    return all(isinstance(item, dict) and role(item) and isinstance(item.get("id"), str) for item in items)
