"""The rules by which a channel grows from what is written to it, on plain data, and which of them a channel follows.

LangGraph stores of a DeltaChannel's value only a snapshot now and then, and what was written; the reducer is not in the
store. So a rule is known for what LangGraph and deepagents keep in such channels, messages and maps, or is given.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from ...model.reserved import OVERWRITE
from ...model.states import is_placeholder
from ..values.interning import Interner
from ..values.plain import Plain
from .messages import ROLES, MessageRule, Unsuited, is_message

Reducer = Callable[[Any, list[Any]], Any]
FILES = "files"  # deepagents' channel, whose reducer lets None delete a key
MESSAGES = "messages"  # LangGraph's own name for a channel of messages


class Rule(Protocol):
    """How a channel's value grows.

    Attributes:
        words: What a user reads of it.
    """

    words: str

    def start(self) -> Any:
        """The value of a channel to which nothing was written."""

    def fold(self, value: Any, writes: Sequence[Any]) -> Any:
        """The value after these writes; neither of them is changed.

        Raises:
            Unsuited: The rule cannot be applied.
        """

    def doubt(self, value: Any, writes: Sequence[Any]) -> str | None:
        """Why a reducer that looks like this rule may make something else of these writes; None: it cannot."""


class MapRule:
    """Keys are set, the newest write wins: what deepagents does with its `files`, and a plain merge of dicts.

    Args:
        deletes: Whether None deletes its key, as in `files`.
        sure: Whether the channel is known to follow this rule.
    """

    def __init__(self, *, deletes: bool, sure: bool = False) -> None:
        self._deletes, self._sure = deletes, sure
        self.words = "a dict merge, None deletes its key" if deletes else "a dict merge"

    def start(self) -> dict[str, Any]:
        """The value of a channel to which nothing was written."""
        return {}

    def fold(self, value: Any, writes: Sequence[Any]) -> dict[str, Any]:
        """The value after these writes."""
        if not is_map(value) or not all(map(is_map, writes)):
            raise Unsuited("a value of this channel is no dict")
        result = dict(value)
        for write in writes:
            for key, item in write.items():
                if item is None and self._deletes:
                    result.pop(key, None)
                else:
                    result[key] = item
        return result

    def doubt(self, value: Any, writes: Sequence[Any]) -> str | None:
        """Why another reducer of dicts may make something else: values that some add up, None that some delete."""
        seen = {} if self._sure else dict(value)
        for write in () if self._sure else writes:
            for key, item in write.items():
                if item is None:
                    return f"{key!r} was set to None, which may delete it or be its value"
                if key in seen and seen[key] != item and (_adds_up(item) or _adds_up(seen[key])):
                    return f"{key!r} was written again, and its values might be replaced or added up"
                seen[key] = item
        return None


class NoRule:
    """The rule of a channel whose reducer is not known: its value is known where nothing was written since.

    Args:
        reason: Why its value is not known elsewhere.
    """

    words = "its snapshot, since nothing was written after it"

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def start(self) -> Any:
        """Nothing.

        Raises:
            Unsuited: Always.
        """
        raise Unsuited(self._reason)

    def doubt(self, value: Any, writes: Sequence[Any]) -> str | None:
        """None: it does nothing."""
        return None

    def fold(self, value: Any, writes: Sequence[Any]) -> Any:
        """Nothing.

        Raises:
            Unsuited: Always.
        """
        raise Unsuited(self._reason)


def is_map(value: Any) -> bool:
    """Whether this is a dict that a node wrote as such: no object's fields, no form of another type."""
    return type(value) is dict and not ("role" in value and "content" in value)


def unwrapped(value: Any) -> Any:
    """A stored value; a snapshot of a dict is read as an object, and is none."""
    return dict(value) if type(value) is Plain and "__type__" not in value and not is_message(value) else value


def is_file(value: Any) -> bool:
    """Whether this is a file as deepagents keeps them."""
    return isinstance(value, Mapping) and isinstance(value.get("content"), str | list)


def _adds_up(value: Any) -> bool:
    """Whether reducers are common that add such values up: numbers, lists, sets, maps that are no files."""
    if isinstance(value, bool | str) or value is None:
        return False
    return isinstance(value, int | float | list) or (isinstance(value, Mapping) and not is_file(value))


class GivenRule:
    """A reducer that the user gave, of plain values.

    It gets copies, so that it may change what it is given; equal results stay one object.

    Args:
        channel: The channel's name.
        reducer: A DeltaChannel's reducer: from the state and a list of writes to the state.
        kinds: What the channel was seen to hold.
    """

    def __init__(self, channel: str, reducer: Reducer, kinds: "Kinds") -> None:
        self.words = f"the reducer given for {channel!r}"
        self._reducer, self._interner = reducer, Interner()
        self._empty: Any = next(filter(self._suits(kinds.sample), kinds.empties), {} if kinds.maps else [])

    def _suits(self, write: Any) -> Callable[[Any], bool]:
        """A function that tells whether a channel may begin with a value: the reducer gives one of its type then."""

        def suits(empty: Any) -> bool:
            try:
                return type(self._reduced(empty, [] if write is None else [write])) is type(empty)
            except Exception:  # the user's code may raise anything
                return False

        return suits

    def start(self) -> Any:
        """The value of a channel to which nothing was written: the empty one of its type, as LangGraph begins."""
        return self._empty

    def doubt(self, value: Any, writes: Sequence[Any]) -> str | None:
        """None: the user knows."""
        return None

    def fold(self, value: Any, writes: Sequence[Any]) -> Any:
        """The value after these writes.

        Raises:
            Unsuited: The reducer raised something, or what it gives is no plain data.
        """
        for write in (value, *writes):
            self._interner.one(write)
        try:
            return self._interner.one(self._reduced(value, writes))
        except Exception as error:  # the user's code may raise anything
            raise Unsuited(f"{self.words} failed: {type(error).__name__}: {error}") from error

    def _reduced(self, value: Any, writes: Sequence[Any]) -> Any:
        copied = orjson.loads(orjson.dumps([value, list(writes)]))
        return orjson.loads(orjson.dumps(self._reducer(*copied)))


class Kinds:
    """What a channel was seen to hold.

    Attributes:
        sample: One of the writes; None: there was none.
    """

    def __init__(self) -> None:
        self._found: set[str] = set()
        self._held, self._written = dict[type, Any](), dict[type, Any]()
        self.sample: Any = None

    def add(self, value: Any) -> None:
        """A value or a write; of an `Overwrite` its value."""
        replaced, new = overwritten(value)
        if replaced:
            value = new
        elif value is not None and not is_placeholder(value):
            self._written[type(value)] = _empty(value)
            self.sample = value if self.sample is None else self.sample
        self._add(value)

    def _add(self, value: Any) -> None:
        if isinstance(value, list):
            self._found.update("message" if is_message(item) else _kind(item, "other") for item in value)
        else:
            self._found.add("message" if is_message(value) else _kind(value, "map" if is_map(value) else "other"))

    def add_value(self, value: Any) -> None:
        """A stored value; a list by its ends, since it may be as long as a thread."""
        value = unwrapped(value)
        if value is not None and not is_placeholder(value):
            self._held[type(value)] = _empty(value)
        self._add([*value[:1], *value[-1:]] if isinstance(value, list) else value)

    @property
    def empties(self) -> list[Any]:
        """The empty values that the channel may have begun with, the likeliest first: by what it held, then by writes.

        A channel of floats may be written an int, hardly the other way round.
        """
        written = [self._written[kind] for kind in sorted(self._written, key=lambda kind: kind is not float)]
        return [*self._held.values(), *written, [], {}]

    @property
    def maps(self) -> bool:
        """Whether it held dicts, and nothing else."""
        return self._found - {"nothing"} == {"map"}

    def rules(self, channel: str) -> list[Rule]:
        """The rules that such a channel may follow, the likeliest first; none where nothing tells."""
        telling = {"message", "like a message"} if channel == MESSAGES else {"message"}
        if self._found & telling and self._found <= {"nothing", "text", "like a message", "message"}:
            return [MessageRule()]
        if channel == MESSAGES and not self._found:  # nothing but empty lists
            return [MessageRule()]
        if self.maps and channel == FILES:
            return [MapRule(deletes=True, sure=True)]
        return [MapRule(deletes=False), MapRule(deletes=True)] if self.maps else []


Rules = Callable[[str, str, Kinds], Sequence[Rule] | None]  # given for a namespace's channel; None: none was


def given(reducers: Mapping[str, Reducer]) -> Rules:
    """The rules of channels for which a user gave reducers, the same in every namespace."""

    def rules(ns: str, channel: str, kinds: Kinds) -> Sequence[Rule] | None:
        reducer = reducers.get(channel)
        return None if reducer is None else [GivenRule(channel, reducer, kinds)]

    return rules


def _empty(value: Any) -> Any:
    """The empty value of a value's type, in its plain form; None where the type has none."""
    if isinstance(value, Mapping) and "__type__" in value:
        inner = value.get("value")
        return {**value, "value": type(inner)()} if isinstance(inner, list | str) else None
    return {} if isinstance(value, Mapping) else type(value)()


def _kind(item: Any, otherwise: str) -> str:
    """What a value that is no message object says of its channel."""
    if item is None or is_placeholder(item):
        return "nothing"
    if isinstance(item, str):
        return "text"
    if isinstance(item, dict) and (item.get("__type__") == "tuple" or _has_role(item)):
        return "like a message"
    is_pair = isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and item[0] in ROLES
    return "like a message" if is_pair else otherwise  # a tuple within a list is stored as a list


def _has_role(item: Mapping[str, Any]) -> bool:
    return "content" in item and ("role" in item or "type" in item)


def overwritten(write: Any) -> tuple[bool, Any]:
    """Whether a write is LangGraph's `Overwrite`, in any of its forms, and what it sets."""
    if isinstance(write, dict):
        if len(write) == 1 and OVERWRITE in write:
            return True, write[OVERWRITE]
        if write.get("type") == OVERWRITE and "value" in write:
            return True, write["value"]
    return False, None


def first_of(*sources: Rules | None) -> Rules | None:
    """What the first of these sources gives for a channel that gives anything; None where there is no source."""
    known = [source for source in sources if source is not None]

    def rules(ns: str, channel: str, kinds: Kinds) -> Sequence[Rule] | None:
        return next((found for source in known if (found := source(ns, channel, kinds)) is not None), None)

    return rules if known else None
