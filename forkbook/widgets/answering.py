"""The answer box: what a checkpoint asks, and what to say to it."""

import json
from collections.abc import Sequence
from typing import Any

import ipywidgets as w

from ..checkpoint import Checkpoint
from ..errors import InvalidInput
from ..model.questions import Question, questions
from ..model.text import visible
from ..plot.html import GREY, WRAP, cut, esc, line, lines

SHOWN = 2_000  # characters of a question
AS_TEXT, AS_JSON = "as text", "as JSON"


class AnswerBox(w.VBox):
    """Shows where a checkpoint has an interrupt, hidden elsewhere.

    Attributes:
        button: Answers.
    """

    def __init__(self) -> None:
        self.button = w.Button(description="Answer", button_style="primary", layout=w.Layout(width="auto", flex="none"))
        self._asked = w.HTML()
        self._which = w.Dropdown(description="question", layout=w.Layout(width="auto"))
        self._answer = w.Text(placeholder="an answer", layout=w.Layout(width="auto", flex="1 1 160px"))
        self._form = w.Dropdown(options=[AS_TEXT, AS_JSON], layout=w.Layout(width="100px"))
        row = w.HBox([self._answer, self._form, self.button], layout=w.Layout(flex_flow="row wrap"))
        super().__init__([self._asked, self._which, row])
        self.add_class("forkbook-answer")

    def show(self, checkpoint: Checkpoint) -> None:
        """Show what a checkpoint asks."""
        asked = questions(checkpoint.state)
        self.layout.display = None if asked else "none"
        self._asked.value = asked_html(asked)
        self._which.options = [
            (visible(f"{question.node or 'a task'}: {line(question.value)[:40]}"), question.id) for question in asked
        ]
        self._which.index = 0 if asked else None
        self._which.layout.display = None if len(asked) > 1 else "none"

    def answer(self) -> dict[str, Any]:
        """What was typed, as `Checkpoint.answer` takes it: `value` or `by_id`.

        Raises:
            InvalidInput: It is no JSON, where it is to be.
        """
        typed = self._answer.value
        if self._form.value == AS_JSON:
            try:
                typed = json.loads(typed)
            except json.JSONDecodeError as error:
                raise InvalidInput(f"this answer is not valid JSON: {error.msg}, column {error.colno}") from error
        return {"by_id": {self._which.value: typed}} if len(self._which.options) > 1 else {"value": typed}


def asked_html(asked: Sequence[Question]) -> str:
    """The questions, and what it means to answer them."""
    boxes = "".join(
        f"<div style='border-left:3px solid #d97f00;padding:1px 8px;margin:5px 0'><small style='{GREY}'>"
        f"{esc(question.node or 'a task')} "
        f"{'waits for an answer' if question.open else 'asked, and was answered'}</small>"
        f"<div style='{WRAP}'>{cut(said(question.value), SHOWN)}</div></div>"
        for question in asked
    )
    note = "The node runs again from its top when it is answered."
    if asked and not any(question.open for question in asked):
        note += " It was answered already: another answer asks it anew, on a new branch."
    return lines(f"<b>Question</b>{boxes}<small style='{GREY}'>{note}</small>")


def said(value: Any) -> str:
    """A question as text, or as JSON."""
    return value if isinstance(value, str) else line(value)
