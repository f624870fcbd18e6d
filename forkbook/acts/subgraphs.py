"""What can be done inside a subgraph: its checkpoint is edited, the whole graph goes on or is answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from .. import snippets
from ..backends.capabilities import Capability
from ..backends.records import RunSettings
from ..model.questions import questions
from ..model.text import short
from . import answer as answering
from . import run_settings, verbs, write
from .answer_forms import check_answer
from .options import BusyPolicy, Options
from .rules import must_be_next, outermost, pick, refused
from .spot import Done, Spot


def resume(spot: Spot, input: Any, options: Options) -> Done:
    """Let the whole graph go on, from the newest checkpoint of a subgraph that has not ended."""
    backend = spot.backend
    backend.require(Capability.RUN, "run a graph")
    _takes_no_input(spot, input)
    any_time = options.in_copy or options.policy.ready(backend, spot.thread_id)
    write.current(backend, spot.thread_id, spot.id, in_copy=any_time, ns=spot.namespace)
    must_be_next(spot)
    how = _settings(spot, options)
    place, notes = verbs.copied_if_asked(outermost(spot), options.in_copy)
    done = _go_on("resume", spot, place, how, notes, options.policy)
    return dataclasses.replace(done, gesture=snippets.of_run(spot.thread_id, how, in_copy=options.in_copy))


def fork(
    spot: Spot,
    values: Mapping[str, Any],
    as_node: str | None,
    replace: bool,
    input: Any,
    options: Options,
) -> Done:
    """Edit a checkpoint of a subgraph that has not ended, then let the whole graph go on from the edit."""
    backend = spot.backend
    backend.require(Capability.RUN, "run a graph")
    _takes_no_input(spot, input)
    how = _settings(spot, options)
    if not options.in_copy:
        options.policy.ready(backend, spot.thread_id, edits=True)
    edited = verbs.edit(spot, values, as_node, replace, options.in_copy)
    with verbs.the_edit_stays(edited):
        done = _go_on("fork", edited.spot, outermost(edited.spot), how, edited.notes, options.policy)
    run = snippets.of_run(spot.thread_id, how)
    gesture = edited.gesture and dataclasses.replace(edited.gesture, steps=(*edited.gesture.steps, *run.steps))
    return dataclasses.replace(done, deviations=edited.deviations, gesture=gesture)


def answer(spot: Spot, value: Any, by_id: Any, options: Options) -> Done:
    """Answer what a subgraph asks, at the root graph's checkpoint that waits for it; after an edit it asks anew."""
    backend = spot.backend
    backend.require(Capability.RUN, "answer an interrupt")
    check_answer(value, by_id)
    any_time = options.in_copy or options.policy.ready(backend, spot.thread_id)
    write.current(backend, spot.thread_id, spot.id, in_copy=any_time, ns=spot.namespace)
    must_be_next(spot)
    asked = next((found for at in reversed(spot.lineage) if (found := questions(at.state))), [])
    if by_id is None and len(asked) == 1:
        value, by_id = ..., {asked[0].id: value}
    return answering.answer(outermost(spot), value, by_id, options)


def _go_on(kind: str, spot: Spot, place: Spot, how: RunSettings, notes: tuple[str, ...], policy: BusyPolicy) -> Done:
    """Run on from the thread's head: with a checkpoint's id LangGraph would replay it, and start the subgraph over."""
    note = f"the whole graph went on, from {place.short_id}; the subgraph from {spot.short_id}"
    return verbs.run_and_read(kind, place, how, (*notes, note), policy, from_head=True)


def _settings(spot: Spot, options: Options) -> RunSettings:
    return run_settings.settings(spot.backend, outermost(spot).own_settings(), spot.thread_id, **options.settings)


def _takes_no_input(spot: Spot, input: Any) -> None:
    if input is not None:
        raise refused(spot, f"a new input, {short(input)}, goes to the root graph{pick(outermost(spot))}")
