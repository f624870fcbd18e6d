"""The acts of a sitting as code: forkbook's own line first, then what the other clients type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import ForkbookError
from ..face.blocks import Block, heading, note
from ..snippets import LANGUAGES, Code, Gesture, Place, code
from ..snippets.layout import call, laid
from ..snippets.literals import python_literal


class HasCode(Protocol):
    """An act or a copy's report."""

    def code(self, language: str | None = None) -> Code:
        """What was done, in a language."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An act of this sitting.

    Attributes:
        title: What was done, in a few words.
        line: forkbook's own line.
        code: Gives the code in a language.
    """

    title: str
    line: str
    code: Callable[[str | None], Code]


def kept(title: str, line: str, done: HasCode) -> Kept:
    """An act that was done."""
    return Kept(title, line, lambda language: done.code(language))


def coming(title: str, line: str, place: Place, gesture: Gesture) -> Kept:
    """One that is about to be made."""
    return Kept(title, line, lambda language: code(place, gesture, language))


def line_of(thread_id: str, checkpoint_id: str | None, method: str, given: Any, options: Mapping[str, Any]) -> str:
    """forkbook's own line.

    Args:
        thread_id: The thread.
        checkpoint_id: The checkpoint; None: it is about the thread.
        method: The method's name.
        given: Its first argument; `...`: none.
        options: Its keywords.
    """
    imports = set[str]()
    at = "" if checkpoint_id is None else f'["{checkpoint_id}"]'
    arguments = () if given is ... else (python_literal(given, imports),)
    named = [(f"{name}=", python_literal(value, imports)) for name, value in options.items() if value]
    line = laid(call(f'book["{thread_id}"]{at}.{method}', *arguments, options=named), "done = ")
    return "\n".join([*sorted(imports), line])


def act_blocks(act: Kept) -> list[Block]:
    """An act: its title, forkbook's line, and the code of each language; the one that fits the place is open."""
    try:
        shown = act.code(None).language
    except ForkbookError as error:
        return [heading(act.title), _code("forkbook", "forkbook", act.line, shown=True), note(str(error))]
    others = [_block(act, language, language == shown) for language in LANGUAGES]
    return [heading(act.title), _code("forkbook", "forkbook", act.line, shown=True), *others]


def _block(act: Kept, language: str, shown: bool) -> Block:
    try:
        return _code(LANGUAGES[language].highlighted_as, LANGUAGES[language].label, str(act.code(language)), shown)
    except ForkbookError as error:
        return note(f"{LANGUAGES[language].label}: {error}")


def _code(language: str, label: str, text: str, shown: bool) -> Block:
    return {"kind": "code", "language": language, "label": label, "text": text, "open": shown}
