"""Answers to the questions of a page; a slow one is answered from a thread, so that the notebook is free meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import InvalidInput
from ..model.text import short
from .answers import QUESTIONS, Question, Shows
from .jobs import in_thread, said

Reply = Callable[[dict[str, Any], list[bytes]], object]
SUPERSEDED = "a newer question took its place"


class Replies:
    """Answers questions.

    Args:
        shows: The explorer.
        reply: Sends a message to the page, with bytes beside it.
    """

    def __init__(self, shows: Shows, reply: Reply) -> None:
        self._shows, self._reply = shows, reply
        self._turns = {name: threading.Lock() for name in QUESTIONS}
        self._newest: dict[tuple[str, str], Any] = {}

    def take(self, id_: Any, name: Any, about: Any) -> None:
        """Answer a question: at once, or soon."""
        row = QUESTIONS.get(name) if isinstance(name, str) else None
        if row is None:
            error = InvalidInput(f"there is no question {short(name)}; there is {', '.join(QUESTIONS)}")
            self._reply({"id": id_, "error": str(error)}, [])
        elif not row.slow:
            self._answer(id_, row, about)
        else:
            view = (name, str(id_).rpartition("-")[0])
            self._newest[view] = id_
            in_thread(lambda: self._in_turn(id_, view, row, about), f"forkbook {name}")

    def _in_turn(self, id_: Any, view: tuple[str, str], row: Question, about: Any) -> None:
        """Answer, one question of a name at a time; what a person typed meanwhile makes an older search needless."""
        with self._turns[view[0]]:
            if view[0] == "find" and self._newest.get(view) != id_:
                self._reply({"id": id_, "error": SUPERSEDED}, [])
            else:
                self._answer(id_, row, about)

    def _answer(self, id_: Any, row: Question, about: Any) -> None:
        try:
            found = row.answer(self._shows, about if isinstance(about, Mapping) else {})
        except Exception as error:
            self._reply({"id": id_, "error": said(error)}, [])
            return
        if isinstance(found, bytes):
            self._reply({"id": id_, "answer": None}, [found])
        else:
            self._reply({"id": id_, "answer": found}, [])
