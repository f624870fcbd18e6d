"""A thread run on from its head, or begun."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import snippets
from ..backends.contract import Backend
from ..backends.records import RunSettings
from ..errors import InvalidInput, Refused, ThreadBusy, ThreadNotFound
from ..history import History
from ..marks import checked_metadata
from ..model.text import short
from . import run_settings as runs
from .options import Manner
from .typed_edits import check_input
from .verbs import Act, led

if TYPE_CHECKING:
    from ..book import Book
    from ..checkpoint import Checkpoint

IF_NOT_EXISTS = ("reject", "create")


def run(
    book: Book,
    thread_id: str | None,
    input: Any,
    thread_metadata: Mapping[str, Any] | None,
    if_not_exists: str,
    manner: Manner,
    **given: Any,
) -> Act:
    """Run a thread on from its head, or a new one; whatever can be refused is refused before anything is written."""
    backend = book.backend
    backend.require("run", "run a graph")
    create = _creates(if_not_exists)
    metadata = checked_metadata(thread_metadata)
    if thread_id is not None and thread_metadata is not None and not create:
        raise InvalidInput(f"thread_metadata is for a new thread, and thread {thread_id} is to be there already")
    history = None if thread_id is None else _there(book, thread_id, manner, create=create)
    head = history[-1] if history else None
    how = runs.settings(backend, _own(backend, history, head), thread_id or "a new thread", **given)
    graph = backend.graph(str(how.assistant))
    sent = check_input(backend, graph, head.state if head else {"values": {}}, input)
    _something_to_run(head, sent)
    notes = () if history is None else _metadata_kept(history, metadata)
    if history is None:
        history = _new_thread(book, thread_id, graph.graph_id or "", metadata)
        gesture = snippets.of_first_run(history.thread_id, how, sent, metadata, named=thread_id is not None)
    else:
        gesture = snippets.of_run(history.thread_id, how, sent)
    outcome = manner.run(backend, history.thread_id, None, how, input=sent)
    act = led("run", history, head.id if head else None, outcome, how, notes)
    return dataclasses.replace(act, gesture=gesture)


def _creates(if_not_exists: Any) -> bool:
    if if_not_exists not in IF_NOT_EXISTS:
        raise InvalidInput(
            f"if_not_exists is {short(if_not_exists)}: LangGraph has {', '.join(IF_NOT_EXISTS)}",
            candidates=IF_NOT_EXISTS,
        )
    return bool(if_not_exists == "create")


def _there(book: Book, thread_id: str, manner: Manner, *, create: bool) -> History | None:
    """The thread, once it is free; None: it is to be made."""
    try:
        _free(book.backend, thread_id, manner)
        return book.read(thread_id)
    except ThreadNotFound as error:
        if create:
            return None
        error.args = (f"{error}; with an input, if_not_exists='create' begins a thread under this id",)
        raise


def _metadata_kept(history: History, wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """What to tell where a thread was to get metadata, but is there already, as LangGraph tells nobody."""
    held = history.book.backend.thread(history.thread_id).get("metadata") or {} if wanted else {}
    left = [key for key, value in wanted.items() if key not in held or held[key] != value]
    told = f"thread {history.thread_id} was there already: its metadata {', '.join(left)} is as it was"
    return (told,) if left else ()


def _free(backend: Backend, thread_id: str, manner: Manner) -> None:
    if not manner.ready(backend, thread_id) and backend.thread(thread_id).get("status") == "busy":
        raise ThreadBusy(
            f"thread {thread_id} is busy with a run: busy='wait' waits for its end, busy='enqueue' lets the server run "
            "this one after it",
            thread_id=thread_id,
        )


def _own(backend: Backend, history: History | None, head: Checkpoint | None) -> RunSettings:
    """How the thread's last run was run; of a thread that has none, its graph, or the only one there is."""
    if head:
        return head.own_settings()
    graph_id = history.graph_id if history is not None else None
    known = [] if graph_id else backend.assistants()
    return RunSettings(graph_id or (known[0] if len(known) == 1 else None))


def _something_to_run(head: Checkpoint | None, sent: Any) -> None:
    if sent is not None:
        return
    if head is None:
        raise Refused("a thread without a checkpoint starts with an input: give one, {} if the graph needs nothing")
    runs.not_finished(head.state)


def _new_thread(book: Book, thread_id: str | None, graph_id: str, metadata: Mapping[str, Any]) -> History:
    new_id = str(uuid.uuid4()) if thread_id is None else thread_id
    if "create" in book.backend.abilities:
        book.backend.create(new_id, graph_id, metadata, ())
        new_id = (
            str(book.backend.thread(new_id)["thread_id"]) if thread_id is not None else new_id
        )  # as the place spells it
    elif metadata:
        book.backend.tag(new_id, metadata)
    return History(book, new_id, {})
