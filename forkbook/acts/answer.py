"""Answers to interrupts: what a checkpoint asks, which of it is open, and how to answer again what was answered.

LangGraph keeps a task's answers with its checkpoint: whoever answers again gets the old answer, without a word. So that
is asked anew first, by a replay from the checkpoint that asked first, and the fresh interrupt is answered.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from ..backends.capabilities import Capability
from ..backends.records import RunSettings
from ..errors import ActFailed, Refused
from ..model.questions import Question, questions, waiting_for
from ..model.reserved import COPY
from ..model.states import State
from ..model.text import short
from ..snippets import of_answer, of_replay, of_run
from . import run_settings, write
from .answer_forms import check_answer
from .now import state_now
from .options import BusyPolicy, Options
from .rules import asks_anew
from .spot import Done, Spot
from .verbs import copied_if_asked, run_and_read


def answer(spot: Spot, value: Any, by_id: Any, options: Options) -> Done:
    """Answer what a checkpoint asks; whatever can be refused is refused before anything is written."""
    backend = spot.backend
    backend.require(Capability.RUN, "answer an interrupt")
    any_time = options.in_copy or options.policy.ready(backend, spot.thread_id)
    state = write.current(backend, spot.thread_id, spot.id, in_copy=any_time)
    answers = _by_question(spot, state, value, by_id)
    how = run_settings.settings(backend, spot.own_settings(), spot.thread_id, **options.settings)
    before, replay = questions(state), None
    again, edited = not all(question.open for question in answers), False
    place, notes = copied_if_asked(_that_asked_first(spot) if again else spot, options.in_copy)
    if again:
        notes = (*notes, f"it was answered before, so {place.short_id} was replayed to ask anew, on a new branch")
        asking, beside = _asked_anew(place, how, notes, options.policy)
        replay = of_replay(spot.thread_id, place.id, how, beside=beside, in_copy=options.in_copy)
    elif edited := asks_anew(backend, place.thread_id, state):
        notes = (*notes, "a subgraph was edited since it asked: it was run to ask anew, and that was answered")
        asking = run_and_read("answer", place, how, notes, options.policy, from_head=True)
        replay = of_run(spot.thread_id, how, in_copy=options.in_copy)
    if replay:
        place, state, wanted = asking.spot, asking.spot.state, len(answers)
        answers = _as_asked_now(answers, before, questions(state), edited)
        if len(answers) < wanted:
            return dataclasses.replace(asking, notes=(_unanswered(asking), *asking.notes), gesture=replay)
    said = {str(question.id): value for question, value in answers.items()}
    done = run_and_read("answer", place, how, notes, options.policy, command={"resume": said})
    gesture = of_answer(spot.thread_id, spot.id, how, said, waiting_for(state), replay=replay, in_copy=options.in_copy)
    notes = (*done.notes, *_notes(place, answers, done), *_maybe_ids(value, before))
    return dataclasses.replace(done, notes=notes, gesture=gesture)


def _by_question(spot: Spot, state: State, value: Any, by_id: Any) -> dict[Question, Any]:
    """Which question gets which answer: by interrupt ids, or the one value for the one question.

    Raises:
        InvalidInput: There is no answer, or both forms of one.
        Refused: Nothing was asked, or it is not clear what is to be answered.
    """
    check_answer(value, by_id)
    asked, as_sent = questions(state), spot.backend.as_sent
    if not asked:
        raise _nothing_asked(spot, state)
    wanted = [question for question in asked if question.open] or asked
    if by_id is not None:
        known = {question.id: question for question in asked}
        if unknown := [str(key) for key in by_id if key not in known]:
            kind = "open there" if wanted[0].open else "asked there"
            raise _refused(spot, f"no interrupt {', '.join(unknown)} at checkpoint {spot.short_id}; {kind}:", wanted)
        return {known[key]: said for key, said in as_sent(by_id).items()}
    if len(wanted) > 1:
        number = f"checkpoint {spot.short_id} asks {len(wanted)} questions"
        what = f"{number}, so say which: answer(by_id={{id: value, …}}) with"
        raise _refused(spot, what, wanted)
    return {wanted[0]: as_sent({"answer": value})["answer"]}


def _maybe_ids(value: Any, asked: Sequence[Question]) -> list[str]:
    """A note where one answer looks like several."""
    keys = value.keys() if isinstance(value, Mapping) else set()
    meant = bool(keys) and keys <= {question.id for question in asked}
    return ["the mapping itself was the answer, ids as its keys: by_id={…} answers by ids"] if meant else []


def _unanswered(asking: Done) -> str:
    if waiting_for(asking.spot.state):
        return "nothing was answered: it asks something else now, see act.checkpoint.waiting_for; answer that"
    return "nothing was answered: after the edit nothing is asked any more"


def _nothing_asked(spot: Spot, state: State) -> Refused:
    outside = [spot.at(at) for at, head in enumerate(spot.facts.tree.heads) if not head.ns]
    waiting = [other for other in outside if any(asked.open for asked in questions(other.state))]
    where = f"; checkpoints that ask: {', '.join(other.short_id for other in waiting)}" if waiting else ""
    if state["next"]:
        why = f"it stands before {', '.join(state['next'])}, and resume() goes on"
    else:
        why = "what runs next is not known" if state["next"] is None else "it is finished"
    return Refused(
        f"nothing is asked at checkpoint {spot.short_id}: {why}{where}",
        thread_id=spot.thread_id,
        checkpoint_id=spot.id,
        candidates=[other.id for other in waiting],
    )


def _refused(spot: Spot, what: str, asked: Sequence[Question]) -> Refused:
    return Refused(
        f"{what} {', '.join(map(str, asked))}",
        thread_id=spot.thread_id,
        checkpoint_id=spot.id,
        candidates=[question.id for question in asked if question.id],
    )


def _that_asked_first(spot: Spot) -> Spot:
    """The checkpoint that a replay is to start from: above those that are replays of it themselves."""
    while spot.source == "fork" and (above := spot.parent) is not None and _same_task(spot.state, above.state):
        spot = above
    return spot


def _same_task(a: State, b: State) -> bool:
    places = ({(question.node, question.path) for question in questions(state)} for state in (a, b))
    return a["values"] == b["values"] and next(places) == next(places)


def _asked_anew(origin: Spot, how: RunSettings, notes: tuple[str, ...], policy: BusyPolicy) -> tuple[Done, bool]:
    """Replay a checkpoint until it asks again; whether it was a sibling that was replayed.

    An edit or a replay that is the thread's head would not branch off, but run on with the answers it has; so a
    sibling of it is made to ask.

    Raises:
        ActFailed: Nothing is asked this time.
    """
    backend, start = origin.backend, origin
    head = state_now(backend, origin.thread_id)
    if origin.source in ("update", "fork") and head is not None and head["checkpoint"]["checkpoint_id"] == origin.id:
        sibling = backend.update(origin.thread_id, origin.id, {}, COPY)
        start = origin.now(sibling)
    done = run_and_read("answer", start, how, notes, policy)
    if not waiting_for(done.spot.state):
        raise ActFailed(
            f"checkpoint {origin.short_id} was replayed to ask anew, but asked nothing; the replay led to "
            f"{done.spot.id}{f' and failed: {short(done.error, 300)}' if done.error else ''}",
            thread_id=origin.thread_id,
            checkpoint_id=done.spot.id,
        )
    return done, start.id != origin.id


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


def _notes(place: Spot, answers: Mapping[Question, Any], done: Done) -> list[str]:
    nodes = ", ".join(dict.fromkeys(question.node or "a task" for question in answers))
    notes = [f"{nodes} ran again from the top: what it does before it asks was done again"]
    if done.spot.id == place.id and (left := waiting_for(done.spot.state)):
        notes.append(f"still open there: {', '.join(short(item['value']) for item in left)}")
    return notes
