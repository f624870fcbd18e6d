"""What can be done at a checkpoint of the root graph: preview, edit, resume, fork."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import snippets
from ..backends.capabilities import Capability
from ..backends.contract import Backend
from ..backends.records import RunSettings
from ..errors import ActFailed, ForkbookError, Refused
from ..facts import Facts, reread
from ..marks import mark_of_copy
from ..model.text import short
from . import run_settings, write
from .options import BusyPolicy, Options
from .rules import must_go_on, starts_over
from .spot import Done, Spot
from .typed_edits import TypedEdit, check_edit, check_input

if TYPE_CHECKING:
    from ..backends.records import RunOutcome

NO_RECORD = (
    "there is no record of the run that led here: config is taken from the checkpoint's metadata, what is not there, "
    "a context for one, is not known"
)


def preview(spot: Spot, values: Any, as_node: str | None, replace: bool) -> write.Preview:
    """Try an edit on a scratch copy."""
    return _previewed(spot, values, as_node, replace)[1]


def _previewed(
    spot: Spot, values: Any, as_node: str | None, replace: bool, *, in_copy: bool = False
) -> tuple[TypedEdit, write.Preview]:
    backend = spot.backend
    backend.require(Capability.WRITE, "edit or preview an edit")
    state = write.current(backend, spot.thread_id, spot.id, in_copy=in_copy, ns=spot.namespace)
    must_go_on(spot)
    graph = spot.assistant_graph()
    edited = check_edit(backend, graph, state, values, as_node)
    seen = write.preview(backend, spot.thread_id, state, edited, as_node, replace)
    return edited, dataclasses.replace(seen, notes=(*seen.notes, *graph.notes))


def edit(spot: Spot, values: Mapping[str, Any], as_node: str | None, replace: bool, in_copy: bool) -> Done:
    """Write an edit that was tried first, read it back."""
    asked, tried = _tried(spot, values, as_node, replace, in_copy)
    place, notes = copied_if_asked(spot, in_copy)
    done = _edited(place, asked, tried, as_node, replace, notes)
    gesture = snippets.of_edit(spot.thread_id, spot.id, tried.writes, as_node, in_copy=in_copy, ns=spot.namespace)
    return dataclasses.replace(done, gesture=gesture)


def _tried(
    spot: Spot, values: Any, as_node: str | None, replace: bool, in_copy: bool
) -> tuple[TypedEdit, write.Preview]:
    """What is to be written, and a preview of it.

    Raises:
        Refused: It was to come out as typed, and did not.
    """
    asked, tried = _previewed(spot, values, as_node, replace, in_copy=in_copy)
    if replace and tried.deviations:
        raise Refused(f"no write makes channel {tried.deviations[0]}")
    return asked, tried


def resume(spot: Spot, input: Any, options: Options) -> Done:
    """Run on from a checkpoint or with a new input there, with its own run's settings where none are given."""
    backend = spot.backend
    backend.require(Capability.RUN, "run a graph")
    any_time = options.in_copy or options.policy.ready(backend, spot.thread_id)
    state = write.current(backend, spot.thread_id, spot.id, in_copy=any_time)
    started_over: tuple[str, ...] = ()
    if input is None:
        run_settings.not_finished(state)
        started_over = starts_over(spot, state)
    how, sent = _asked(spot, input, options)
    place, notes = copied_if_asked(spot, options.in_copy)
    done = run_and_read("resume", place, how, (*notes, *started_over), options.policy, input=sent)
    gesture = snippets.of_resume(spot.thread_id, spot.id, how, sent, in_copy=options.in_copy)
    return dataclasses.replace(done, gesture=gesture)


def fork(
    spot: Spot,
    values: Mapping[str, Any],
    as_node: str | None,
    replace: bool,
    input: Any,
    options: Options,
) -> Done:
    """Edit, then resume; whatever can be refused is refused before anything is written."""
    if not options.in_copy:
        options.policy.ready(spot.backend, spot.thread_id, edits=True)
    asked, tried = _tried(spot, values, as_node, replace, options.in_copy)
    names = spot.assistant_graph().nodes or ()
    if tried.next == () and input is None:
        raise Refused(
            f"after this edit{f' as {as_node}' if as_node else ''} nothing would run: as_node names the node after "
            f"which to go on; the graph has {', '.join(names) or 'nodes that the server does not show'}",
            thread_id=spot.thread_id,
            checkpoint_id=spot.id,
            candidates=names,
        )
    how, sent = _asked(spot, input, options)
    place, notes = copied_if_asked(spot, options.in_copy)
    edited = _edited(place, asked, tried, as_node, replace, notes)
    with the_edit_stays(edited):
        done = run_and_read("fork", edited.spot, how, notes, options.policy, input=sent)
    gesture = snippets.of_fork(spot.thread_id, spot.id, tried.writes, how, as_node, sent, in_copy=options.in_copy)
    notes = tuple(dict.fromkeys((*done.notes, *tried.notes)))  # both name a graph that the server hides
    return dataclasses.replace(done, deviations=edited.deviations, notes=notes, gesture=gesture)


@contextmanager
def the_edit_stays(edited: Done) -> Iterator[None]:
    """Errors of a run after an edit also say that the edit is written."""
    try:
        yield
    except ForkbookError as error:
        error.add(f"The edit is written, as checkpoint {edited.spot.id}.")
        raise


def _asked(spot: Spot, input: Any, options: Options) -> tuple[RunSettings, Any]:
    """How to run, and the input as it is sent."""
    backend = spot.backend
    how = run_settings.settings(backend, spot.own_settings(), spot.thread_id, **options.settings)
    return how, check_input(backend, backend.graph(str(how.assistant)), spot.state, input)


def _edited(
    spot: Spot,
    asked: TypedEdit,
    tried: write.Preview,
    as_node: str | None,
    replace: bool,
    notes: tuple[str, ...],
) -> Done:
    backend = spot.backend
    done = write.edit(backend, spot.thread_id, spot.state, asked, tried.writes, as_node, replace)
    after = spot.now(done.checkpoint_id)
    return Done("edit", after, after.status, deviations=done.deviations, notes=(*notes, *tried.notes))


def run_and_read(
    kind: str,
    spot: Spot,
    how: RunSettings,
    notes: tuple[str, ...],
    policy: BusyPolicy,
    *,
    from_head: bool = False,
    **sent: Any,
) -> Done:
    """Run on from a checkpoint and read where that led.

    Args:
        kind: The act's name.
        spot: The checkpoint.
        how: How to run.
        notes: What is to be said of the act.
        policy: What to do where the thread is busy.
        from_head: Run on from the thread's head, as LangGraph does where no checkpoint is named.
        **sent: `input` or `command`, if there is one.
    """
    outcome = policy.run(spot.backend, spot.thread_id, None if from_head else spot.id, how, **sent)
    return done_after_run(kind, spot.backend, spot.facts, spot.id, outcome, how, notes)


def done_after_run(
    kind: str,
    backend: Backend,
    before: Facts,
    start: str | None,
    outcome: RunOutcome,
    how: RunSettings,
    notes: tuple[str, ...],
) -> Done:
    """Where a run led that set out from a checkpoint; None: from nothing.

    Raises:
        ActFailed: It wrote nothing, and there was nothing before.
    """
    facts = reread(backend, before)
    heads = facts.tree.heads
    written = [at for at, head in enumerate(heads) if facts.run_id(at) == outcome.run_id and not head.ns]
    if not written and start is None:
        raise ActFailed(
            f"run {outcome.run_id} of thread {facts.thread_id} ended ({outcome.status}) before it wrote a "
            f"checkpoint{': ' + short(outcome.error, 300) if outcome.error else ''}",
            thread_id=facts.thread_id,
        )
    spot = Spot(backend, facts, written[-1] if written else facts.tree.index[str(start)])
    error = facts.error(spot.position) or outcome.error
    status = "error" if outcome.status in ("error", "timeout") else spot.status
    notes = (*notes, *backend.graph(str(how.assistant)).notes)
    if how.guessed:
        notes = (*notes, NO_RECORD)
    if outcome.stopped:
        notes = (*notes, "the run was stopped; what it wrote stays, and resume() goes on from here")
    elif status == "pending":
        notes = (*notes, *_stop(spot, how))
    return Done(kind, spot, status, how, outcome.run_id, error=error, notes=notes)


def _stop(spot: Spot, how: RunSettings) -> tuple[str, ...]:
    """A note on a stop that the caller asked for: no question is open there."""
    before, after = how.interrupt_before or (), how.interrupt_after or ()
    if before == "*" or set(before) & set(spot.next or ()):
        where = f"before {', '.join(spot.next or ())}, as interrupt_before"
    elif after:
        where = f"after {spot.title}, as interrupt_after"
    else:
        return ()
    return (f"stopped {where} said: no question is open, resume() goes on",)


def copied_if_asked(spot: Spot, in_copy: bool) -> tuple[Spot, tuple[str, ...]]:
    """Where an act is to happen, once nothing stands against it: here, or at the same checkpoint of a fresh copy."""
    if not in_copy:
        return spot, ("the thread's head is here now: its next message follows this branch",)
    backend = spot.backend
    copy_id = backend.copy(spot.thread_id)
    backend.tag(copy_id, mark_of_copy(spot.thread_id, copy_id))
    note = f"done in a copy, thread {copy_id}; thread {spot.thread_id} is as it was"
    return spot.in_thread(copy_id), (note,)
