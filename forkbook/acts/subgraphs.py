"""Acts inside a subgraph: the subgraph's checkpoint is edited, the whole graph goes on or is answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import snippets
from ..backends.records import RunSettings
from ..errors import ForkbookError
from ..model.text import short
from . import answer as answers
from . import run_settings as runs
from . import verbs as acts
from . import write as timetravel
from .answer_forms import check_answer
from .options import AS_EVER, Manner
from .rules import must_be_next, outermost, pick, refused
from .verbs import Act

if TYPE_CHECKING:
    from ..checkpoint import Checkpoint


def resume(cp: Checkpoint, in_copy: bool, input: Any = None, manner: Manner = AS_EVER, **given: Any) -> Act:
    """Let the whole graph go on, from the newest checkpoint of a subgraph that has not ended."""
    backend = cp.history.book.backend
    backend.require("run", "run a graph")
    _takes_no_input(cp, input)
    any_time = in_copy or manner.ready(backend, cp.thread_id)
    timetravel.current(backend, cp.thread_id, cp.id, in_copy=any_time, ns=cp.namespace)
    must_be_next(cp)
    how = _settings(cp, given)
    root, notes = acts.placed(outermost(cp), in_copy)
    act = _went_on("resume", cp, root, notes, how, manner)
    return dataclasses.replace(act, gesture=snippets.of_run(cp.thread_id, how, in_copy=in_copy))


def fork(
    cp: Checkpoint,
    values: Mapping[str, Any],
    as_node: str | None,
    replace: bool,
    in_copy: bool,
    input: Any = None,
    manner: Manner = AS_EVER,
    **given: Any,
) -> Act:
    """Edit a checkpoint of a subgraph that has not ended, then let the whole graph go on from the edit."""
    backend = cp.history.book.backend
    backend.require("run", "run a graph")
    _takes_no_input(cp, input)
    how = _settings(cp, given)
    if not in_copy:
        manner.ready(backend, cp.thread_id, edits=True)
    edited = acts.edit(cp, values, as_node, replace, in_copy)
    try:
        root = outermost(edited.checkpoint)
        act = _went_on("fork", edited.checkpoint, root, edited.notes, how, manner)
    except ForkbookError as error:
        error.args = (f"{str(error).rstrip('.')}. The edit is written, as checkpoint {edited.checkpoint.id}.",)
        raise
    run = snippets.of_run(cp.thread_id, how)
    gesture = edited.gesture and dataclasses.replace(edited.gesture, steps=(*edited.gesture.steps, *run.steps))
    return dataclasses.replace(act, deviations=edited.deviations, gesture=gesture)


def answer(cp: Checkpoint, value: Any, by_id: Any, in_copy: bool, manner: Manner = AS_EVER, **given: Any) -> Act:
    """Answer what a subgraph asks, at the root graph's checkpoint that waits for it; after an edit it asks anew."""
    backend = cp.history.book.backend
    backend.require("run", "answer an interrupt")
    check_answer(value, by_id)
    any_time = in_copy or manner.ready(backend, cp.thread_id)
    timetravel.current(backend, cp.thread_id, cp.id, in_copy=any_time, ns=cp.namespace)
    must_be_next(cp)
    asked = next((found for at in reversed(cp.lineage) if (found := answers.questions(at.state))), [])
    if by_id is None and len(asked) == 1:
        value, by_id = ..., {asked[0].id: value}
    return answers.answer(outermost(cp), value, by_id, in_copy, manner, **given)


def _went_on(
    kind: str, cp: Checkpoint, root: Checkpoint, notes: tuple[str, ...], how: RunSettings, manner: Manner
) -> Act:
    """Run on from the thread's head: with a checkpoint's id LangGraph would replay it, and start the subgraph over.

    Args:
        kind: The act.
        cp: The subgraph's checkpoint.
        root: The root graph's checkpoint whose task ran the subgraph, where the run is to happen.
        notes: What to say of the act so far.
        how: The run's settings.
        manner: How to run.
    """
    outcome = manner.run(root.history.book.backend, root.thread_id, None, how)
    note = f"the whole graph went on, from {root.short_id}; the subgraph from {cp.short_id}"
    return acts.led(kind, root.history, root.id, outcome, how, (*notes, note))


def _settings(cp: Checkpoint, given: Mapping[str, Any]) -> RunSettings:
    return runs.settings(cp.history.book.backend, outermost(cp).own_settings(), cp.thread_id, **given)


def _takes_no_input(cp: Checkpoint, input: Any) -> None:
    if input is not None:
        raise refused(cp, f"a new input, {short(input)}, goes to the root graph{pick(outermost(cp))}")
