"""The code behind a gesture, as it could be typed: Python SDK, JavaScript SDK, cURL, and on a graph in this process.

place = snippets.place_of(book.backend)
snippets.code(place, snippets.of_edit(thread_id, checkpoint_id, {"topic": "chickens"}), "curl")
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from ..errors import InvalidInput
from ..model.edits import plain
from ..model.text import shown
from .hidden import hidden, masked_texts
from .languages import LANGUAGES
from .steps import (
    Gesture,
    Place,
    Step,
    Write,
    of_answer,
    of_copy,
    of_edit,
    of_first_run,
    of_fork,
    of_replay,
    of_resume,
    of_run,
    place_of,
)

__all__ = [
    "LANGUAGES",
    "Code",
    "Gesture",
    "Place",
    "code",
    "of_answer",
    "of_copy",
    "of_edit",
    "of_first_run",
    "of_fork",
    "of_replay",
    "of_resume",
    "of_run",
    "place_of",
]

DEV_SERVER = "http://localhost:2024"  # where `langgraph dev` puts it


class Code(str):
    """A snippet: text that a cell shows as it is, highlighted in a notebook.

    Attributes:
        language: `python`, `javascript`, `curl` or `graph`.
    """

    language: str

    def __new__(cls, text: str, language: str) -> Code:
        made = super().__new__(cls, text)
        made.language = language
        return made

    @shown
    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        fence = "`" * (1 + max(map(len, re.findall("`+", self)), default=2))
        return f"{fence}{LANGUAGES[self.language].highlighted_as}\n{self}\n{fence}"


def code(place: Place, gesture: Gesture, language: str | None = None) -> Code:
    """The code of a gesture; secrets in it are names of environment variables.

    Args:
        place: Where it is done. For one in this process the SDKs and cURL speak to `langgraph dev`, at its own address.
        gesture: What is done.
        language: One of `LANGUAGES`; None: what fits the place, `python` for a server, `graph` in this process.

    Raises:
        InvalidInput: There is no such language, or a value has no form in JSON, which all but `graph` need.

    Example:
        >>> from forkbook import snippets
        >>> edit = snippets.of_edit("thread-1", "1f0a", {"topic": "chickens"})
        >>> snippets.code(snippets.Place("http://localhost:2024"), edit, "curl")
        URL=http://localhost:2024
        THREAD_ID=thread-1
        ...
    """
    language = language or ("python" if place.url else "graph")
    if language not in LANGUAGES:
        raise InvalidInput(
            f"there is no code in {language!r}; there is {', '.join(LANGUAGES)}", candidates=list(LANGUAGES)
        )
    row = LANGUAGES[language]
    if row.in_process:
        return Code(row.write(place, hidden(gesture)), language)
    served = place if place.url else Place(DEV_SERVER)
    gesture = masked_texts(gesture)  # for errors about what is no JSON; objects become dicts now
    steps = tuple(map(_as_json, gesture.steps))
    as_json = dataclasses.replace(gesture, steps=steps, new=_plain(gesture.new))
    return Code(row.write(served, hidden(as_json)), language)


def _as_json(step: Step) -> Step:
    if isinstance(step, Write):
        return dataclasses.replace(step, values=_plain(step.values))
    replies = tuple(
        dataclasses.replace(reply, question=_plain(reply.question), value=_plain(reply.value)) for reply in step.replies
    )
    how = step.settings
    settings = dataclasses.replace(how, config=_plain(dict(how.config)), context=_plain(how.context))
    return dataclasses.replace(step, input=_plain(step.input), replies=replies, settings=settings)


def _plain(value: Any) -> Any:
    return plain({"value": value})["value"]
