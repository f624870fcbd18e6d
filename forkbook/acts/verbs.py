"""Acts on a checkpoint as users hold it: what `acts.write` does, with the history it leads to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import snippets
from ..backends.records import RunSettings
from ..errors import ActFailed, ForkbookError, InvalidInput, Refused
from ..model.edits import Deviation
from ..model.secrets import masked, masking
from ..model.text import short, shown
from ..snippets import Code, Gesture
from . import run_settings as runs
from . import write as timetravel
from .options import AS_EVER, Manner
from .rules import must_go_on, starts_over
from .typed_edits import TypedEdit, check_edit, check_input

if TYPE_CHECKING:
    from ..backends.records import RunOutcome
    from ..checkpoint import Checkpoint
    from ..history import History


NO_RECORD = (
    "there is no record of the run that led here: config is taken from the checkpoint's metadata, what is not there, "
    "a context for one, is not known"
)


@dataclass(frozen=True, slots=True, repr=False)
class Act:
    """What an edit, resume, fork, answer or run left behind.

    Attributes:
        kind (str): `edit`, `resume`, `fork`, `answer` or `run`.
        checkpoint (Checkpoint): Where it led: the edited checkpoint, or the last one that the run wrote.
        history (History): The thread's history after it, of the copy if it was done in a copy.
        status (str): Of that checkpoint: `finished`, `waiting`, `pending` (a stopped run's, too) or `error`.
        settings (RunSettings | None): How the run was run: `assistant`, `config`, `context`, `interrupt_before`,
            `interrupt_after`, `metadata`; None where nothing ran. Secrets in it show as `***`.
        run_id (str | None): The run's id; None where nothing ran.
        deviations (tuple[Deviation, ...]): Channels that are not what was typed, because their reducer had a say.
        error (str | None): The exception that ended the run; None where none did, and where the run was stopped.
        notes (tuple[str, ...]): What else one should know.
        gesture (Gesture | None): What was done, step by step; `code()` writes it down.
    """

    kind: str
    checkpoint: Checkpoint
    history: History
    status: str
    settings: RunSettings | None = None
    run_id: str | None = None
    deviations: tuple[Deviation, ...] = ()
    error: str | None = None
    notes: tuple[str, ...] = ()
    gesture: Gesture | None = None

    def __post_init__(self) -> None:
        if (how := self.settings) is not None:
            config, context = masking(how.config), masking(how.context)
            object.__setattr__(self, "settings", dataclasses.replace(how, config=config, context=context))

    @shown
    def __repr__(self) -> str:
        here = self.checkpoint
        lines = [f"{self.kind} → {here.short_id} on branch {here.branch} of thread {here.thread_id} · {self.status}"]
        lines += [f"  not as typed: {deviation}" for deviation in self.deviations]
        if self.settings is not None:
            lines.append(f"  run with assistant={self.settings.assistant!r}, config={self.settings.config!r}")
            for name in ("context", "interrupt_before", "interrupt_after", "metadata"):
                given = getattr(self.settings, name)
                lines += [f"  {name}={masked(given)!r}"] if given else []
        lines += [f"  error: {short(self.error, 300)}"] if self.error else []
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    def code(self, language: str | None = None) -> Code:
        """What was done, as it could be typed; no key is in it, only the name of a variable that holds one.

        Args:
            language: `python` or `javascript`, the SDKs; `curl`; `graph`, a graph in this process. None: what fits.

        Raises:
            InvalidInput: There is no such language, or a value has no form in JSON, which all but `graph` need.
        """
        if self.gesture is None:
            raise InvalidInput("this act has no record of what was done, so there is no code for it")
        return snippets.code(snippets.place_of(self.history.book.backend), self.gesture, language)


def preview(cp: Checkpoint, values: Any, as_node: str | None, replace: bool) -> timetravel.Preview:
    """Try an edit on a scratch copy."""
    return _previewed(cp, values, as_node, replace)[1]


def _previewed(
    cp: Checkpoint, values: Any, as_node: str | None, replace: bool, *, in_copy: bool = False
) -> tuple[TypedEdit, timetravel.Preview]:
    backend = cp.history.book.backend
    backend.require("write", "edit or preview an edit")
    state = timetravel.current(backend, cp.thread_id, cp.id, in_copy=in_copy, ns=cp.namespace)
    must_go_on(cp)
    graph = cp.assistant_graph()
    edited = check_edit(backend, graph, state, values, as_node)
    seen = timetravel.preview(backend, cp.thread_id, state, edited, as_node, replace)
    return edited, dataclasses.replace(seen, notes=(*seen.notes, *graph.notes))


def edit(cp: Checkpoint, values: Mapping[str, Any], as_node: str | None, replace: bool, in_copy: bool) -> Act:
    """Write an edit that was tried first, read it back."""
    asked, tried = _tried(cp, values, as_node, replace, in_copy)
    place, notes = placed(cp, in_copy)
    act = _edited(place, asked, tried, as_node, replace, notes)
    gesture = snippets.of_edit(cp.thread_id, cp.id, tried.writes, as_node, in_copy=in_copy, ns=cp.namespace)
    return dataclasses.replace(act, gesture=gesture)


def _tried(
    cp: Checkpoint, values: Any, as_node: str | None, replace: bool, in_copy: bool
) -> tuple[TypedEdit, timetravel.Preview]:
    """What is to be written, and a preview of it.

    Raises:
        Refused: It was to come out as typed, and did not.
    """
    asked, tried = _previewed(cp, values, as_node, replace, in_copy=in_copy)
    if replace and tried.deviations:
        raise Refused(f"no write makes channel {tried.deviations[0]}")
    return asked, tried


def resume(cp: Checkpoint, in_copy: bool, input: Any = None, manner: Manner = AS_EVER, **given: Any) -> Act:
    """Run on from a checkpoint or with a new input there, with its own run's settings where none are given."""
    backend = cp.history.book.backend
    backend.require("run", "run a graph")
    any_time = in_copy or manner.ready(backend, cp.thread_id)
    state = timetravel.current(backend, cp.thread_id, cp.id, in_copy=any_time)
    told: tuple[str, ...] = ()
    if input is None:
        runs.not_finished(state)
        told = starts_over(cp, state)
    how, sent = _asked(cp, input, given)
    place, notes = placed(cp, in_copy)
    gesture = snippets.of_resume(cp.thread_id, cp.id, how, sent, in_copy=in_copy)
    return dataclasses.replace(ran("resume", place, how, (*notes, *told), manner, input=sent), gesture=gesture)


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
    """Edit, then resume; whatever can be refused is refused before anything is written."""
    if not in_copy:
        manner.ready(cp.history.book.backend, cp.thread_id, edits=True)
    asked, tried = _tried(cp, values, as_node, replace, in_copy)
    names = cp.assistant_graph().nodes or ()
    if tried.next == () and input is None:
        raise Refused(
            f"after this edit{f' as {as_node}' if as_node else ''} nothing would run: as_node names the node after "
            f"which to go on; the graph has {', '.join(names) or 'nodes that the server does not show'}",
            thread_id=cp.thread_id,
            checkpoint_id=cp.id,
            candidates=names,
        )
    how, sent = _asked(cp, input, given)
    place, notes = placed(cp, in_copy)
    edited = _edited(place, asked, tried, as_node, replace, notes)
    try:
        act = ran("fork", edited.checkpoint, how, notes, manner, input=sent)
    except ForkbookError as error:
        error.args = (f"{str(error).rstrip('.')}. The edit is written, as checkpoint {edited.checkpoint.id}.",)
        raise
    gesture = snippets.of_fork(cp.thread_id, cp.id, tried.writes, how, as_node, sent, in_copy=in_copy)
    told = tuple(dict.fromkeys((*act.notes, *tried.notes)))  # a hidden graph is told of by both
    return dataclasses.replace(act, deviations=edited.deviations, notes=told, gesture=gesture)


def _asked(cp: Checkpoint, input: Any, given: Mapping[str, Any]) -> tuple[RunSettings, Any]:
    """How to run, and the input as it is sent."""
    backend = cp.history.book.backend
    how = runs.settings(backend, cp.own_settings(), cp.thread_id, **given)
    return how, check_input(backend, backend.graph(str(how.assistant)), cp.state, input)


def _edited(
    cp: Checkpoint,
    asked: TypedEdit,
    tried: timetravel.Preview,
    as_node: str | None,
    replace: bool,
    notes: tuple[str, ...],
) -> Act:
    backend = cp.history.book.backend
    done = timetravel.edit(backend, cp.thread_id, cp.state, asked, tried.writes, as_node, replace)
    history = cp.history.refreshed()
    checkpoint = history[done.checkpoint_id]
    told = (*notes, *tried.notes)
    return Act("edit", checkpoint, history, checkpoint.status, deviations=done.deviations, notes=told)


def ran(
    kind: str, cp: Checkpoint, how: RunSettings, notes: tuple[str, ...], manner: Manner = AS_EVER, **sent: Any
) -> Act:
    """Run on from a checkpoint, with an `input` or a `command` if there is one, and read where it led."""
    outcome = manner.run(cp.history.book.backend, cp.thread_id, cp.id, how, **sent)
    return led(kind, cp.history, cp.id, outcome, how, notes)


def led(
    kind: str, before: History, start: str | None, outcome: RunOutcome, how: RunSettings, notes: tuple[str, ...]
) -> Act:
    """Where a run led that set out from a checkpoint; None: from nothing.

    Raises:
        ActFailed: It wrote nothing, and there was nothing before.
    """
    history = before.refreshed()
    written = [found for found in history if found.run_id == outcome.run_id and not found.namespace]
    if not written and start is None:
        raise ActFailed(
            f"run {outcome.run_id} of thread {history.thread_id} ended ({outcome.status}) before it wrote a "
            f"checkpoint{': ' + short(outcome.error, 300) if outcome.error else ''}",
            thread_id=history.thread_id,
        )
    checkpoint = written[-1] if written else history[str(start)]
    error = history.facts.error(checkpoint.position) or outcome.error
    status = "error" if outcome.status in ("error", "timeout") else checkpoint.status
    notes = (*notes, *before.book.backend.graph(str(how.assistant)).notes)
    if how.guessed:
        notes = (*notes, NO_RECORD)
    if outcome.stopped:
        notes = (*notes, "the run was stopped; what it wrote stays, and resume() goes on from here")
    elif status == "pending":
        notes = (*notes, *_stop(checkpoint, how))
    return Act(kind, checkpoint, history, status, how, outcome.run_id, error=error, notes=notes)


def _stop(cp: Checkpoint, how: RunSettings) -> tuple[str, ...]:
    """A stop that was asked for, told as what it is: nobody asks anything there."""
    before, after = how.interrupt_before or (), how.interrupt_after or ()
    if before == "*" or set(before) & set(cp.next or ()):
        where = f"before {', '.join(cp.next or ())}, as interrupt_before"
    elif after:
        where = f"after {cp.title}, as interrupt_after"
    else:
        return ()
    return (f"stopped {where} said: no question is open, resume() goes on",)


def placed(cp: Checkpoint, in_copy: bool) -> tuple[Checkpoint, tuple[str, ...]]:
    """Where an act is to happen, once nothing stands against it: here, or at the same checkpoint of a fresh copy."""
    if not in_copy:
        return cp, ("the thread's head is here now: its next message follows this branch",)
    from ..marks import mark_of_copy

    backend = cp.history.book.backend
    copy_id = backend.copy(cp.thread_id)
    backend.tag(copy_id, mark_of_copy(cp.thread_id, copy_id))
    note = f"done in a copy, thread {copy_id}; thread {cp.thread_id} is as it was"
    return cp.history.book.history(copy_id, subgraphs=cp.history.subgraphs)[cp.id], (note,)
