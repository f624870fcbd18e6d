"""Tokens of messages, checkpoints and paths. Pure.

**context tokens** of a checkpoint: counted tokens of the messages in its state. **spent tokens**: only AI messages
spend, each at the checkpoint where it is new: not at a checkpoint whose source is `fork`, and not where an ancestor
holds the same id with the same usage. What the model reported counts; without a report it is an estimate, input = the
parent's context, output = the message.
"""

import importlib.util
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import orjson

from .messages import Key, Message, added, canonical, messages_in, role, text, tool_calls, usage
from .tree import Tree

PIECE = 50_000  # characters; the tokenizer wants long texts in pieces


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts a message's tokens; `name` is the method that numbers are labelled with."""

    name: str
    count: Callable[[Message], int]


def approximate(message: Message) -> int:
    """LangChain's approximate rule: a token for four characters of text, role, name and calls, and three more."""
    characters = len(text(message))
    calls = tool_calls(message)
    if calls and not isinstance(message["content"], list):
        characters += len(repr(calls))
    characters += len(message.get("tool_call_id") or "") + len(message.get("name") or "")
    characters += len({"human": "user", "ai": "assistant"}.get(role(message) or "", role(message) or ""))
    return math.ceil(characters / 4) + 3


@lru_cache
def default_counter() -> Counter:
    """The o200k tokenizer if its wheel is installed (`pip install 'forkbook[tokens]'`), else LangChain's approximation.

    The tokenizer counts a message's text and, for each tool call, its name and its arguments as JSON. Its vocabulary is
    in the wheel and loads, in about a second, when the first message is counted.
    """
    if importlib.util.find_spec("bpe_openai") is None:
        return Counter("approximate", approximate)
    return Counter("tokenizer:o200k", o200k)


@lru_cache
def _encoding() -> Any:
    import bpe_openai

    return bpe_openai.get_encoding("o200k_base")


def o200k(message: Message) -> int:
    """Tokens of what a message says and calls, by OpenAI's o200k vocabulary."""
    said = [text(message), *(f"{call.get('name')}{_json(call.get('args'))}" for call in tool_calls(message))]
    pieces = (part[start : start + PIECE] for part in said for start in range(0, len(part), PIECE))
    return sum(len(_encoding().encode_ordinary(piece)) for piece in pieces)


def _json(value: Any) -> str:
    return orjson.dumps(value, default=repr).decode()


@dataclass(frozen=True, slots=True)
class Spend:
    """What one AI message cost.

    Attributes:
        key: The message's key in its state.
        message: The message.
        input: Tokens that the model read.
        output: Tokens that it wrote.
        total: Both.
        reported: Whether the model said so; else it is an estimate.
    """

    key: Key
    message: Message
    input: int
    output: int
    total: int
    reported: bool


@dataclass(frozen=True, slots=True)
class New:
    """A message version where it is new: its parent holds no such message, or another version of it."""

    position: int
    key: Key
    message: Message
    spend: Spend | None


@dataclass(frozen=True)
class Ledger:
    """The accounts of one tree, by position.

    Attributes:
        n_messages: Messages in each checkpoint's state.
        new: Message versions that each checkpoint brought.
        lost: Message versions of its parent that each checkpoint has no more.
        changes: For each message key the positions where it is new, another version, or gone.
        count: Counts a message's tokens.
        counter: Its name.
    """

    tree: Tree
    n_messages: list[int]
    new: list[list[New]]
    lost: list[list[Message]]
    changes: dict[Key, list[int]]
    count: Callable[[Message], int]
    counter: str

    @cached_property
    def context(self) -> list[int]:
        """Context tokens of each checkpoint."""
        result: list[int] = []
        for parent, brought, lost in zip(self.tree.parents, self.new, self.lost, strict=True):
            gained = sum(self.count(item.message) for item in brought) - sum(map(self.count, lost))
            result.append(gained + (result[parent] if parent >= 0 else 0))
        return result

    def spends(self, positions: Sequence[int]) -> list[Spend]:
        """What the messages of some checkpoints cost."""
        return [item.spend for position in positions for item in self.new[position] if item.spend]

    def method(self, spends: Sequence[Spend]) -> str:
        """How these numbers were got: `reported`, the counter's name, `mixed`, or `none`."""
        kinds = {spend.reported for spend in spends}
        return "none" if not kinds else "mixed" if len(kinds) == 2 else "reported" if kinds.pop() else self.counter

    def split(self, tip: int) -> tuple[list[Spend], list[Spend]]:
        """Shared and own spends of a tip's path: shared ones are on checkpoints that another tip's path holds, too."""
        path = self.tree.lineage(tip)
        below = self.tree.tips_below
        return self.spends([p for p in path if below[p] > 1]), self.spends([p for p in path if below[p] == 1])


def total(spends: Sequence[Spend]) -> int:
    """Spent tokens; 0 where nothing was spent."""
    return sum(spend.total for spend in spends)


def ledger(tree: Tree, values: Sequence[Any], counter: Counter | None = None) -> Ledger:
    """Account for every message of a tree, each spent once; linear in checkpoints and messages.

    Args:
        tree: The checkpoints.
        values: Their states' values, by position.
        counter: What counts tokens; by default `default_counter()`.
    """
    counter = counter or default_counter()
    counts: dict[int, int] = {}

    def count(message: Message) -> int:
        if (known := counts.get(id(message))) is None:
            known = counts[id(message)] = counter.count(message)
        return known

    covers = ancestry(tree)
    spent: dict[tuple[Any, bytes], list[int]] = {}
    changes: dict[Key, list[int]] = {}
    n_messages: list[int] = []
    new: list[list[New]] = []
    lost: list[list[Message]] = []
    for position, fresh, gone, held in _steps(tree, values):
        brought = []
        for key, message in fresh.items():
            spend = None
            if role(message) == "ai":
                places = spent.setdefault((key, canonical(usage(message))), [])
                if tree.heads[position].source != "fork" and not any(covers(place, position) for place in places):
                    spend = _spend(key, message, held, fresh, gone, count)
                places.append(position)
            brought.append(New(position, key, message, spend))
        for key in fresh.keys() | gone.keys():
            changes.setdefault(key, []).append(position)
        n_messages.append(len(held))
        new.append(brought)
        lost.append(list(gone.values()))
    return Ledger(tree, n_messages, new, lost, changes, count, counter.name)


Held = dict[Key, Message]


def _steps(tree: Tree, values: Sequence[Any]) -> Iterator[tuple[int, Held, Held, Held]]:
    """For each position what its state has that the parent's has not, what is gone or replaced, and what it holds.

    Along a line the holdings are one dict that grows, so the whole costs as much as what is new.
    """
    holdings: dict[int, Held] = {}
    for position, parent in enumerate(tree.parents):
        before: Held = {}
        if parent >= 0:
            last_child = tree.children[parent][-1] == position
            before = holdings.pop(parent) if last_child else dict(holdings[parent])
        more = added(values[parent], values[position]) if parent >= 0 else None
        fresh, gone = dict(more or ()), {}
        if more is None or len(fresh) < len(more) or not before.keys().isdisjoint(fresh):
            now = dict(messages_in(values[position]))
            fresh = {key: message for key, message in now.items() if not _same(before.get(key), message)}
            gone = {key: message for key, message in before.items() if key in fresh or key not in now}
            before = now
        else:
            before |= fresh
        yield position, fresh, gone, before
        if tree.children[position]:
            holdings[position] = before


def _same(old: Message | None, new: Message) -> bool:
    return old is new or (old is not None and canonical(old) == canonical(new))


def _spend(key: Key, message: Message, held: Held, fresh: Held, gone: Held, count: Callable[[Message], int]) -> Spend:
    if not (said := usage(message)):
        read = sum(map(count, held.values())) - sum(map(count, fresh.values())) + sum(map(count, gone.values()))
        written = count(message)
        return Spend(key, message, read, written, read + written, reported=False)
    read, written = int(said.get("input_tokens") or 0), int(said.get("output_tokens") or 0)
    return Spend(key, message, read, written, int(said.get("total_tokens") or read + written), reported=True)


def ancestry(tree: Tree) -> Callable[[int, int], bool]:
    """A test whether one position is the other's ancestor (or itself), in constant time."""
    entered, left, clock = [0] * len(tree), [0] * len(tree), 0
    for root in tree.roots:
        stack = [(root, False)]
        while stack:
            position, done = stack.pop()
            clock += 1
            if done:
                left[position] = clock
            else:
                entered[position] = clock
                stack.append((position, True))
                stack.extend((child, False) for child in tree.children[position])
    return lambda above, below: entered[above] <= entered[below] and left[below] <= left[above]
