"""Secrets: which texts are one by their name, and how values show without them. Pure.

A text in a run's `configurable` or context, or in metadata, is a secret where its name, or the name of what it is
nested in, ends in `key`, `token`, `secret`, `password` (`passwd`, `pwd`, `passphrase`, `passcode`), `auth`,
`authorization`, `bearer`, `cookie` or `credentials`, in any spelling; the plurals count, too, English words that happen
to end so (`monkey`) do not. Bytes count as text. Numbers are no secrets, nor are texts of digits under a plural
(`max_tokens`).
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from numbers import Number
from typing import Any

from .states import is_placeholder
from .text import shown

MASK = "***"
NO_KEYS = "".join(rf"(?<!^{start})(?<![\W\d_]{start})" for start in ("mon", "tur", "don", "hoc", "joc", "whis"))
SECRET_NAME = re.compile(
    rf"(?:{NO_KEYS}key|token|secret|password|passwd|pwd|passphrase|passcode|auth"
    r"|authorization|bearer|cookie|credential)(s?)[\W_]*\Z",
    re.IGNORECASE,
)
LONGEST_ENDING = 40  # characters of a name that are looked at
DEEPEST = 100  # nested containers that are looked into
DEEPEST_OBJECTS = 3  # objects with fields, one in the other: they may refer to each other in a circle
Path = tuple[str | int, ...]
StandIn = Callable[[Path], Any]


class MaskedDict(dict[str, Any]):
    """A dict that shows the secrets in it as `***`; it holds them all the same."""

    __slots__ = ()

    @shown
    def __repr__(self) -> str:
        return repr(masked(dict(self)))

    def __rich_repr__(self) -> Iterator[Any]:
        yield masked(dict(self))

    def __or__(self, other: Any) -> Any:
        return MaskedDict(dict(self) | other) if isinstance(other, dict) else NotImplemented

    def copy(self) -> "MaskedDict":
        """A shallow copy."""
        return MaskedDict(self)


class Shown:
    """What stands for an object that holds a secret; it only shows.

    Attributes:
        original: The object.
        fields: Its fields by name, with something else in the place of each secret.
    """

    __slots__ = ("fields", "original")

    def __init__(self, original: Any, fields: Mapping[str, Any]) -> None:
        self.original, self.fields = original, fields

    @shown
    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"{type(self.original).__name__}({shown})"

    def field(self, name: str) -> Any:
        """The value of a field; one that the object itself does not show is the object's own."""
        return self.fields[name] if name in self.fields else getattr(self.original, name)


def is_secret_name(name: Any) -> bool:
    """Whether a text under this name is a secret: `api_key`, `apiKey`, `OPENAI_API_KEY`, `x-api-key` …"""
    return _ending(name) is not None


def _ending(name: Any) -> str | None:
    """ "s" where the name ends in the plural of what names secrets, "" where in the singular; None: in neither."""
    found = SECRET_NAME.search(name[-LONGEST_ENDING:]) if isinstance(name, str) else None
    return found and found[1].lower()


def masked(value: Any) -> Any:
    """A value with `***` in the place of each secret; the very same value if there is none.

    Objects with fields (dataclasses, pydantic models, named tuples) that hold one become something that only shows.
    """
    return replaced(value, lambda path: MASK)


def masking(value: Any) -> Any:
    """A value whose dicts, also those in dicts and lists, are copies that show their secrets as `***`."""
    if isinstance(value, dict):
        return MaskedDict({key: masking(item) for key, item in value.items()})
    return [masking(item) for item in value] if type(value) is list else value


def veiled(value: Any) -> Any:
    """A dict that hides its secrets, for the locals of errors; what is in it, and any other value, stays the same."""
    return MaskedDict(value) if type(value) is dict else value


def hide_in_metadata(states: Iterable[dict[str, Any]]) -> None:
    """Let the metadata of states show their secrets as `***`; in place, as every reader shares the states."""
    for state in states:
        if isinstance(state["metadata"], dict) and type(state["metadata"]) is not MaskedDict:
            state["metadata"] = masking(state["metadata"])


def replaced(
    value: Any, stand_in: StandIn, path: Path = (), ending: str | None = None, objects: int = DEEPEST_OBJECTS
) -> Any:
    """A value with something else in the place of each secret; the very same value if there is none.

    Args:
        value: Any value; of containers dicts, lists, tuples and sets are looked into.
        stand_in: Gives what stands for a secret, from the keys and indices that lead to it.
        path: Those that lead to this value.
        ending: What `_ending` says of the name that it stands under.
        objects: So many objects, one in the other, are looked into.
    """
    if len(path) > DEEPEST:
        return value
    if isinstance(value, Mapping):
        return _mapping(value, stand_in, path, ending, objects)
    if type(value) in (list, tuple, set, frozenset):
        items = [replaced(item, stand_in, (*path, n), ending, objects) for n, item in enumerate(value)]
        return type(value)(items) if _differ(items, value) else value
    fields = _fields(value) if objects else None
    if fields is None:
        return stand_in(path) if ending is not None and _is_text(value, ending) else value
    shown = _mapping(fields, stand_in, path, ending, objects - 1)
    return value if shown is fields else Shown(value, shown)


def _mapping(value: Mapping[Any, Any], stand_in: StandIn, path: Path, ending: str | None, objects: int) -> Any:
    if is_placeholder(value):
        return value
    if ending is not None and "__type__" in value:  # bytes in base64, for one
        return stand_in(path)
    result = {}
    for key, item in value.items():
        own = _ending(key)
        result[key] = replaced(item, stand_in, (*path, str(key)), ending if own is None else own, objects)
    return result if _differ(result.values(), value.values()) else value


def _differ(new: Any, old: Any) -> bool:
    return any(a is not b for a, b in zip(new, old, strict=True))


def _is_text(value: Any, ending: str) -> bool:
    """Whether a value under a secret's name is one: whatever is neither a number nor empty."""
    if value is None or isinstance(value, Number) or value in ("", b""):
        return False
    return not (ending == "s" and isinstance(value, str) and value.strip().isdecimal())


def _fields(value: Any) -> dict[str, Any] | None:
    """The fields of an object by name, where it has names."""
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind) if field.repr]
    elif isinstance(value, tuple):
        names = list(getattr(kind, "_fields", ()))
    else:
        names = list(getattr(kind, "model_fields", ()))
    return {name: getattr(value, name, None) for name in names} or None


def without_secrets(value: Any) -> tuple[Any, tuple[str, ...]]:
    """A value without its secrets, and their names, with dots where they are nested.

    An entry that holds a secret under its own name goes as a whole. Without any it is the very same value.
    """
    names: dict[str, None] = {}
    return _without(value, (), names), tuple(names)


def _without(value: Any, path: tuple[str, ...], names: dict[str, None]) -> Any:
    if len(path) > DEEPEST:
        return value
    if isinstance(value, list | tuple):
        items = [_without(item, path, names) for item in value]
        return type(value)(items) if type(value) in (list, tuple) and _differ(items, value) else value
    if not isinstance(value, Mapping) or is_placeholder(value):
        return value
    kept = {}
    for key, item in value.items():
        inner = (*path, str(key))
        if is_secret_name(key) and masked({key: item})[key] is not item:
            names[".".join(inner)] = None
        else:
            kept[key] = _without(item, inner, names)
    return value if len(kept) == len(value) and not _differ(kept.values(), value.values()) else kept
