"""Answers to interrupts: what a checkpoint asks, which of it is open, and how to answer again what was answered.

LangGraph keeps a task's answers with its checkpoint: whoever answers again gets the old answer, without a word. So that
is asked anew first, by a replay from the checkpoint that asked first, and the fresh interrupt is answered.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import timetravel
from .acts import Act, placed, ran
from .backends.base import RunSettings, State
from .errors import ActFailed, Refused
from .escape import short

if TYPE_CHECKING:
    from .checkpoint import Checkpoint

INTERRUPT_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Question:
    """An interrupt of a task.

    Attributes:
        id: The interrupt's id; a replay asks under another one.
        value: What is asked.
        node: The task's node; for an interrupt inside a subgraph the one that runs the subgraph.
        task_id: The task.
        place: Where in the checkpoint: the task's name and path, and which of the task's interrupts.
        open: Whether the task has neither a result nor an error. A task that failed after its answer has kept it.
    """

    id: str
    value: Any = field(hash=False)
    node: str
    task_id: str
    place: tuple[str, str, int]
    open: bool

    def __str__(self) -> str:
        return f"{self.id} ({self.node} asks {short(self.value)})"


def questions(state: State) -> list[Question]:
    """What the tasks of a checkpoint asked last, answered or not; a node's earlier interrupts are not kept."""
    return [
        Question(
            str(raised.get("id")),
            raised.get("value"),
            str(task["name"]),
            str(task["id"]),
            (str(task["name"]), repr(task.get("path")), number),
            task.get("result") is None and not task.get("error"),
        )
        for task in state["tasks"] or ()
        for number, raised in enumerate(task.get("interrupts") or ())
    ]


def waiting_for(state: State) -> list[dict[str, Any]]:
    """The open interrupts of a checkpoint, each with id, value, node and task_id."""
    return [
        {"id": asked.id, "value": asked.value, "node": asked.node, "task_id": asked.task_id}
        for asked in questions(state)
        if asked.open
    ]


def answer(cp: Checkpoint, value: Any, in_copy: bool, **given: Any) -> Act:
    """Answer what a checkpoint asks; whatever can be refused is refused before anything is written."""
    backend = cp.history.book.backend
    backend.require("run", "answer an interrupt")
    state = timetravel.current(backend, cp.thread_id, cp.id, in_copy=in_copy)
    answers = _by_question(cp, state, backend.as_sent({"answer": value})["answer"])
    how = timetravel.settings(backend, cp.own_settings(), cp.thread_id, **given)
    again = not all(asked.open for asked in answers)
    origin = _that_asked_first(cp) if again else cp
    if again:
        _can_ask_anew(origin)
    place, notes = placed(origin, in_copy)
    if again:
        place, answers = _asked_anew(place, how, answers)
        notes = (*notes, f"it was answered before, so {origin.short_id} was replayed to ask anew, on a new branch")
    act = ran("answer", place, how, notes, command={"resume": {asked.id: said for asked, said in answers.items()}})
    return dataclasses.replace(act, notes=(*act.notes, *_told(place, answers, act)))


def _by_question(cp: Checkpoint, state: State, value: Any) -> dict[Question, Any]:
    """Which question gets which answer: by interrupt ids, or the one value for the one question.

    Raises:
        Refused: Nothing was asked, or it is not clear what is to be answered.
    """
    asked = questions(state)
    if not asked:
        raise _nothing_asked(cp, state)
    by_id = {question.id: question for question in asked}
    if isinstance(value, Mapping) and value and all(map(INTERRUPT_ID.fullmatch, map(str, value))):
        if unknown := [key for key in value if key not in by_id]:
            raise _refused(cp, f"no interrupt {', '.join(unknown)} at checkpoint {cp.short_id}; it has", asked)
        return {by_id[key]: said for key, said in value.items()}
    wanted = [question for question in asked if question.open] or asked
    if len(wanted) > 1:
        raise _refused(
            cp, f"checkpoint {cp.short_id} asks {len(wanted)} questions: answer({{id: value, …}}) with", wanted
        )
    return {wanted[0]: value}


def _nothing_asked(cp: Checkpoint, state: State) -> Refused:
    waiting = [other for other in cp.history if any(asked.open for asked in questions(other.state))]
    where = f"; checkpoints that ask: {', '.join(other.short_id for other in waiting)}" if waiting else ""
    if state["next"]:
        why = f"it stands before {', '.join(state['next'])}, and resume() goes on"
    else:
        why = "what runs next is not known" if state["next"] is None else "it is finished"
    return Refused(
        f"nothing is asked at checkpoint {cp.short_id}: {why}{where}",
        thread_id=cp.thread_id,
        checkpoint_id=cp.id,
        candidates=[other.id for other in waiting],
    )


def _refused(cp: Checkpoint, what: str, asked: Sequence[Question]) -> Refused:
    return Refused(
        f"{what} {', '.join(map(str, asked))}",
        thread_id=cp.thread_id,
        checkpoint_id=cp.id,
        candidates=[question.id for question in asked],
    )


def _that_asked_first(cp: Checkpoint) -> Checkpoint:
    """The checkpoint that a replay is to start from: above those that are replays of it themselves."""
    while cp.source == "fork" and (above := cp.parent) is not None and _same_task(cp.state, above.state):
        cp = above
    return cp


def _same_task(a: State, b: State) -> bool:
    return a["values"] == b["values"] and _places(questions(a)) == _places(questions(b))


def _places(asked: Iterable[Question]) -> set[tuple[str, str, int]]:
    return {question.place for question in asked}


def _can_ask_anew(origin: Checkpoint) -> None:
    """Look that a replay asks anew: at an edit that is the thread's head, LangGraph keeps the results of other tasks.

    Raises:
        Refused: Some of the tasks there have results already.
    """
    state = origin.history.book.backend.state(origin.thread_id)
    if state is None or state["checkpoint"]["checkpoint_id"] != origin.id or origin.source not in ("update", "fork"):
        return
    if any(task.get("result") is not None for task in state["tasks"] or ()):
        waiting = [asked for asked in questions(state) if asked.open]
        raise _refused(
            origin, f"checkpoint {origin.short_id} cannot ask anew while others wait there; answer first", waiting
        )


def _asked_anew(
    place: Checkpoint, how: RunSettings, answers: Mapping[Question, Any]
) -> tuple[Checkpoint, dict[Question, Any]]:
    """Replay until the questions are asked again; the checkpoint that asks now, and its questions with the answers.

    Raises:
        ActFailed: They are not, or others are.
    """
    backend = place.history.book.backend
    outcome = backend.run(
        place.thread_id, place.id, dataclasses.replace(how, interrupt_before=None, interrupt_after=None)
    )
    history = place.history.refreshed()
    written = [cp for cp in history if cp.run_id == outcome.run_id]
    fresh = written[-1] if written else history[place.id]
    asked = [question for question in questions(fresh.state) if question.open]
    found = {question: _again(question, answers, asked) for question in answers}
    if None in found.values():
        raise ActFailed(
            f"the replay of checkpoint {place.short_id} led to {fresh.short_id}, which does not ask the same again: "
            + (outcome.error or ", ".join(map(str, asked)) or "it asks nothing"),
            thread_id=place.thread_id,
            checkpoint_id=fresh.id,
            candidates=[question.id for question in asked],
        )
    return fresh, {now: answers[before] for before, now in found.items() if now is not None}


def _again(before: Question, answers: Mapping[Question, Any], asked: Sequence[Question]) -> Question | None:
    """A question as it is asked now: at the same place, or, where several inside a subgraph are, the same value."""
    here = [question for question in asked if question.place[:2] == before.place[:2]]
    of_task = [question for question in answers if question.place[:2] == before.place[:2]]
    if len(here) <= 1 and len(of_task) == 1:
        return here[0] if here else None
    same = [question for question in here if question.value == before.value]
    return same[0] if len(same) == 1 else next((now for now in here if now.place == before.place), None)


def _told(place: Checkpoint, answers: Mapping[Question, Any], act: Act) -> list[str]:
    nodes = ", ".join(dict.fromkeys(question.node for question in answers))
    notes = [f"{nodes} ran again from the top: what it does before it asks was done again"]
    if act.checkpoint.id == place.id and (left := waiting_for(act.checkpoint.state)):
        notes.append(f"still open there: {', '.join(short(item['value']) for item in left)}")
    return notes
