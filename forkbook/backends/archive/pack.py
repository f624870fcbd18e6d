"""A thread taken apart for an archive; `archive_unpack` puts it together again. Pure: no file, no SQL.

A state becomes a *skeleton*: the state itself, in which each channel of `values` and of a task's `result` is replaced.
A list, a dict or a long text by the hash of its content, in base64; another value by a list with just that value. What
the hashes stand for is a *leaf* (the JSON of one message, or of another whole value) or a *list* of leaves. A list is
kept as what it adds to the channel's last one: `[base, part, part …]`, a part being a leaf or `[start, length]`, a
slice of the base.

The *digest* of a thread is the hash of its record and of all skeletons, ordered by namespace and checkpoint id. As
hashes stand in the skeletons, it covers everything, and does not depend on how lists and leaves are stored.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...model.states import State, Thread, id_of, key_of, namespace
from .text import encoded, hash_of, hasher

SHORT = 64  # characters; longer texts are leaves
DIGEST_BYTES = 32
UNLISTED = {"values", "error", "state_updated_at"}  # of a thread's record; lists of threads do not have them
Part = bytes | list[int]


@dataclass(frozen=True, slots=True)
class PackedList:
    """A list as slices of another and leaves of its own.

    Attributes:
        base: The place of the other list, or -1.
        parts: `[start, length]` of the base, or the hash of a leaf.
    """

    base: int
    parts: list[Part]


@dataclass(slots=True)
class Packed:
    """A thread taken apart.

    Attributes:
        thread_id: The thread's id.
        record: The text of its record.
        ids: Its checkpoints' ids, namespace by namespace, oldest first.
        skeletons: The texts of its states.
        leaves: Each leaf's text by its hash.
        lists: Each list, after its base.
    """

    thread_id: str
    record: bytes
    ids: list[str] = field(default_factory=list)
    skeletons: list[bytes] = field(default_factory=list)
    leaves: dict[bytes, bytes] = field(default_factory=dict)
    lists: list[PackedList] = field(default_factory=list)

    @property
    def digest(self) -> bytes:
        """The hash of the thread's whole content."""
        return digest(self.record, self.skeletons)


def digest(record: bytes, skeletons: Sequence[bytes]) -> bytes:
    """The hash of a thread's whole content."""
    hashes = (hash_of("skeleton", text) for text in skeletons)
    return hash_of("thread", hash_of("record", record) + b"".join(hashes), DIGEST_BYTES)


def pack(record: Thread, states: Sequence[State]) -> Packed:
    """Take a thread apart.

    Args:
        record: Its record, of which `UNLISTED` is left out.
        states: Its states, of every namespace, in any order; they must not change meanwhile.

    Raises:
        NotJson: A value is not JSON.
    """
    kept = {key: value for key, value in sorted(record.items()) if key not in UNLISTED}
    packed = Packed(str(record["thread_id"]), encoded(kept))
    packer = _Packer(packed)
    for state in sorted(states, key=key_of):
        packed.ids.append(id_of(state))
        packed.skeletons.append(encoded(packer.skeleton(state)))
    return packed


@dataclass(slots=True)
class _Last:
    """The newest list of a channel."""

    place: int
    items: list[bytes]
    hasher: Any


class _Packer:
    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._known: dict[int, bytes] = {}  # hashes of leaves by the object's id; the caller's states keep it alive
        self._places: dict[bytes, int] = {}
        self._last: dict[tuple[str, str, str], _Last] = {}

    def skeleton(self, state: State) -> State:
        ns, state = namespace(state), dict(state)
        if "values" in state:
            state["values"] = self._channels((ns, "values"), state["values"])
        if isinstance(state.get("tasks"), list):
            state["tasks"] = [
                task | {"result": self._channels((ns, "result"), task["result"])} if has_result(task) else task
                for task in state["tasks"]
            ]
        return state

    def _channels(self, where: tuple[str, str], values: Any) -> Any:
        if not isinstance(values, dict):
            return self._stand_in((*where, ""), values)
        return {channel: self._stand_in((*where, channel), value) for channel, value in values.items()}

    def _stand_in(self, where: tuple[str, str, str], value: Any) -> Any:
        if isinstance(value, list):
            return b64encode(self._list(where, value)).decode()
        if isinstance(value, dict) or (isinstance(value, str) and len(value) > SHORT):
            return b64encode(self._leaf(value)).decode()
        return [value]

    def _leaf(self, value: Any) -> bytes:
        if (known := self._known.get(id(value))) is not None:
            return known
        text = encoded(value)
        hash_ = self._known[id(value)] = hash_of("leaf", text)
        self._packed.leaves.setdefault(hash_, text)
        return hash_

    def _list(self, where: tuple[str, str, str], values: list[Any]) -> bytes:
        known = self._known.get
        items = [known(id(value)) or self._leaf(value) for value in values]
        last = self._last.get(where)
        grown = last is not None and items[: len(last.items)] == last.items
        if last is not None and grown:
            hashing = last.hasher.copy()
            hashing.update(b"".join(items[len(last.items) :]))
        else:
            hashing = hasher("list")
            hashing.update(b"".join(items))
        hash_: bytes = hashing.digest()
        if hash_ not in self._places:
            self._places[hash_] = len(self._packed.lists)
            self._packed.lists.append(_difference(last, items, grown))
        self._last[where] = _Last(self._places[hash_], items, hashing)
        return hash_


def has_result(task: Any) -> bool:
    """Whether a task holds writes."""
    return isinstance(task, dict) and task.get("result") is not None


def _difference(last: _Last | None, items: list[bytes], grown: bool) -> PackedList:
    if last is None or not last.items:
        return PackedList(-1, list(items))
    if grown:
        return PackedList(last.place, [[0, len(last.items)], *items[len(last.items) :]])
    return PackedList(last.place, list(_slices(last.items, items)))


def _slices(base: list[bytes], items: list[bytes]) -> Iterator[Part]:
    """A list as slices of a base and items that the base has not."""
    places = {item: place for place, item in reversed(list(enumerate(base)))}
    position = 0
    while position < len(items):
        start = places.get(items[position])
        if start is None:
            yield items[position]
            position += 1
            continue
        length = 1
        longest = min(len(base) - start, len(items) - position)
        while length < longest and base[start + length] == items[position + length]:
            length += 1
        yield [start, length]
        position += length
