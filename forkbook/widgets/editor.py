"""The edit box: a state as JSON text, and what was changed in it."""

from typing import Any

import orjson

from ..errors import InvalidInput
from ..transfer import unequal

ALL_SHOWN, CHANNEL_SHOWN = 20_000, 2_000  # characters


def editable(values: Any) -> tuple[str, list[str]]:
    """The state as JSON text to edit, and the channels that are too large to be in it."""
    text = pretty(values or {})
    if len(text) <= ALL_SHOWN:
        return text, []
    small = {name: value for name, value in (values or {}).items() if len(pretty(value)) <= CHANNEL_SHOWN}
    return pretty(small), [name for name in values if name not in small]


def changes(text: str, values: Any) -> dict[str, Any]:
    """The channels that the text gives another value than the state has.

    Raises:
        InvalidInput: The text is no JSON object; says where it stops being one.
    """
    try:
        typed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"this is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}") from error
    if not isinstance(typed, dict):
        raise InvalidInput('an edit is a JSON object of channels, as in {"topic": "chickens"}')
    known = values or {}
    return {name: value for name, value in typed.items() if name not in known or any(unequal(known[name], value))}


def pretty(value: Any) -> str:
    """JSON with two spaces."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=repr).decode()
