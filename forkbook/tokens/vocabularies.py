"""The tokenizers that are on this machine, by model or encoding; none is ever fetched. Pure but for reading files.

The wheel bpe-openai brings its vocabularies. tiktoken fetches its own, without a time-out: it is asked only for what
already lies in its cache, whole.
"""

import importlib.machinery
import importlib.util
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any

from ..errors import InvalidInput

Count = Callable[[str], int]
IN_WHEEL = ("o200k_base", "cl100k_base")
MODELS = {
    "gpt-4o": "o200k_base", "chatgpt-4o": "o200k_base", "gpt-4.1": "o200k_base", "gpt-4.5": "o200k_base",
    "gpt-5": "o200k_base", "o1": "o200k_base", "o3": "o200k_base", "o4": "o200k_base",
    "gpt-4": "cl100k_base", "gpt-3.5": "cl100k_base", "gpt-35": "cl100k_base", "text-embedding-3": "cl100k_base",
}  # fmt: skip


def named(name: str) -> tuple[str, Count]:
    """The encoding of a model, or of its own name, and what counts a text's tokens by it.

    Raises:
        InvalidInput: There is none on this machine.
    """
    encoding = encoding_of(name)
    if encoding in IN_WHEEL and in_wheel():
        return encoding, lambda text: wheel(encoding)(text)
    found = cached(name)
    if found is None:
        ways = ("approximate", *(IN_WHEEL if in_wheel() else ()), *(MODELS if in_wheel() else ()))
        raise InvalidInput(
            f"no tokenizer for {name!r} on this machine, and none is fetched. These names work: {', '.join(ways)}, and "
            "models whose names begin so; or give a function from a message to its tokens"
            + ("" if in_wheel() else "; more with pip install 'forkbook[tokens]'"),
            candidates=ways,
        )
    return found


def encoding_of(name: str) -> str | None:
    """The encoding of an OpenAI model (dated, sized and fine-tuned ones, too) or of its own name; None: not known."""
    if name in IN_WHEEL or f"{name}_base" in IN_WHEEL:
        return name if name in IN_WHEEL else f"{name}_base"
    model = name.removeprefix("ft:")
    return next((MODELS[start] for start in MODELS if f"{model}-".startswith((f"{start}-", f"{start}:"))), None)


def in_wheel() -> bool:
    """Whether bpe-openai is installed."""
    return importlib.util.find_spec("bpe_openai") is not None


@lru_cache
def wheel(encoding: str) -> Count:
    """The wheel's compiled counter; its Python side spends half a second on tables that counting does not need."""
    try:
        package = importlib.util.find_spec("bpe_openai")
        places = package.submodule_search_locations if package else None
        compiled = importlib.machinery.PathFinder.find_spec("bpe_openai._bindings", places)
        module = importlib.util.module_from_spec(compiled)  # type: ignore[arg-type]
        count: Count = module.tokenizer_for_encoding(encoding).count
    except (ImportError, AttributeError, TypeError):
        import bpe_openai

        slow = bpe_openai.get_encoding(encoding)
        return lambda text: len(slow.encode_ordinary(text))
    return count


def cached(name: str) -> tuple[str, Count] | None:
    """An encoding of tiktoken's whose files are all in its cache; None: there is none."""
    try:
        import tiktoken
        from tiktoken import registry

        encoding = name if name in tiktoken.list_encoding_names() else tiktoken.encoding_name_for_model(name)
        constructor = (registry.ENCODING_CONSTRUCTORS or {})[encoding]
    except (ImportError, KeyError, ValueError):
        return None
    files = list(_files(constructor))
    if encoding not in registry.ENCODINGS and not (files and all(_is_cached(*file) for file in files)):
        return None
    tokens = tiktoken.get_encoding(encoding)
    return encoding, lambda text: len(tokens.encode_ordinary(text))


def _files(constructor: Any) -> Iterator[tuple[str, str]]:
    """The addresses that a constructor of tiktoken's loads, and their SHA-256: both stand in its code as constants."""
    code: CodeType = constructor.__code__
    constants = [text for text in code.co_consts if isinstance(text, str)]
    digests = [text for text in constants if len(text) == 64 and text.isalnum()]
    yield from zip((text for text in constants if "://" in text), digests, strict=False)
    for helper in code.co_names:
        if helper in constructor.__globals__.get("ENCODING_CONSTRUCTORS", {}):
            yield from _files(constructor.__globals__["ENCODING_CONSTRUCTORS"][helper])


def _is_cached(address: str, digest: str) -> bool:
    import hashlib
    import tempfile

    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder is None:
        folder = os.path.join(tempfile.gettempdir(), "data-gym-cache")
    file = Path(folder) / hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
    return bool(folder) and file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == digest
