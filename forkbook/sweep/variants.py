"""What a sweep tries: edits, answers and inputs, and each of them again. Pure."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ..acts.answer_forms import check_answer
from ..errors import InvalidInput
from ..model.text import json_text, short


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of a checkpoint's state.

    Attributes:
        values (Mapping[str, Any]): Channels to values, passed through the reducers.
        as_node (str | None): The node that the edit is to come from; None: the last one.
        replace (bool | None): Make each channel exactly what was typed; None: as the sweep says.
        name (str | None): What to call it in tables and pictures; None: by its values.
    """

    values: Mapping[str, Any]
    as_node: str | None = None
    replace: bool | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.values, Mapping):
            raise InvalidInput(f"an edit is a mapping of channels to values, not {short(self.values)}")
        for what, given in (("name", self.name), ("as_node", self.as_node)):
            if given is not None and not isinstance(given, str):
                raise InvalidInput(f"{what} of an edit is text, or None; this is {short(given)}")
        if self.replace is not None and not isinstance(self.replace, bool):
            raise InvalidInput(f"replace of an edit is True, False or None; this is {short(self.replace)}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to the interrupt that a checkpoint waits for, or several.

    Attributes:
        value (Any): The answer to the only question.
        by_id (Mapping[str, Any] | None): In its place the answers to several, by ids of `cp.waiting_for`.

    Raises:
        InvalidInput: Neither of the two is given, or both are.
    """

    value: Any = ...
    by_id: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        check_answer(self.value, self.by_id)

    @property
    def said(self) -> Any:
        """What tables show: the value, or the mapping."""
        return self.value if self.by_id is None else dict(self.by_id)


@dataclass(frozen=True, slots=True)
class Variant:
    """What one or more branches of a sweep try.

    Attributes:
        number: Its number in the sweep, from 0.
        change: What is done at the checkpoint; None: nothing, run again from there.
        input: The input of a new turn after it; None: none.
    """

    number: int
    change: Edit | Answer | None
    input: Any = None

    @property
    def values(self) -> dict[str, Any]:
        """The edit's channels; none where there is no edit."""
        return dict(self.change.values) if isinstance(self.change, Edit) else {}

    @property
    def as_node(self) -> str | None:
        """The node that the edit is to come from."""
        return self.change.as_node if isinstance(self.change, Edit) else None

    @property
    def replace(self) -> bool:
        """Whether the edit is to come out as typed."""
        return isinstance(self.change, Edit) and bool(self.change.replace)

    def record(self) -> dict[str, Any]:
        """The variant as JSON knows it; `variant_of` turns it back."""
        found: dict[str, Any] = {"variant": self.number}
        if isinstance(self.change, Edit):
            found |= {"edit": self.values, "as_node": self.as_node, "replace": self.replace}
            found |= {"name": self.change.name} if self.change.name else {}
        elif isinstance(self.change, Answer):
            found |= {"answer": self.change.said, "by_id": self.change.by_id is not None}
        return found if self.input is None else found | {"input": self.input}

    def name(self) -> str:
        """What it tries, in a few words."""
        if isinstance(self.change, Edit) and self.change.name:
            said = [self.change.name]
        else:
            said = [_said(value) or f"{channel}={_short(value)}" for channel, value in self.values.items()]
            said += [f"as {self.as_node}"] if self.as_node else []
        said += [f"answer {short(self.change.said)}"] if isinstance(self.change, Answer) else []
        if self.input is not None:
            turn = self.input.get("messages") if isinstance(self.input, Mapping) else None
            said += [f"input {_said(turn) or _short(self.input)}"]
        return ", ".join(said) or "as it was"


def variants(edits: Any, inputs: Any, replace: bool) -> list[Variant]:
    """Every edit with every input.

    Args:
        edits: Mappings of channel values, `Edit`, `Answer`, None or {} for no edit.
        inputs: Inputs of a new turn; None: no new turn.
        replace: Whether edits that do not say are to come out as typed.

    Raises:
        InvalidInput: One is none of these, or there is none.
    """
    changes = [_change(item, replace) for item in _listed("edits", edits)]
    turns = [None] if inputs is None else _listed("inputs", inputs)
    return [Variant(n, *pair) for n, pair in enumerate((change, turn) for change in changes for turn in turns)]


def _listed(name: str, items: Any) -> list[Any]:
    if isinstance(items, str | bytes | Mapping | Edit | Answer) or not isinstance(items, Iterable):
        raise InvalidInput(f"{name} are a list, one for each variant; this is {short(items)}")
    found = list(items)
    if not found:
        raise InvalidInput(f"{name} are an empty list: nothing would be tried; [None] runs again as it was")
    return found


def _change(item: Any, replace: bool) -> Edit | Answer | None:
    if isinstance(item, Answer):
        return item
    if isinstance(item, Mapping):
        item = Edit(item)
    if item is None or item == Edit({}):
        return None
    if not isinstance(item, Edit):
        raise InvalidInput(f"an edit is a mapping of channels to values, fb.Edit, fb.Answer or None, not {short(item)}")
    return dataclasses.replace(item, replace=replace if item.replace is None else item.replace)


def variant_of(record: Mapping[str, Any]) -> Variant:
    """The variant of a record."""
    change: Edit | Answer | None = None
    if "edit" in record:
        change = Edit(record["edit"], record.get("as_node"), bool(record.get("replace")), record.get("name"))
    elif "answer" in record:
        change = Answer(by_id=record["answer"]) if record.get("by_id") else Answer(record["answer"])
    return Variant(record["variant"], change, record.get("input"))


def packed(record: Any) -> str:
    """A record as one JSON text: checkpoint metadata of a graph in this process keeps only scalars."""
    return json_text(record, ordered=True)


def unpacked(text: Any) -> dict[str, Any]:
    """The record in a text; an empty one if it is not of a sweep."""
    try:
        found = orjson.loads(text)
    except (TypeError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def names(found: Sequence[Variant]) -> list[str]:
    """The channels that any of these edits has, in the order in which they come."""
    return list(dict.fromkeys(name for variant in found for name in variant.values))


def _said(value: Any) -> str | None:
    """What the last of some messages says, in quotes; None if these are no messages."""
    last = value[-1] if isinstance(value, list) and value else None
    content = last.get("content") if isinstance(last, Mapping) else getattr(last, "content", None)
    return f"“{content}”" if isinstance(content, str) else None


def _short(value: Any) -> str:
    return value if isinstance(value, str) else short(value)
