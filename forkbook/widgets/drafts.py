"""Edits as a page keeps them, and what they make of a checkpoint: the values to write, and where. Pure.

An edit is `{channel, path, text}`: the value at a path within a channel (`[]` is the whole) is to be the one that the
JSON `text` says; an empty text takes it away. Of a message, `{"role"?, "content"?, …}` changes these parts alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InvalidInput
from ..facts import BY_HAND, Facts
from ..model.messages import ROLES, channels, role, same
from ..model.reserved import START
from ..model.states import nodes_seen
from ..model.text import short
from ..transfer import unequal

PARTS = {"role", "content", "name", "tool_calls"}  # of a message, that an edit may change alone
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one value.

    Attributes:
        channel: The channel.
        path: Keys and indexes within it.
        text: The new value as JSON; empty: it goes.
    """

    channel: str
    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Placed:
    """What edits come to.

    Attributes:
        position: The checkpoint to write at.
        values: The channels that change, as `Checkpoint.fork(values, replace=True)` takes them.
        as_nodes: Nodes that the edit may come from, the likeliest first; None: the one that LangGraph guesses.
        moved: Whether that is not the checkpoint which the page shows, but the one where an edited message arrived.
    """

    position: int
    values: dict[str, Any]
    as_nodes: tuple[str | None, ...] = (None,)
    moved: bool = False


def read(edits: Any) -> list[Edit]:
    """The edits of a message from the page.

    Raises:
        InvalidInput: They are none.
    """
    if not isinstance(edits, list | tuple):
        raise InvalidInput(f"edits are a list of {{channel, path, text}}, not {short(edits)}")
    return [_edit(item) for item in edits]


def _edit(item: Any) -> Edit:
    path = item.get("path") if isinstance(item, Mapping) else None
    if not (
        isinstance(path, list | tuple)
        and all(isinstance(step, str | int) and not isinstance(step, bool) for step in path)
        and isinstance(item.get("channel"), str)
        and isinstance(item.get("text"), str)
    ):
        raise InvalidInput(f"an edit has a channel, a path and a text; this is {short(item)}")
    return Edit(item["channel"], tuple(path), item["text"])


def typed(edit: Edit) -> Any:
    """The value that an edit's text says; whole numbers of any length, 1.0 and 1 stay what they are.

    Raises:
        InvalidInput: It is no JSON; `details` has `line` and `column`.
    """
    try:
        return json.loads(edit.text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _wrong(
            edit, f"this is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}",
            line=error.lineno, column=error.colno,
        ) from error  # fmt: skip
    except ValueError as error:
        raise _wrong(edit, str(error)) from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON, and would become null")


def _wrong(edit: Edit, message: str, **where: Any) -> InvalidInput:
    at = "".join(f"[{step!r}]" for step in edit.path)
    return InvalidInput(f"{edit.channel}{at}: {message}", said=message, path=edit.path, channel=edit.channel, **where)


def changed(values: Any, edits: Iterable[Edit]) -> dict[str, Any]:
    """The channels that edits give another value than a state has.

    Args:
        values: The state's values.
        edits: The edits; what takes away an item of a list comes last, so that the other paths stay right.

    Raises:
        InvalidInput: A text is no JSON, or a path leads nowhere.
    """
    known = channels(values)
    now = dict(known)
    going = [edit for edit in edits if not edit.text.strip()]
    for edit in edits:
        if edit.text.strip():
            now[edit.channel] = _put(edit, now.get(edit.channel), edit.path, typed(edit))
    for edit in sorted(going, key=lambda edit: [str(step).zfill(12) for step in edit.path], reverse=True):
        if not edit.path:
            raise _wrong(edit, "a channel stays: give it another value")
        now[edit.channel] = _put(edit, now.get(edit.channel), edit.path, _GONE)
    return {name: value for name, value in now.items() if name not in known or any(unequal(known[name], value))}


_GONE: Any = object()


def _put(edit: Edit, value: Any, path: Path, new: Any) -> Any:
    """A value with another one at a path; the old one stays as it is."""
    if not path:
        return _merged(edit, value, new)
    first, *rest = path
    if isinstance(value, Mapping) and isinstance(first, str):
        if rest and first not in value:
            raise _wrong(edit, f"there is no key {short(first)}")
        inner = dict(value)
        inner[first] = _put(edit, value.get(first), tuple(rest), new)
        return {key: item for key, item in inner.items() if item is not _GONE}
    if isinstance(value, list) and isinstance(first, int) and 0 <= first <= len(value):
        if first == len(value) and (rest or new is _GONE):
            raise _wrong(edit, f"there are {len(value):,} items")
        item = _put(edit, value[first] if first < len(value) else None, tuple(rest), new)
        kept = [*value[:first], item, *value[first + 1 :]]
        return [each for each in kept if each is not _GONE]
    raise _wrong(edit, f"there is nothing at {short(first)}")


def _merged(edit: Edit, value: Any, new: Any) -> Any:
    """The new value; of a message, the old one with the parts that were typed."""
    is_message = isinstance(value, Mapping) and role(value) is not None
    if not (is_message and isinstance(new, Mapping) and new and new.keys() <= PARTS):
        return new
    given = {name: part for name, part in new.items() if name != "role"}
    wanted = ROLES.get(str(new["role"])) if "role" in new else role(value)
    if wanted is None:
        raise _wrong(edit, f"a message has a role: {', '.join(sorted(set(ROLES.values())))}; not {short(new['role'])}")
    if wanted == role(value):
        return {**value, **given}
    kept = {name: part for name, part in value.items() if name in ("id", "content", "name")}
    return {**kept, **given, "type" if "type" in value else "role": wanted}


def check(values: Any, edits: Sequence[Edit], schema: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """What is wrong with edits, one entry each: `channel`, `path`, `message`, and `line` and `column` in its text."""
    found, sound = [], []
    for edit in edits:
        try:
            changed(values, [edit])
            sound.append(edit)
        except InvalidInput as error:
            place = {"line": error.details.get("line", 0), "column": error.details.get("column", 0)}
            said = str(error.details.get("said", error))
            found.append({"channel": edit.channel, "path": list(edit.path), "message": said, **place})
    if found:
        return found
    known, messages = channels(values), {edit.channel for edit in sound if _is_message(values, edit)}
    for name, value in changed(values, sound).items():
        if name in messages:
            continue  # their schema is one of ten classes each, and says nothing that helps
        broken = _broken(name, value, schema)
        if broken and not (name in known and _broken(name, known[name], schema)):
            path, message = broken
            found.append({"channel": name, "path": path, "message": message, "line": 0, "column": 0})
    return found


def refuse_broken(values: Any, edits: Sequence[Edit], schema: Mapping[str, Any] | None) -> None:
    """Check edits.

    Raises:
        InvalidInput: One is no JSON, leads nowhere, or breaks the schema of the state, which the state did not before.
    """
    for wrong in check(values, edits, schema)[:1]:
        at = "".join(f"[{step!r}]" for step in wrong["path"])
        raise InvalidInput(f"{wrong['channel']}{at}: {wrong['message']}")


def _broken(channel: str, value: Any, schema: Mapping[str, Any] | None) -> tuple[list[Any], str] | None:
    """What in a channel's value breaks the state's schema: where, and in words."""
    if not schema or channel not in schema.get("properties", {}):
        return None
    import jsonschema

    own = {**schema["properties"][channel], "$defs": schema.get("$defs", {})}
    error = next(iter(jsonschema.Draft202012Validator(own).iter_errors(value)), None)
    return (list(error.absolute_path), short_message(error.message)) if error else None


def short_message(text: str) -> str:
    """A message of jsonschema, which may repeat a whole value."""
    return text if len(text) <= 200 else f"{text[:120]} … {text[-70:]}"


def _is_message(values: Any, edit: Edit) -> bool:
    """Whether an edit changes a message that is there."""
    items = channels(values).get(edit.channel)
    first = edit.path[0] if edit.path else None
    if not (isinstance(items, list) and isinstance(first, int) and 0 <= first < len(items)):
        return False
    return isinstance(items[first], Mapping) and role(items[first]) is not None


def placed(facts: Facts, position: int, edits: Sequence[Edit]) -> Placed:
    """Where edits of a checkpoint are to be written, and what.

    Messages alone: where the last of them arrived, so that the node which read it runs again. Anything else: here.

    Raises:
        InvalidInput: A text is no JSON, or a path leads nowhere.
    """
    values = facts.states[position]["values"]
    if not edits or not all(_is_message(values, edit) for edit in edits):
        return Placed(position, changed(values, edits))
    changed(values, edits)  # raises, with the paths that were typed
    ways = [list(_back(facts, position, edit)) for edit in edits]
    at = max(way[-1][0] for way in ways)
    moved = [
        replace(edit, path=(next(index for where, index in way if where == at), *edit.path[1:]))
        for edit, way in zip(edits, ways, strict=True)
    ]
    message = channels(facts.states[at]["values"])[moved[0].channel][moved[0].path[0]]
    new = changed(facts.states[at]["values"], moved)
    return Placed(at, new, _writers(facts, at, message), moved=at != position)


def _back(facts: Facts, position: int, edit: Edit) -> Iterable[tuple[int, int]]:
    """The checkpoints up from here that hold the very message of an edit, each with the message's index."""
    index: Any = edit.path[0]
    return held(facts, position, edit.channel, index)


def held(facts: Facts, position: int, channel: str, index: int) -> Iterator[tuple[int, int]]:
    """The checkpoints up from here that hold the very same message, each with its index there; the last is the oldest.

    Args:
        facts: The thread.
        position: A checkpoint.
        channel: The channel of messages.
        index: Which of its messages.
    """
    message = channels(facts.states[position]["values"])[channel][index]
    found: int | None = index
    while found is not None:
        yield position, found
        position = facts.tree.parents[position]
        items = channels(facts.states[position]["values"]).get(channel) if position >= 0 else None
        found = _index_of(message, items, found)


def _index_of(message: Mapping[str, Any], items: Any, near: int) -> int | None:
    """Where a list holds the same version of a message."""
    if not isinstance(items, list):
        return None
    if near < len(items) and _is_same(items[near], message):
        return near
    named = message.get("id")
    alike = (n for n, item in enumerate(items) if named and isinstance(item, Mapping) and item.get("id") == named)
    return next((n for n in alike if _is_same(items[n], message)), None)


def _is_same(item: Any, message: Mapping[str, Any]) -> bool:
    return item is message or (isinstance(item, dict) and same(item, dict(message)))


def _writers(facts: Facts, position: int, message: Mapping[str, Any]) -> tuple[str | None, ...]:
    """The nodes that a message may have come from at a checkpoint, the likeliest first.

    An edit at a checkpoint that comes from the node which wrote it is followed by what followed then.
    """
    parent, source = facts.tree.parents[position], facts.tree.heads[position].source
    if source in BY_HAND:
        return (None, *nodes_seen(facts.states))
    tasks = (facts.states[parent]["tasks"] or []) if parent >= 0 else []
    names = list(dict.fromkeys(str(task["name"]) for task in tasks if task.get("name")))
    if names == [START]:
        return (None, START)
    if len(names) == 1:
        return (names[0],)
    wrote = [str(task["name"]) for task in tasks if task.get("name") and _holds(task.get("result"), message)]
    return tuple(dict.fromkeys((*wrote, *names, None)))


def _holds(value: Any, message: Mapping[str, Any], depth: int = 4) -> bool:
    """Whether a task's result has a message, which may have got its id only afterwards."""
    if isinstance(value, Mapping):
        if role(value) is not None:
            return _is_same({**value, "id": value.get("id") or message.get("id")}, message)
        value = list(value.values())
    return isinstance(value, list) and depth > 0 and any(_holds(item, message, depth - 1) for item in value)
