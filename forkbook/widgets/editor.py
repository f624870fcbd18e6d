"""The edit box: a state as JSON text, and what was changed in it."""

import json
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from ..model.text import json_text, short
from ..transfer import unequal

ALL_SHOWN, CHANNEL_SHOWN = 20_000, 2_000  # characters


def editable(values: Any) -> tuple[str, list[str]]:
    """The state as JSON text to edit, and the channels that are too large to be in it."""
    text = pretty(values or {})
    if len(text) <= ALL_SHOWN:
        return text, []
    small = {name: value for name, value in (values or {}).items() if len(pretty(value)) <= CHANNEL_SHOWN}
    return pretty(small), [name for name in values if name not in small]


def changes(text: str, values: Any, schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The channels that the text gives another value than the state has.

    Args:
        text: What was typed.
        values: The state.
        schema: JSON Schema of the state; a new value that breaks it is refused, unless the old one did, too.

    Raises:
        InvalidInput: The text is no JSON object, lacks a channel that it had, or breaks the schema; says where.
    """
    try:
        typed = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"this is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}") from error
    if not isinstance(typed, dict):
        raise InvalidInput('an edit is a JSON object of channels, as in {"topic": "chickens"}')
    known = values or {}
    _, left_out = editable(known)
    if gone := [name for name in known if name not in typed and name not in left_out]:
        raise InvalidInput(
            f"channel {', '.join(gone)} was deleted from the text; a channel stays: give it another value"
        )
    changed = {name: value for name, value in typed.items() if name not in known or any(unequal(known[name], value))}
    for name, value in changed.items():
        if (broken := _broken(name, value, schema)) and not (name in known and _broken(name, known[name], schema)):
            raise InvalidInput(f"channel {name} cannot be {short(value)}: {broken}")
    return changed


def _broken(channel: str, value: Any, schema: Mapping[str, Any] | None) -> str | None:
    """What in a channel's value breaks the state's schema, in words."""
    if not schema or channel not in schema.get("properties", {}):
        return None
    import jsonschema

    own = {**schema["properties"][channel], "$defs": schema.get("$defs", {})}
    error = next(iter(jsonschema.Draft202012Validator(own).iter_errors(value)), None)
    return short(error.message, 200) if error else None


def pretty(value: Any) -> str:
    """JSON with two spaces."""
    return json_text(value, pretty=True)
