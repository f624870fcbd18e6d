"""Values as literals of each language: read back they are the value, and every character shows. Pure."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..model.secrets import MaskedDict, Shown
from .hidden import Variable
from .layout import Group, Node, flat

IMPORTS = {
    "datetime": "import datetime",
    "uuid": "from uuid import {}",
    "decimal": "from decimal import {}",
    "pathlib": "from pathlib import {}",
    "collections": "from collections import {}",
}
BEGIN, END = "\ue000", "\ue001"  # around a shell variable's name: a literal has these two as codes
MOST_EXACT = 2**53  # up to here JavaScript has every integer


def python_literal(value: Any, imports: set[str] | None = None) -> Node:
    """A value in Python.

    Args:
        value: JSON. With `imports` any value: one of a class is the call that makes it, or, failing that, its repr.
        imports: Takes the lines that it needs.
    """
    if isinstance(value, Variable):
        if imports is not None:
            imports.add("import os")
        return f'os.environ["{value.name}"]'
    if type(value) is str:
        text = repr(value)
        return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in value else text
    if type(value) in (dict, MaskedDict):
        labels = (f"{flat(python_literal(key, imports))}: " for key in value)
        items = (python_literal(item, imports) for item in value.values())
        return Group("{", tuple(zip(labels, items, strict=True)), "}")
    if type(value) in (list, tuple):
        opening, closing, alone = ("[", "]", "") if type(value) is list else ("(", ")", "," * (len(value) == 1))
        parts = tuple(("", python_literal(item, imports)) for item in value)
        return Group(opening, parts, alone + closing, last="" if alone else ",")
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value) if imports is None else _of_class(value, imports)


def _of_class(value: Any, imports: set[str]) -> Node:
    kind: type = type(value)
    field_of: Callable[[str], Any] = partial(getattr, value)
    if isinstance(value, Shown):
        kind, field_of = type(value.original), value.field
    module = kind.__module__.removesuffix("._local")  # Python 3.13 has its paths in pathlib._local
    if module in IMPORTS:
        imports.add(IMPORTS[module].format(kind.__name__))
        return repr(value)
    if isinstance(value, enum.Enum):
        name = f"{kind.__name__}.{value.name}"
    elif dataclasses.is_dataclass(kind):
        given = {field.name: field_of(field.name) for field in dataclasses.fields(kind) if field.init}
    elif hasattr(kind, "model_fields"):
        fields = {name: field.get_default(call_default_factory=True) for name, field in kind.model_fields.items()}
        given = {name: item for name in fields if (item := field_of(name)) != fields[name]}
    else:
        return repr(value)
    imports.add(f"from {module} import {kind.__name__}")
    if isinstance(value, enum.Enum):
        return name
    return Group(f"{kind.__name__}(", tuple((f"{n}=", python_literal(v, imports)) for n, v in given.items()), ")")


def json_literal(value: Any) -> Node:
    """A JSON value as JSON; in the place of secrets names of shell variables, marked."""
    return _json(value, _text, marked)


def marked(name: str) -> str:
    """A JSON text that is to be the value of a shell variable."""
    return f'"{BEGIN}{name}{END}"'


def javascript_literal(value: Any) -> Node:
    """A JSON value in JavaScript: JSON, but for `__proto__`. Integers beyond 2**53 are cut there (`inexact`)."""
    return _json(value, _javascript_key, "process.env.{}".format, " ")


def _javascript_key(key: str) -> str:
    return f"[{_text(key)}]" if key == "__proto__" else _text(key)


def _json(value: Any, key_text: Callable[[str], str], variable: Callable[[str], str], pad: str = "") -> Node:
    if isinstance(value, Mapping):
        items = tuple((f"{key_text(str(key))}: ", _json(item, key_text, variable, pad)) for key, item in value.items())
        return Group("{", items, "}", pad, "", 2)
    if isinstance(value, list | tuple):
        return Group("[", tuple(("", _json(item, key_text, variable, pad)) for item in value), "]", "", "", 2)
    return variable(value.name) if isinstance(value, Variable) else _text(value)


def _text(value: Any) -> str:
    """JSON of what is no container, with characters that have no shape as their codes."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


def inexact(value: Any) -> list[int]:
    """The integers in a JSON value that JavaScript has no room for."""
    if isinstance(value, Mapping | list | tuple):
        inside = value.values() if isinstance(value, Mapping) else value
        return [found for item in inside for found in inexact(item)]
    return [value] if isinstance(value, int) and abs(value) > MOST_EXACT else []
