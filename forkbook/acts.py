"""Acts on a checkpoint as users hold it: what `timetravel` does, with the history it leads to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import timetravel
from .backends.base import RunSettings
from .edits import Deviation
from .errors import ForkbookError, Refused
from .transfer import COPY_OF

if TYPE_CHECKING:
    from .checkpoint import Checkpoint
    from .history import History

HEAD_MOVED = "the thread's head is here now: its next message follows this branch"


@dataclass(frozen=True, slots=True, repr=False)
class Act:
    """What an edit, resume or fork left behind.

    Attributes:
        kind: `edit`, `resume` or `fork`.
        checkpoint: Where it led: the edited checkpoint, or the last one that the run wrote.
        history: The thread's history after it, of the copy if it was done in a copy.
        status: Of that checkpoint: finished, waiting, pending or error.
        settings: How the run was run (assistant, config, context, interrupts); None where nothing ran.
        run_id: The run; None where nothing ran.
        deviations: Channels that are not what was typed, because their reducer had a say.
        error: The exception that ended the run.
        notes: What else one should know.
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

    def __repr__(self) -> str:
        here = self.checkpoint
        lines = [f"{self.kind} → {here.short_id} on branch {here.branch} of thread {here.thread_id} · {self.status}"]
        lines += [f"  not as typed: {deviation}" for deviation in self.deviations]
        if self.settings is not None:
            lines.append(f"  run with assistant={self.settings.assistant!r}, config={self.settings.config!r}")
            lines += [f"  context={self.settings.context!r}"] if self.settings.context else []
        lines += [f"  error: {self.error}"] if self.error else []
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


def preview(cp: Checkpoint, values: Mapping[str, Any], as_node: str | None, replace: bool) -> timetravel.Preview:
    """Try an edit on a scratch copy."""
    backend = cp.history.book.backend
    state = timetravel.current(backend, cp.thread_id, cp.id)
    typed = timetravel.checked(cp.graph(), state, values, as_node)
    return timetravel.preview(backend, cp.thread_id, state, typed, as_node, replace)


def edit(cp: Checkpoint, values: Mapping[str, Any], as_node: str | None, replace: bool) -> Act:
    """Write an edit, read it back."""
    backend = cp.history.book.backend
    state = timetravel.current(backend, cp.thread_id, cp.id)
    typed = timetravel.checked(cp.graph(), state, values, as_node)
    writes: Mapping[str, Any] = typed
    if replace:
        writes = timetravel.preview(backend, cp.thread_id, state, typed, as_node, exact=True).writes
    edited = timetravel.edit(backend, cp.thread_id, state, typed, writes, as_node)
    history = cp.history.refreshed()
    checkpoint = history[edited.checkpoint_id]
    return Act("edit", checkpoint, history, checkpoint.status, deviations=edited.deviations, notes=(HEAD_MOVED,))


def resume(cp: Checkpoint, **given: Any) -> Act:
    """Run on from a checkpoint, with its own run's settings where none are given."""
    backend = cp.history.book.backend
    state = timetravel.current(backend, cp.thread_id, cp.id)
    how = timetravel.settings(backend, cp.own_settings(), cp.thread_id, **given)
    outcome = timetravel.resume(backend, cp.thread_id, cp.id, state["next"], how)
    history = cp.history.refreshed()
    written = [found for found in history if found.run_id == outcome.run_id]
    checkpoint = written[-1] if written else history[cp.id]
    error = history.facts.error(checkpoint.position) or outcome.error
    status = "error" if outcome.status in ("error", "timeout") else checkpoint.status
    return Act("resume", checkpoint, history, status, how, outcome.run_id, error=error, notes=(HEAD_MOVED,))


def fork(cp: Checkpoint, values: Mapping[str, Any], as_node: str | None, replace: bool, **run: Any) -> Act:
    """Edit, then resume; refused while nothing is written if nothing would run."""
    nodes = cp.graph().nodes
    if not preview(cp, values, as_node, replace).next:
        raise Refused(
            f"after this edit{f' as {as_node}' if as_node else ''} nothing would run: as_node names the node after "
            f"which to go on; the graph has {', '.join(nodes)}",
            thread_id=cp.thread_id,
            checkpoint_id=cp.id,
            candidates=nodes,
        )
    edited = edit(cp, values, as_node, replace)
    try:
        act = edited.checkpoint.resume(**run)
    except ForkbookError as error:
        error.args = (f"{error} The edit is written, as checkpoint {edited.checkpoint.id}.",)
        raise
    return dataclasses.replace(act, kind="fork", deviations=edited.deviations)


def in_copy(cp: Checkpoint) -> Checkpoint:
    """The same checkpoint in a fresh copy of the thread."""
    backend = cp.history.book.backend
    timetravel.current(backend, cp.thread_id, cp.id)
    copy_id = backend.copy(cp.thread_id)
    backend.tag(copy_id, {COPY_OF: cp.thread_id})
    return cp.history.book.history(copy_id)[cp.id]
