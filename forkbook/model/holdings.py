"""Which messages the state of each checkpoint holds: what is new there, what is gone, what is hidden. Pure."""

import operator
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .messages import HIDDEN, Finder, Held, Key, Message, channels, distinct, role, same, unused
from .states import DEEPEST, is_placeholder
from .tree import Tree

Found = list[tuple[Key, Message]]


@dataclass(frozen=True, slots=True)
class Holdings:
    """The messages of one checkpoint's state, beside those of its parent's.

    Where a part of the state is unknown, what cannot be seen there counts as still held, never as gone.

    Attributes:
        fresh: What the parent's state has not, or in another version.
        gone: What it has no more, or in another version.
        n_held: How many messages can be seen, or could be at an ancestor and are not known to be gone.
        hidden: The channels that may hold messages which cannot be seen, and why; "__root__" is the whole state.
    """

    fresh: Held
    gone: Held
    n_held: int
    hidden: Mapping[str, str]


def holdings(tree: Tree, values: Sequence[Any]) -> list[Holdings]:
    """The holdings of each checkpoint, by position.

    Along a line the messages are one dict that grows, so the whole costs as much as what is new.
    """
    finder = Finder()
    result: list[Holdings] = []
    holding: dict[int, Held] = {}  # only of positions whose children are yet to come
    for position, parent in enumerate(tree.parents):
        before: Held = {}
        hidden: Mapping[str, str] = {}
        if parent >= 0:
            last_child = tree.children[parent][-1] == position
            before = holding.pop(parent) if last_child else dict(holding[parent])
            hidden = result[parent].hidden
        more = added(finder, values[parent], values[position]) if parent >= 0 else None
        more = None if more is None else _numbered(more, before)
        fresh, unseen = _apart(more or [])
        gone: Held = {}
        if more is None:
            now, hidden = _apart(list(distinct(finder.in_state(values[position]))))
            fresh, gone = _difference(before, now, whole=not hidden)
            before = before | now if hidden else now
        else:
            before |= fresh
            hidden = {**hidden, **unseen} if unseen else hidden
        result.append(Holdings(fresh, gone, len(before), hidden))
        if tree.children[position]:
            holding[position] = before
    return result


def _numbered(more: Found, before: Held) -> Found | None:
    """What was added, under keys that set it apart from what was there; None where a message may be held already."""
    fresh: Held = {}
    for key, item in more:
        if key[0] == "id":
            if key in fresh or key in before:
                return None
            fresh[key] = item
        elif key[0] != HIDDEN:
            fresh[unused(key, ChainMap(fresh, before))] = item
    return [*fresh.items(), *(each for each in more if each[0][0] == HIDDEN)]


def _apart(found: Found) -> tuple[Held, dict[str, str]]:
    """Messages, and the channels in which some are hidden."""
    held = {key: item for key, item in found if key[0] != HIDDEN}
    hidden = {str(key[1]): str(item.get("reason") or item["__type__"]) for key, item in found if key[0] == HIDDEN}
    return held, hidden


def _difference(before: Held, now: Held, whole: bool) -> tuple[Held, Held]:
    """What is new and what is gone; of a state that is not known as a whole only what was replaced is gone."""
    fresh = {key: message for key, message in now.items() if key not in before or not same(before[key], message)}
    gone = {key: message for key, message in before.items() if key in fresh or (whole and key not in now)}
    return fresh, gone


def added(finder: Finder, old: Any, new: Any) -> Found | None:
    """The messages and placeholders that a state has beside those of another, where it only adds to its channels.

    None if it does anything else, or if telling would need a closer look. Sharing makes this quick: what both states
    hold is the same object.
    """
    before, now = channels(old), channels(new)
    return _more(finder, None, before, now, DEEPEST)


def _more(
    finder: Finder, channel: str | None, old: Mapping[str, Any], new: Mapping[str, Any], depth: int
) -> Found | None:
    """The same of two dicts: the channels of a state (`channel` is None), or what is inside of one."""
    if old.keys() - new.keys() or not depth:
        return None
    found: Found = []
    for name, value in new.items():
        before = old.get(name)
        if value is before:
            continue
        more = _grown(finder, name if channel is None else channel, before, value, depth)
        if more is None:
            return None
        found += more
    return found


def _grown(finder: Finder, channel: str, old: Any, new: Any, depth: int) -> Found | None:
    """The same of one value; one that held nothing may have become anything."""
    if not isinstance(new, list | dict) and not isinstance(old, list | dict):
        return []
    if isinstance(new, list) and (old is None or isinstance(old, list)):
        kept = len(old or ())
        if kept <= len(new) and all(map(operator.is_, old or (), new)):
            return [each for item in new[kept:] for each in finder.find(channel, item, depth - 1)]
    elif _is_plain_dict(old) and _is_plain_dict(new):
        more = _more(finder, channel, old, new, depth - 1)
        if more is not None:
            return more
    held_any = next(finder.find(channel, old, depth), None) is not None
    return None if held_any else list(finder.find(channel, new, depth))


def _is_plain_dict(value: Any) -> bool:
    return isinstance(value, dict) and not role(value) and not is_placeholder(value)
