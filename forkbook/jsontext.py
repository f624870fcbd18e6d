"""JSON text of any value, whatever is in it: integers of any length, lone surrogates, keys that are no text. Pure."""

import json
from typing import Any

import orjson


def json_text(value: Any, *, pretty: bool = False, ordered: bool = False) -> str:
    """A value as JSON; what JSON has no word for as its repr.

    Args:
        value: Any value.
        pretty: Indent by two spaces.
        ordered: Keys in alphabetical order, so that equal values have equal texts.
    """
    option = orjson.OPT_NON_STR_KEYS
    option |= (orjson.OPT_INDENT_2 if pretty else 0) | (orjson.OPT_SORT_KEYS if ordered else 0)
    try:
        return orjson.dumps(value, option=option, default=repr).decode()
    except TypeError:  # what orjson refuses is rare, and the standard library's is far slower
        separators = None if pretty else (",", ":")
        plain = _with_text_keys(value)
        return json.dumps(plain, default=repr, indent=2 * pretty or None, sort_keys=ordered, separators=separators)


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key if isinstance(key, str) else repr(key): _with_text_keys(item) for key, item in value.items()}
    return [_with_text_keys(item) for item in value] if isinstance(value, list | tuple) else value
