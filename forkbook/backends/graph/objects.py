"""What a graph's channels hold, from the plain data that a history shows: messages as messages, objects where the graph
names their classes or LangGraph has made them in this process, everything else as plain as it is."""

import dataclasses
import enum
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, get_args

import orjson
from langchain_core.messages import BaseMessage, messages_from_dict
from pydantic import BaseModel, TypeAdapter

from ...errors import InvalidInput
from ...model.messages import role
from ..classes import Classes, ObjectSearch, loaded
from ..values.plain import Fields
from .revive import revived
from .snapshots import Reading


class Objects:
    """Makes objects for the channels of one graph; equal messages become one object.

    Args:
        channels: The graph's channels by name.
        classes: What the plain data tell of classes. Where they tell them, only what was an object becomes one; of
            classes that no channel names objects are made only if LangGraph has made them here, since to make one runs
            the class's code.
    """

    def __init__(self, channels: Mapping[str, Any], classes: Classes = "unknown") -> None:
        self._classes = classes
        self._reading, self._search = Reading(), ObjectSearch()
        self._messages: dict[bytes, tuple[BaseMessage | None, bool]] = {}
        self._of_messages: set[str] = set()
        self._adapters: dict[str, TypeAdapter[Any]] = {}
        for name, channel in channels.items():
            named = set(classes_in(getattr(channel, "UpdateType", None)))
            if any(issubclass(each, BaseMessage) for each in named):
                self._of_messages.add(name)
            elif any(map(is_made, named)):
                with suppress(Exception):  # pydantic knows no schema of some types
                    self._adapters[name] = TypeAdapter(channel.UpdateType)

    def held(self, name: str, value: Any) -> Any:
        """A channel's value."""
        if name in self._of_messages:
            return self._any(name, value, always=True)
        return self._of_class(name, value) if name in self._adapters else self._any(name, value)

    def written(self, name: str, value: Any) -> Any:
        """What a task wrote to a channel; texts and dicts that a reducer takes for messages stay what they are."""
        return self._of_class(name, value) if name in self._adapters else self._any(name, value)

    def _of_class(self, name: str, value: Any) -> Any:
        """An object of the channel's class, if it says just what the plain value says."""
        there = self._any(name, value)
        try:
            made = self._adapters[name].validate_python(there)
            return made if self._says_the_same(made, value) else there
        except Exception:  # the class's own checks may raise anything
            return there

    def _says_the_same(self, made: Any, value: Any) -> bool:
        """Whether an object shows as this value, in which objects are of the same classes where that is known."""
        shown = self._reading.plain(made)
        if self._classes != "unknown" and ObjectSearch().objects(shown) != self._search.objects(value):
            return False
        return _same(shown, value)

    def _of_loaded_class(self, name: str, value: Mapping[str, Any]) -> Any:
        """An object of a class that LangGraph has made here, if it says just what its fields say; else a dict."""
        of = value.of if isinstance(value, Fields) else str(value.get("class"))
        kind = loaded([of]).get(of) if self._classes == "loaded" else None
        fields = {key: self._any(name, item) for key, item in value.items()}
        if kind is None or not is_made(kind):
            return fields
        try:
            made = kind(value["value"]) if issubclass(kind, enum.Enum) else kind(**fields)
            return made if _same(self._reading.plain(made), value) else fields
        except Exception:  # the class's own checks may raise anything
            return fields

    def _any(self, name: str, value: Any, always: bool = False) -> Any:
        if isinstance(value, list):
            return [self._any(name, item, always) for item in value]
        if not isinstance(value, Mapping):
            return value
        if role(value) and "type" in value and (message := self._message(value, always)) is not None:
            return message
        kind, inner = value.get("__type__"), value.get("value")
        if isinstance(value, Fields):
            return self._of_loaded_class(name, value)
        if kind is None:
            return {key: self._any(name, item, always) for key, item in value.items()}
        if kind == "dict" and isinstance(inner, list):
            return {self._any(name, key): self._any(name, item) for key, item in inner}
        if kind == "tuple" and isinstance(inner, list):
            return tuple(self._any(name, inner))
        return self._revived(name, value)

    def _revived(self, name: str, value: Mapping[str, Any]) -> Any:
        """What a plain form stands for; the form itself where it does not say that."""
        if value["__type__"] == "enum" and "value" in value:
            made = self._of_loaded_class(name, value)
            return made if isinstance(made, enum.Enum) else value["value"]
        try:
            return revived(value)
        except (InvalidInput, ValueError, TypeError, ArithmeticError):
            return dict(value)

    def _message(self, value: Mapping[str, Any], always: bool) -> BaseMessage | None:
        """The message, if there is one that says just this, or one is wanted in any case."""
        key = orjson.dumps(value)
        if key not in self._messages:
            self._messages[key] = self._made(value)
        message, says_the_same = self._messages[key]
        return message if says_the_same or always else None

    def _made(self, value: Mapping[str, Any]) -> tuple[BaseMessage | None, bool]:
        try:
            (message,) = messages_from_dict([{"type": value["type"], "data": revived(value)}])
        except Exception:  # a message that this LangChain does not take
            return None, False
        return message, _same(self._reading.plain(message), value)


def _same(a: Any, b: Any) -> bool:
    return orjson.dumps(a, option=orjson.OPT_SORT_KEYS) == orjson.dumps(b, option=orjson.OPT_SORT_KEYS)


def classes_in(kind: Any) -> list[type]:
    """The classes that a type is made of."""
    inner = get_args(kind)
    return (
        [found for part in inner for found in classes_in(part)] if inner else [kind] if isinstance(kind, type) else []
    )


def is_made(kind: type) -> bool:
    """Whether a class is one whose objects LangGraph stores by their fields or value."""
    return issubclass(kind, BaseModel | enum.Enum) or dataclasses.is_dataclass(kind) or hasattr(kind, "_fields")
