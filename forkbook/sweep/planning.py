"""Check that a sweep can be run, before anything is written."""

from __future__ import annotations

import dataclasses
import inspect
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ..acts import run_settings, write
from ..acts.act import BookOf, C, H
from ..acts.spot import Spot
from ..acts.typed_edits import TypedEdit, check_edit, check_input
from ..backends.capabilities import Capability
from ..errors import InvalidInput, Refused
from ..model.text import short
from .result import Sweep
from .rows import Row
from .running import Runner
from .scores import checked
from .variants import Answer, Edit, Variant, variants

SETTINGS = tuple(inspect.getfullargspec(run_settings.settings).kwonlyargs)


def prepare(
    book: BookOf[H, C],
    spot: Spot,
    edits: Any,
    repeats: int = 1,
    inputs: Any = None,
    concurrency: int = 4,
    score: Callable[[C], Any] | None = None,
    *,
    parallel: bool = False,
    max_total_tokens: int | None = None,
    replace: bool = False,
    **given: Any,
) -> Runner[H, C]:
    """Check that a sweep can be run, before anything is written; arguments and errors as in `Checkpoint.sweep`."""
    whole("repeats", repeats)
    whole("concurrency", concurrency)
    if max_total_tokens is not None:
        whole("max_total_tokens", max_total_tokens)
    yes_or_no("parallel", parallel)
    yes_or_no("replace", replace)
    if score is not None:
        checked(score)
    if unknown := sorted(given.keys() - set(SETTINGS)):
        raise InvalidInput(
            f"a sweep has no setting {', '.join(map(repr, unknown))}; it has {', '.join(SETTINGS)}", candidates=SETTINGS
        )
    backend, thread_id = spot.backend, spot.thread_id
    backend.require(Capability.RUN, "run a sweep")
    found = variants(edits, inputs, replace)
    write.current(backend, thread_id, spot.id, in_copy=parallel)
    here = spot.now()
    how = run_settings.settings(backend, here.own_settings(), thread_id, **given)
    graph = backend.graph(str(how.assistant))
    asked = [_checked(here, variant) for variant in found]
    turns = [check_input(backend, graph, here.state, variant.input) for variant in found]
    shown = [_shown(here, *each) for each in zip(found, asked, strict=True)]
    rows = [Row(variant, repeat, thread_id) for variant in shown for repeat in range(repeats)]
    started = datetime.now(UTC).isoformat()
    moves = () if parallel else ("the thread's head is at the last branch: its next message follows that",)
    notes = (*moves, *graph.notes)
    sweep = Sweep(book, thread_id, spot.id, uuid.uuid4().hex[:12], started, rows, base=here.facts, notes=notes)
    concurrency = concurrency if parallel else 0
    runner = Runner(sweep, here, asked, turns, how, given, concurrency, max_total_tokens, score)
    sweep.runner = runner
    return runner


def _checked(here: Spot, variant: Variant) -> TypedEdit:
    """The variant's edit as the place takes it.

    Raises:
        Refused: A channel or node does not exist, no interrupt waits for the answer, or nothing is left to run.
    """
    if isinstance(variant.change, Edit):
        graph, backend = here.assistant_graph(), here.backend
        return check_edit(backend, graph, here.state, variant.change.values, variant.as_node)
    if isinstance(variant.change, Answer):
        if not here.interrupts:
            raise Refused(f"checkpoint {here.short_id} asks nothing, so it takes no answer", checkpoint_id=here.id)
    elif variant.input is None:
        run_settings.not_finished(here.state)
    return TypedEdit({}, {}, {})


def _shown(here: Spot, variant: Variant, asked: TypedEdit) -> Variant:
    """The variant as frames and pictures show it: in plain JSON."""
    as_shown, change = here.backend.as_shown, variant.change
    if isinstance(change, Edit):
        change = dataclasses.replace(change, values=asked.shown)
    elif isinstance(change, Answer):
        shown = as_shown(change.said)
        change = Answer(shown) if change.by_id is None else Answer(by_id=shown)
    return dataclasses.replace(variant, change=change, input=as_shown(variant.input))


def whole(name: str, number: Any) -> None:
    """Check that this is a count.

    Raises:
        InvalidInput: It is none.
    """
    if type(number) is not int or number < 1:
        raise InvalidInput(f"{name} is {short(number)}: give a whole number, 1 or more")


def yes_or_no(name: str, given: Any) -> None:
    """Check that this is True or False.

    Raises:
        InvalidInput: It is something else.
    """
    if not isinstance(given, bool):
        raise InvalidInput(f"{name} is {short(given)}: give True or False")
