"""Answers to interrupts: what a checkpoint asks, which of it is open, and how to answer again what was answered.

LangGraph keeps a task's answers with its checkpoint: whoever answers again gets the old answer, without a word. So that
is asked anew first, by a replay from the checkpoint that asked first, and the fresh interrupt is answered.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..backends.records import RunSettings
from ..errors import ActFailed, Refused
from ..model.states import State
from ..model.text import short, shown
from ..snippets import of_answer, of_replay, of_run
from . import run_settings as runs
from . import write as timetravel
from .answer_forms import check_answer
from .options import AS_EVER, Manner
from .rules import asks_anew
from .verbs import Act, led, placed, ran

if TYPE_CHECKING:
    from ..checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Question:
    """An interrupt of a task.

    Attributes:
        id: The interrupt's id; a replay asks under another one. None: unknown, as some stores do not keep it.
        value: What is asked.
        node: The task's node; for an interrupt inside a subgraph the one that runs the subgraph. None: unknown.
        task_id: The task; None: unknown.
        path: The task's path, which tells parallel tasks of one node apart.
        open: Whether the task has neither a result nor an error. A task that failed after its answer has kept it.
    """

    id: str | None
    value: Any = field(hash=False)
    node: str | None
    task_id: str | None
    path: str
    open: bool

    @shown
    def __str__(self) -> str:
        return f"{self.id or 'an interrupt without an id'} ({self.node or 'a task'} asks {short(self.value)})"


def questions(state: State) -> list[Question]:
    """What the tasks of a checkpoint asked last, answered or not; a node's earlier interrupts are not kept."""
    return [
        Question(
            raised.get("id"),
            raised.get("value"),
            task["name"],
            task["id"],
            repr(task.get("path")),
            task.get("result") is None and not task.get("error"),
        )
        for task in state["tasks"] or ()
        for raised in task.get("interrupts") or ()
    ]


def waiting_for(state: State) -> list[dict[str, Any]]:
    """The open interrupts of a checkpoint, each with id, value, node and task_id; None where a store does not tell."""
    return [
        {"id": asked.id, "value": asked.value, "node": asked.node, "task_id": asked.task_id}
        for asked in questions(state)
        if asked.open
    ]


def answer(cp: Checkpoint, value: Any, by_id: Any, in_copy: bool, manner: Manner = AS_EVER, **given: Any) -> Act:
    """Answer what a checkpoint asks; whatever can be refused is refused before anything is written."""
    backend = cp.history.book.backend
    backend.require("run", "answer an interrupt")
    any_time = in_copy or manner.ready(backend, cp.thread_id)
    state = timetravel.current(backend, cp.thread_id, cp.id, in_copy=any_time)
    answers = _by_question(cp, state, value, by_id)
    how = runs.settings(backend, cp.own_settings(), cp.thread_id, **given)
    before, replay = questions(state), None
    again, edited = not all(question.open for question in answers), False
    place, notes = placed(_that_asked_first(cp) if again else cp, in_copy)
    if again:
        notes = (*notes, f"it was answered before, so {place.short_id} was replayed to ask anew, on a new branch")
        asking, beside = _asked_anew(place, how, notes, manner)
        replay = of_replay(cp.thread_id, place.id, how, beside=beside, in_copy=in_copy)
    elif edited := asks_anew(backend, place.thread_id, state):
        notes = (*notes, "a subgraph was edited since it asked: it was run to ask anew, and that was answered")
        asking, replay = _went_on(place, how, notes, manner), of_run(cp.thread_id, how, in_copy=in_copy)
    if replay:
        place, state, wanted = asking.checkpoint, asking.checkpoint.state, len(answers)
        answers = _as_asked_now(answers, before, questions(state), edited)
        if len(answers) < wanted:
            return dataclasses.replace(asking, notes=(_unanswered(asking), *asking.notes), gesture=replay)
    said = {str(question.id): value for question, value in answers.items()}
    act = ran("answer", place, how, notes, manner, command={"resume": said})
    gesture = of_answer(cp.thread_id, cp.id, how, said, waiting_for(state), replay=replay, in_copy=in_copy)
    told = (*act.notes, *_told(place, answers, act), *_maybe_ids(value, before))
    return dataclasses.replace(act, notes=told, gesture=gesture)


def _by_question(cp: Checkpoint, state: State, value: Any, by_id: Any) -> dict[Question, Any]:
    """Which question gets which answer: by interrupt ids, or the one value for the one question.

    Raises:
        InvalidInput: There is no answer, or both forms of one.
        Refused: Nothing was asked, or it is not clear what is to be answered.
    """
    check_answer(value, by_id)
    asked, as_sent = questions(state), cp.history.book.backend.as_sent
    if not asked:
        raise _nothing_asked(cp, state)
    wanted = [question for question in asked if question.open] or asked
    if by_id is not None:
        known = {question.id: question for question in asked}
        if unknown := [str(key) for key in by_id if key not in known]:
            kind = "open there" if wanted[0].open else "asked there"
            raise _refused(cp, f"no interrupt {', '.join(unknown)} at checkpoint {cp.short_id}; {kind}:", wanted)
        return {known[key]: said for key, said in as_sent(by_id).items()}
    if len(wanted) > 1:
        what = (
            f"checkpoint {cp.short_id} asks {len(wanted)} questions, so say which: answer(by_id={{id: value, …}}) with"
        )
        raise _refused(cp, what, wanted)
    return {wanted[0]: as_sent({"answer": value})["answer"]}


def _maybe_ids(value: Any, asked: Sequence[Question]) -> list[str]:
    """What to tell of one answer that looks like several."""
    keys = value.keys() if isinstance(value, Mapping) else set()
    meant = bool(keys) and keys <= {question.id for question in asked}
    return ["the mapping itself was the answer, ids as its keys: by_id={…} answers by ids"] if meant else []


def _went_on(place: Checkpoint, how: RunSettings, notes: tuple[str, ...], manner: Manner) -> Act:
    """Run on from the thread's head, where an edit inside a subgraph is to be asked about."""
    outcome = manner.run(place.history.book.backend, place.thread_id, None, how)
    return led("answer", place.history, place.id, outcome, how, notes)


def _unanswered(asking: Act) -> str:
    if asking.checkpoint.waiting_for:
        return "nothing was answered: it asks something else now, see act.checkpoint.waiting_for; answer that"
    return "nothing was answered: after the edit nothing is asked any more"


def _nothing_asked(cp: Checkpoint, state: State) -> Refused:
    outside = [other for other in cp.history if not other.namespace]
    waiting = [other for other in outside if any(asked.open for asked in questions(other.state))]
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
        candidates=[question.id for question in asked if question.id],
    )


def _that_asked_first(cp: Checkpoint) -> Checkpoint:
    """The checkpoint that a replay is to start from: above those that are replays of it themselves."""
    while cp.source == "fork" and (above := cp.parent) is not None and _same_task(cp.state, above.state):
        cp = above
    return cp


def _same_task(a: State, b: State) -> bool:
    places = ({(question.node, question.path) for question in questions(state)} for state in (a, b))
    return a["values"] == b["values"] and next(places) == next(places)


def _asked_anew(origin: Checkpoint, how: RunSettings, notes: tuple[str, ...], manner: Manner) -> tuple[Act, bool]:
    """Replay a checkpoint until it asks again; whether it was a sibling that was replayed.

    An edit or a replay that is the thread's head would not branch off, but run on with the answers it has; so a
    sibling of it is made to ask.

    Raises:
        ActFailed: Nothing is asked this time.
    """
    backend, start = origin.history.book.backend, origin
    head = backend.state(origin.thread_id)
    if origin.source in ("update", "fork") and head is not None and head["checkpoint"]["checkpoint_id"] == origin.id:
        sibling = backend.update(origin.thread_id, origin.id, {}, "__copy__")
        start = origin.history.refreshed()[sibling]
    act = ran("answer", start, how, notes, manner)
    if not waiting_for(act.checkpoint.state):
        raise ActFailed(
            f"checkpoint {origin.short_id} was replayed to ask anew, but asked nothing; the replay led to "
            f"{act.checkpoint.id}{f' and failed: {short(act.error, 300)}' if act.error else ''}",
            thread_id=origin.thread_id,
            checkpoint_id=act.checkpoint.id,
        )
    return act, start.id != origin.id


def _as_asked_now(
    answers: Mapping[Question, Any], before: Sequence[Question], now: Sequence[Question], edited: bool
) -> dict[Question, Any]:
    """The answers by the fresh interrupts: of the same task, asking the same; a subgraph's come in any order.

    Args:
        answers: By what was asked before.
        before: All that was asked then.
        now: All that is asked now.
        edited: Whether an edit may have changed what is asked: then one that is left of a task goes to the one there.
    """
    left, pairs, unpaired = [question for question in now if question.open], {}, []
    for old in before:
        same = [new for new in left if (new.node, new.path, new.value) == (old.node, old.path, old.value)]
        if same:
            pairs[old] = same[0]
            left.remove(same[0])
        else:
            unpaired.append(old)
    for place in {(old.node, old.path) for old in unpaired} if edited else ():
        olds = [old for old in unpaired if (old.node, old.path) == place]
        news = [new for new in left if (new.node, new.path) == place]
        pairs |= dict(zip(olds, news, strict=True)) if len(olds) == len(news) == 1 else {}  # else it would be a guess
    return {pairs[old]: said for old, said in answers.items() if old in pairs}


def _told(place: Checkpoint, answers: Mapping[Question, Any], act: Act) -> list[str]:
    nodes = ", ".join(dict.fromkeys(question.node or "a task" for question in answers))
    notes = [f"{nodes} ran again from the top: what it does before it asks was done again"]
    if act.checkpoint.id == place.id and (left := waiting_for(act.checkpoint.state)):
        notes.append(f"still open there: {', '.join(short(item['value']) for item in left)}")
    return notes
