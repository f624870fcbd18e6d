"""A thread is run on from its head, or begun."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any

from .. import snippets
from ..backends.capabilities import Capability
from ..backends.contract import Backend
from ..backends.records import RunSettings
from ..errors import InvalidInput, Refused, ThreadBusy, ThreadNotFound
from ..facts import Facts, read
from ..marks import checked_metadata
from ..model.text import short
from ..tokens import Counter
from . import run_settings
from .options import BusyPolicy, Options
from .spot import Done, Spot, graph_id_of
from .typed_edits import check_input
from .verbs import done_after_run

IF_NOT_EXISTS = ("reject", "create")


def run(
    backend: Backend,
    counter: Counter | None,
    thread_id: str | None,
    input: Any,
    thread_metadata: Mapping[str, Any] | None,
    if_not_exists: str,
    options: Options,
) -> Done:
    """Run a thread on from its head, or a new one; whatever can be refused is refused before anything is written."""
    backend.require(Capability.RUN, "run a graph")
    create = _creates(if_not_exists)
    metadata = checked_metadata(thread_metadata)
    if thread_id is not None and thread_metadata is not None and not create:
        raise InvalidInput(f"thread_metadata is for a new thread, and thread {thread_id} is to be there already")
    facts = None if thread_id is None else _there(backend, counter, thread_id, options.policy, create=create)
    head = Spot(backend, facts, len(facts.tree) - 1) if facts and len(facts.tree) else None
    own = _own_settings(backend, facts, head)
    how = run_settings.settings(backend, own, thread_id or "a new thread", **options.settings)
    graph = backend.graph(str(how.assistant))
    sent = check_input(backend, graph, head.state if head else {"values": {}}, input)
    _something_to_run(head, sent)
    notes = () if facts is None else _metadata_kept(backend, facts.thread_id, metadata)
    if facts is None:
        facts = Facts.of(_new_thread(backend, thread_id, graph.graph_id or "", metadata), {}, counter)
        gesture = snippets.of_first_run(facts.thread_id, how, sent, metadata, named=thread_id is not None)
    else:
        gesture = snippets.of_run(facts.thread_id, how, sent)
    outcome = options.policy.run(backend, facts.thread_id, None, how, input=sent)
    done = done_after_run("run", backend, facts, head.id if head else None, outcome, how, notes)
    return dataclasses.replace(done, gesture=gesture)


def _creates(if_not_exists: Any) -> bool:
    if if_not_exists not in IF_NOT_EXISTS:
        raise InvalidInput(
            f"if_not_exists is {short(if_not_exists)}: LangGraph has {', '.join(IF_NOT_EXISTS)}",
            candidates=IF_NOT_EXISTS,
        )
    return bool(if_not_exists == "create")


def _there(
    backend: Backend, counter: Counter | None, thread_id: str, policy: BusyPolicy, *, create: bool
) -> Facts | None:
    """The thread, once it is free; None: it is to be made."""
    try:
        _free(backend, thread_id, policy)
        return read(backend, thread_id, counter)
    except ThreadNotFound as error:
        if create:
            return None
        error.add("With an input, if_not_exists='create' begins a thread under this id.")
        raise


def _metadata_kept(backend: Backend, thread_id: str, wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """A note where a thread that was there already keeps other metadata than what was wanted."""
    held = backend.thread(thread_id).get("metadata") or {} if wanted else {}
    left = [key for key, value in wanted.items() if key not in held or held[key] != value]
    note = f"thread {thread_id} was there already: its metadata {', '.join(left)} is as it was"
    return (note,) if left else ()


def _free(backend: Backend, thread_id: str, policy: BusyPolicy) -> None:
    if not policy.ready(backend, thread_id) and backend.thread(thread_id).get("status") == "busy":
        raise ThreadBusy(
            f"thread {thread_id} is busy with a run: busy='wait' waits for its end, busy='enqueue' lets the server run "
            "this one after it",
            thread_id=thread_id,
        )


def _own_settings(backend: Backend, facts: Facts | None, head: Spot | None) -> RunSettings:
    """How the thread's last run was run; of a thread that has none, its graph, or the only one there is."""
    if head:
        return head.own_settings()
    graph_id = None if facts is None else graph_id_of(backend, facts.thread_id)
    known = [] if graph_id else backend.assistants()
    return RunSettings(graph_id or (known[0] if len(known) == 1 else None))


def _something_to_run(head: Spot | None, sent: Any) -> None:
    if sent is not None:
        return
    if head is None:
        raise Refused("a thread without a checkpoint starts with an input: give one, {} if the graph needs nothing")
    run_settings.not_finished(head.state)


def _new_thread(backend: Backend, thread_id: str | None, graph_id: str, metadata: Mapping[str, Any]) -> str:
    """Make a thread; its id, as the place spells it."""
    new_id = str(uuid.uuid4()) if thread_id is None else thread_id
    if Capability.CREATE in backend.capabilities:
        backend.create(new_id, graph_id, metadata, ())
        return new_id if thread_id is None else str(backend.thread(new_id)["thread_id"])
    if metadata:
        backend.tag(new_id, metadata)
    return new_id
