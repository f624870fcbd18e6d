"""What a person typed as an edit, and what became of it. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ..errors import InvalidInput
from .message_edits import (
    REMOVE_ALL,
    all_named,
    arrived,
    as_messages,
    is_removal,
    message_writes,
    same_message,
    says_what_goes,
)
from .messages import role
from .reserved import OVERWRITE
from .secrets import masked
from .states import holds_placeholder
from .text import short, shown


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

    @shown
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
        exact: Whether a list of messages was typed as the whole; else they are only to be in the state (`arrived`).
    """
    old, new = before or {}, after or {}
    found = []
    for channel, value in typed.items():
        became = new.get(channel)
        strict = exact and not says_what_goes(value)
        same = _as_typed(value, became) or (strict and _as_typed(as_messages(value), became))
        if not same and (strict or not arrived(value, old.get(channel), became)):
            found.append(Deviation(channel, value, became, _why(value, old.get(channel), became)))
    return tuple(found)


def lost_keys(typed: Mapping[str, Any], before: Any, after: Any) -> list[Deviation]:
    """The keys of a state that is one value which an edit of other keys took away."""
    old, new = before or {}, after or {}
    why = "it was not typed, and it is gone: what was typed took the place of the whole state"
    return [Deviation(key, value, None, why) for key, value in old.items() if key not in new and key not in typed]


def _as_typed(typed: Any, became: Any) -> bool:
    if isinstance(typed, dict) and set(typed) == {OVERWRITE}:
        typed = typed[OVERWRITE]
    if isinstance(typed, list) and isinstance(became, list):
        return len(typed) == len(became) and all(map(_as_typed, typed, became))
    if isinstance(typed, dict) and role(typed):
        return same_message(typed, became)
    same_kind = type(typed) is type(became) or (isinstance(typed, dict) and isinstance(became, dict))
    return same_kind and bool(typed == became)


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
    if isinstance(typed, list) and isinstance(before, list) and (before or typed) and all_named([*before, *typed]):
        tries.insert(0, message_writes(before, typed))
    return tries


def replacing_writes(typed: Any, before: Any) -> list[Any]:
    """The same for what a person typed: messages without ids, or one that is in no list, replace all others, too."""
    wanted = as_messages(typed) if isinstance(before, list) and before and all_named(before) else None
    if not wanted or any(map(is_removal, wanted)) or (isinstance(typed, list) and all_named(wanted)):
        return exact_writes(typed, before)
    return [[{"type": "remove", "id": REMOVE_ALL, "content": ""}, *wanted], wanted, {OVERWRITE: wanted}]


def _count(value: Any) -> str:
    if not isinstance(value, list):
        return "nothing" if value is None else "one value"
    return f"{len(value)} item{'' if len(value) == 1 else 's'}"
