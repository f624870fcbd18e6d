"""What a person typed as an edit, and what became of it. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from .errors import InvalidInput
from .escape import short
from .messages import role
from .model.secrets import masked
from .model.states import holds_placeholder

OVERWRITE = "__overwrite__"
REMOVE_ALL = "__remove_all__"


@dataclass(frozen=True, slots=True)
class Deviation:
    """A channel whose new value is not what was typed, because its reducer had a say.

    Attributes:
        channel: The channel.
        typed: The value that was typed.
        became: The channel's value now.
        why: In words, with what to do about it.
    """

    channel: str
    typed: Any
    became: Any
    why: str

    def __str__(self) -> str:
        return f"{self.channel}: {self.why}"


def plain(values: Any) -> dict[str, Any]:
    """An edit as the JSON that a server will see.

    Raises:
        InvalidInput: It is no mapping of channels, or holds something that JSON has no word for.
    """
    if not isinstance(values, Mapping):
        raise InvalidInput(f"an edit maps channels to values, as in {{'topic': 'chickens'}}; this is {short(values)}")

    def convert(value: Any) -> Any:
        if hasattr(value, "model_dump"):
            return value.model_dump()
        raise TypeError(f"{type(value).__name__} {masked(value)!r} has no form in JSON")

    try:
        result = orjson.loads(orjson.dumps(dict(values), default=convert))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"this edit cannot be sent as JSON: {error.__cause__ or error}") from error
    for channel, value in result.items():
        if holds_placeholder(value):
            raise InvalidInput(
                f"channel {short(channel)} holds a placeholder of a value that is not known, which is no value to be "
                "written: leave the channel out of the edit"
            )
    if (lost := _not_finite(values)) is not None:
        raise InvalidInput(f"this edit cannot be sent as JSON: {lost} would become null")
    return dict(result)


def _not_finite(value: Any) -> float | None:
    if isinstance(value, float):
        return None if math.isfinite(value) else value
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return next((found for item in inside if (found := _not_finite(item)) is not None), None)


def deviations(typed: Mapping[str, Any], before: Any, after: Any, exact: bool = False) -> tuple[Deviation, ...]:
    """The channels that are not what was typed.

    Args:
        typed: Channels to values.
        before: The state's values before the edit.
        after: Those after it.
        exact: Whether a list of messages was typed as the whole; else they are only to be in the state, each under its
            id and once. One that is just as before, but for the last one, tells that the whole was typed all the same:
            to leave others out.
    """
    old, new = before or {}, after or {}
    found = []
    for channel, value in typed.items():
        became = new.get(channel)
        if not _as_typed(value, became) and (exact or not _all_there(value, old.get(channel), became)):
            found.append(Deviation(channel, value, became, _why(value, old.get(channel), became)))
    return tuple(found)


def _as_typed(typed: Any, became: Any) -> bool:
    if isinstance(typed, dict) and set(typed) == {OVERWRITE}:
        typed = typed[OVERWRITE]
    if _is_removal(typed):
        return not any(_has_id(item, typed["id"]) for item in became or ())
    if isinstance(typed, list) and typed and all(_is_removal(item) for item in typed):
        return all(_as_typed(item, became) for item in typed)
    if isinstance(typed, list) and isinstance(became, list):
        return len(typed) == len(became) and all(map(_as_typed, typed, became))
    if isinstance(typed, dict) and role(typed) and isinstance(became, dict):
        same_kind = role(typed) == role(became)
        return same_kind and all(became.get(key) == typed[key] for key in typed.keys() - {"type", "role", *_MOVED})
    return type(typed) is type(became) and bool(typed == became)


def _all_there(typed: Any, before: Any, became: Any) -> bool:
    """Whether new and changed messages, by their ids, are in the state as typed, and those to remove are not."""
    if not isinstance(typed, list) or not isinstance(became, list):
        return False
    was = before if isinstance(before, list) else []
    wanted = [item for item in typed if not _is_removal(item)]
    if not _all_named(wanted):
        return False
    if any(_has_id(old, item["id"]) and _as_typed(item, old) for item in wanted for old in was[:-1]):
        return False
    same_id = {item["id"]: [new for new in became if _has_id(new, item["id"])] for item in typed}
    return all(_as_typed([item], same_id[item["id"]]) for item in wanted) and not any(
        same_id[item["id"]] for item in typed if _is_removal(item)
    )


def _has_id(item: Any, id_: str) -> bool:
    return isinstance(item, dict) and item.get("id") == id_


_MOVED = {"additional_kwargs", "response_metadata", "usage_metadata", "invalid_tool_calls"}


def _is_removal(value: Any) -> bool:
    return isinstance(value, dict) and (value.get("type") == "remove" or value.get("role") == "remove")


def _why(typed: Any, before: Any, became: Any) -> str:
    replace = f"to replace the value, use replace=True or {{'{OVERWRITE}': …}}"
    if isinstance(typed, list) and isinstance(became, list):
        return (
            f"you typed {_count(typed)}, the state has {_count(became)} now ({_count(before)} before): this channel's "
            f"reducer merges; {replace}"
        )
    if isinstance(became, dict) and set(became) == {OVERWRITE}:
        return f"this channel has no reducer, so {{'{OVERWRITE}': …}} was stored as it is; type the plain value"
    if became is None:
        return "the value was dropped"
    return f"the state has {short(became)} now, where you typed {short(typed)}; {replace}"


def exact_writes(typed: Any, before: Any) -> list[Any]:
    """Writes to try, in this order, until a channel is exactly what was typed; which works depends on its reducer.

    For messages through `add_messages` first: changed and new ones are sent and missing ones removed, so that those
    which did not change keep their reported usage. Then the plain value, for a channel without a reducer; then
    replacing it.
    """
    tries = [typed, {OVERWRITE: typed}]
    if isinstance(typed, list) and isinstance(before, list) and _all_named([*before, *typed]):
        tries.insert(0, message_writes(before, typed))
    return tries


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


def _all_named(items: Sequence[Any]) -> bool:
    """Whether these are messages that all have ids."""
    named = (isinstance(item, dict) and role(item) and isinstance(item.get("id"), str) for item in items)
    return bool(items) and all(named)


def _count(value: Any) -> str:
    if not isinstance(value, list):
        return "nothing" if value is None else "one value"
    return f"{len(value)} item{'' if len(value) == 1 else 's'}"
