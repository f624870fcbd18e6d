"""A thread put together again from what `archive_pack` made of it. Pure: no file, no SQL."""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.states import State
from .pack import has_result
from .text import hasher

AT_A_TIME = 10_000  # hashes that are put together
Leaf = tuple[Any, bytes]  # its value and its hash


@dataclass(slots=True)
class _List:
    values: list[Any]
    hashes: list[bytes]
    hasher: Any


class Contents:
    """What the hashes in a thread's skeletons stand for; each value exists once, so look, but do not change.

    Args:
        leaves: Its leaves, by their numbers.
        check: Told of each list before it is built: how many items it has, and how many of them are new in it.
    """

    def __init__(self, leaves: Mapping[int, Leaf], check: Callable[[int, int], None]) -> None:
        self._leaves = leaves
        self._check = check
        self._lists: dict[int, _List | None] = {}
        self._by_hash = {hash_: value for value, hash_ in leaves.values()}

    def add_list(self, place: int, row: Sequence[Any]) -> None:
        """Take in a list, `[base, part, part …]` with leaves by their numbers; what is damaged stays away."""
        built = self._lists[place] = self._built(row)
        if built:
            self._by_hash[built.hasher.digest()] = built.values

    def _built(self, row: Sequence[Any]) -> _List | None:
        place, *parts = row
        base = self._lists.get(place)
        known = len(base.values) if base else 0
        length = sum([_length(part, known) if isinstance(part, list) else 1 for part in parts])
        self._check(length, max(0, length - known))
        values: list[Any] = []
        hashes: list[bytes] = []
        for part in parts:
            if isinstance(part, list):
                if base is None:
                    return None
                start, length = part
                values += base.values[start : start + length]
                hashes += base.hashes[start : start + length]
            elif part in self._leaves:
                value, hash_ = self._leaves[part]
                values.append(value)
                hashes.append(hash_)
            else:
                return None
        return _List(values, hashes, _hasher(base, hashes, parts))

    def fill(self, state: State) -> State:
        """Make a skeleton the state that it was; in place.

        Raises:
            KeyError: A hash in it stands for nothing here, so something is damaged.
        """
        if "values" in state:
            state["values"] = self._channels(state["values"])
        if isinstance(state.get("tasks"), list):
            for task in state["tasks"]:
                if has_result(task):
                    task["result"] = self._channels(task["result"])
        return state

    def _channels(self, values: Any) -> Any:
        if not isinstance(values, dict):
            return self._value(values)
        return {channel: self._value(value) for channel, value in values.items()}

    def _value(self, stand_in: Any) -> Any:
        return self._by_hash[b64decode(stand_in)] if isinstance(stand_in, str) else stand_in[0]


def _length(part: Sequence[int], known: int) -> int:
    """How many items a slice of a base has, where the base has so many."""
    start, length = part
    if start < 0:
        raise ValueError("a part of a list begins before its base")
    return max(0, min(length, known - start))


def _hasher(base: _List | None, hashes: list[bytes], parts: Sequence[Any]) -> Any:
    grown = base is not None and bool(parts) and parts[0] == [0, len(base.hashes)]
    hashing, known = (base.hasher.copy(), len(base.hashes)) if base and grown else (hasher("list"), 0)
    for start in range(known, len(hashes), AT_A_TIME):
        hashing.update(b"".join(hashes[start : start + AT_A_TIME]))
    return hashing
