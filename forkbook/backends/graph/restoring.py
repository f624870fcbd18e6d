"""Objects from the plain form that a person typed: of the classes that a channel holds, or that its annotation names.

No name in the data is looked up.
"""

import enum
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_messages
from pydantic import TypeAdapter, ValidationError

from ...model.message_edits import is_removal
from ...model.reserved import OVERWRITE, ROOT
from .objects import classes_in, is_made
from .revive import holds_messages, revived
from .snapshots import Reading


def as_objects(
    channels: Mapping[str, Any], held: Any, stored: Mapping[str, Any], typed: Mapping[str, Any], serde: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """An edit with objects for the plain forms in it; by channel what becomes of objects that cannot be made.

    Args:
        channels: The graph's channels.
        held: What they hold.
        stored: The same with None for every object, so that one whose class LangGraph did not find is known, too.
        typed: Channels to values.
        serde: What writes and reads values.

    Raises:
        InvalidInput: A form says what a value was, but not the value.
    """
    values, lost = {}, {}
    held = held if isinstance(held, Mapping) else {ROOT: held}
    for name, value in typed.items():
        now = held.get(name)
        restorer = Restorer(getattr(channels.get(name), "UpdateType", None))
        made = restorer.restored(revived(value, leave=("enum",)), None if _unmade(now, stored.get(name, now)) else now)
        values[str(name)] = revived(made)
        if restorer.lost:
            lost[str(name)] = restorer.lost[0]
        elif unread := _unread(made, serde):
            lost[str(name)] = f"a {unread} becomes a dict: LangGraph does not find this class when it reads it back"
    return values, lost


def with_messages(values: Mapping[str, Any], held: Any) -> dict[str, Any]:
    """An edit with messages for dicts, in channels that hold messages: one without a reducer would keep the dicts.

    Args:
        values: Channels to values.
        held: What the channels hold.
    """
    return {
        name: _messages(value, held.get(name) if isinstance(held, Mapping) else None) for name, value in values.items()
    }


def _messages(value: Any, held: Any) -> Any:
    if not holds_messages(value) or any(map(is_removal, value)):  # removals are for a reducer
        return value
    return convert_to_messages(value) if any(isinstance(item, BaseMessage) for item in _items(held)) else value


def _unread(made: Any, serde: Any) -> str | None:
    """The name of a class whose objects do not come back as objects."""
    before = _kinds(made)
    try:
        left = before - _kinds(serde.loads_typed(serde.dumps_typed(made))) if before else before
    except Exception:  # a reducer may take what cannot be stored
        return None
    return min((kind.__name__ for kind in left), default=None)


def _kinds(value: Any) -> set[type]:
    """The classes of the objects in a value, not of those within objects."""
    if is_made(type(value)):
        return {type(value)}
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return {kind for item in inside for kind in _kinds(item)}


def _unmade(held: Any, stored: Any) -> bool:
    """Whether there is a dict where an object was stored: LangGraph gives one where it does not find the class."""
    if isinstance(held, Mapping):
        inside = stored if isinstance(stored, Mapping) else {}
        return stored is None or any(_unmade(item, inside.get(key, item)) for key, item in held.items())
    if isinstance(held, list) and isinstance(stored, list):
        return any(map(_unmade, held, stored))
    return False


class Restorer:
    """Makes the objects of one channel's edit.

    Args:
        kind: The channel's annotation.

    Attributes:
        lost: What becomes of objects that cannot be made, in words.
    """

    def __init__(self, kind: Any) -> None:
        self.lost: list[str] = []
        self._kind, self._reading = kind, Reading()

    def restored(self, typed: Any, held: Any) -> Any:
        """What was typed, with objects where the channel holds some.

        Args:
            typed: In plain form, or objects.
            held: The channel's value; where it holds nothing, the annotation tells.
        """
        if isinstance(typed, Mapping) and typed.keys() == {OVERWRITE}:
            return {OVERWRITE: self.restored(typed[OVERWRITE], held)}
        if isinstance(typed, list) and any(isinstance(item, BaseMessage) for item in _items(held)):
            return typed  # the reducer makes them
        if held is None or held in ([], {}, ()):
            return self._by_annotation(typed)
        return self._like(typed, held)

    def _by_annotation(self, typed: Any) -> Any:
        own = [kind for kind in classes_in(self._kind) if is_made(kind) and not issubclass(kind, BaseMessage)]
        if not own or not isinstance(typed, Mapping | list | tuple | str):
            return typed
        return self._made(self._kind, typed, own[0].__name__)

    def _like(self, typed: Any, held: Any) -> Any:
        kind = type(held)
        if is_made(kind):
            same_kind = isinstance(typed, kind) or typed is None
            return typed if same_kind else self._made(kind, typed, kind.__name__)
        if isinstance(typed, list | tuple) and isinstance(held, list | tuple):
            likes = _likes(held, len(typed))
            found = [self._like(item, like) for item, like in zip(typed, likes, strict=True)]
            return found if isinstance(typed, list) else tuple(found)
        if isinstance(typed, Mapping) and isinstance(held, Mapping):
            (other,) = _likes(list(held.values()), 1)
            return {key: self._like(item, held.get(key, other)) for key, item in typed.items()}
        return typed

    def _made(self, kind: Any, typed: Any, name: str) -> Any:
        """An object that says all that was typed; else what was typed, and a word on it in `lost`."""
        given = without_enums(typed)
        try:
            made = _make(kind, given)
        except Exception as error:  # the class's own code may raise anything
            return self._lose(name, typed, _why(error))
        if not isinstance(made, BaseMessage) and not _says(
            without_enums(self._reading.plain(made)), given, self._reading
        ):
            return self._lose(name, typed, f"a {name} cannot hold all that was typed")
        return made

    def _lose(self, name: str, typed: Any, why: str) -> Any:
        self.lost.append(f"a {name} becomes a {type(typed).__name__} ({why}): nodes that use its attributes will fail")
        return typed


def _items(held: Any) -> Any:
    return held if isinstance(held, list) else ()


def _likes(held: Any, count: int) -> list[Any]:
    """For each of so many items one that it is to be like: the one in its place, or any where all are of one class."""
    kinds = {type(item) for item in held}
    if len(kinds) == 1:
        return [next(iter(held))] * count
    return [held[n] if n < len(held) else None for n in range(count)]


def _make(kind: Any, given: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseMessage):
        return convert_to_messages([given])[0]
    if isinstance(kind, type) and hasattr(kind, "_fields"):
        return kind(**given) if isinstance(given, Mapping) else kind(*given)
    return TypeAdapter(kind).validate_python(given)


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first["loc"] else str(first["msg"])
    return f"{type(error).__name__}: {error}"


def _says(made: Any, given: Any, reading: Reading) -> bool:
    """Whether an object's plain form has all that was given; it may have more, by its defaults."""
    if isinstance(given, Mapping) and isinstance(made, Mapping):
        return all(key in made and _says(made[key], item, reading) for key, item in given.items())
    if isinstance(given, list | tuple) and isinstance(made, Mapping):  # a named tuple
        made = list(made.values())
    if isinstance(given, list | tuple) and isinstance(made, list):
        return len(given) == len(made) and all(_says(a, b, reading) for a, b in zip(made, given, strict=True))
    return bool(made == without_enums(reading.plain(given)))


def without_enums(value: Any) -> Any:
    """A value with its enums, as checkpoints show them, by their values alone."""
    if isinstance(value, Mapping):
        if value.get("__type__") == "enum" and "value" in value:
            return value["value"]
        return {key: without_enums(item) for key, item in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(without_enums(item) for item in value)
    return value.value if isinstance(value, enum.Enum) else value
