"""What counts a message's tokens: a real tokenizer that needs no network, or a documented approximation. Pure."""

import importlib.machinery
import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from .messages import Message, role, text, tool_calls

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
    in the wheel and loads when the first message is counted.
    """
    if importlib.util.find_spec("bpe_openai") is None:
        return Counter("approximate", approximate)
    return Counter("tokenizer:o200k", o200k)


@lru_cache
def _count_text() -> Callable[[str], int]:
    """The wheel's compiled counter; its Python side spends half a second on tables that counting does not need."""
    try:
        package = importlib.util.find_spec("bpe_openai")
        places = package.submodule_search_locations if package else None
        compiled = importlib.machinery.PathFinder.find_spec("bpe_openai._bindings", places)
        module = importlib.util.module_from_spec(compiled)  # type: ignore[arg-type]
        count: Callable[[str], int] = module.tokenizer_for_encoding("o200k_base").count
        return count
    except (ImportError, AttributeError, TypeError):
        import bpe_openai

        encoding = bpe_openai.get_encoding("o200k_base")
        return lambda text: len(encoding.encode_ordinary(text))


def o200k(message: Message) -> int:
    """Tokens of what a message says and calls, by OpenAI's o200k vocabulary."""
    said = [text(message), *(f"{call.get('name')}{_json(call.get('args'))}" for call in tool_calls(message))]
    pieces = (part[start : start + PIECE] for part in said for start in range(0, len(part), PIECE))
    return sum(map(_count_text(), pieces))


def _json(value: Any) -> str:
    return orjson.dumps(value, default=repr).decode()
