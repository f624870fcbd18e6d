"""Writes threads to an Agent Server, and tells its own half-made ones from those of others."""

import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from ..backends.contract import Backend
from ..errors import InvalidInput, ThreadNotFound
from ..marks import IMPORT
from ..model.states import State, Thread
from .original import Original
from .rebuild import Rebuilding
from .target import Writer
from .trial import Learned

QUIET = 2.0  # seconds without a change at the target: then no migration is at work on what was begun


class HalfMade(NamedTuple):
    """A thread that a migration is writing, or was; or its scratch copy, which bears the same mark."""

    thread_id: str
    at: str | None  # the thread that is written
    by: str
    updated_at: str | None


class ServerTarget(Writer):
    """Writes threads to an Agent Server; checkpoints get new ids.

    Args:
        backend: The server.
        assistant: Assistant id or graph name for threads whose metadata names no graph.
    """

    def __init__(self, backend: Backend, assistant: str | None = None) -> None:
        super().__init__(backend)
        self._assistant = assistant
        self._learned: dict[str, Learned] = {}

    def new_id(self, thread_id: str) -> str:
        """Its own, if it is a UUID, which is what servers take; else one made of it."""
        try:
            return str(uuid.UUID(thread_id))
        except ValueError:
            return str(uuid.uuid5(uuid.NAMESPACE_URL, f"forkbook/thread/{thread_id}"))

    def _has(self, graph_id: str) -> bool:
        """Whether the target has a graph, as far as it says so; one that it hides from this user can be run."""
        try:
            self.backend.graph(graph_id)
        except InvalidInput:
            return False
        return True

    def prepare(self, thread_ids: Collection[str]) -> frozenset[str]:
        """Delete scratch copies of half-made threads, which bear the mark of the thread they are copies of.

        A migration whose threads change while we look is at work: what it began, or will begin, stays.
        """
        before = self._half_made({"state": "writing"}, thread_ids)
        if not before:
            return frozenset()
        time.sleep(QUIET)
        after = self._half_made({"state": "writing"}, thread_ids)
        dead = frozenset(each.by for each in before & after) - {each.by for each in before ^ after}
        self._delete_scratches(each for each in after if each.by in dead)
        return dead

    def tidy(self, run: str) -> None:
        """Delete scratch copies of this run whose ids are unknown because the answer was lost."""
        self._delete_scratches(self._half_made({"state": "writing", "by": run}))

    def _half_made(self, mark: Mapping[str, str], thread_ids: Collection[str] | None = None) -> set[HalfMade]:
        found = [(record, record["metadata"][IMPORT]) for record in self.backend.threads(metadata={IMPORT: mark})]
        return {
            HalfMade(record["thread_id"], mark.get("at"), str(mark.get("by")), record.get("updated_at"))
            for record, mark in found
            if thread_ids is None or mark.get("of") in thread_ids
        }

    def _delete_scratches(self, found: Iterable[HalfMade]) -> None:
        for each in found:
            if each.at != each.thread_id:
                with suppress(ThreadNotFound):
                    self.backend.delete(each.thread_id)

    def write(self, original: Original, thread_id: str, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        """Write a thread; what is uncertain is tried on a scratch copy, so that no wrong checkpoint stays."""
        graph_id = self._graph_of(original)
        learned = self._learned.setdefault(graph_id, {})
        Rebuilding(self.backend, original, thread_id, metadata, graph_id, learned).run()
        return ()

    def check(self, record: Thread, newest: State | None) -> None:
        if graph_id := self._graph_of(Original(record, [newest] if newest else [])):
            self.backend.graph(graph_id)

    def _graph_of(self, original: Original) -> str:
        """The graph that a thread belongs to: its own metadata says it, or a checkpoint's, or the user.

        A graph in a process has no other name than its own, so what the server has none of leaves the word to the user.
        """
        recorded = (state["metadata"] or {} for state in reversed(original.roots))
        named = [original.metadata.get("graph_id"), self._assistant, *(found.get("graph_id") for found in recorded)]
        if graph_id := next((name for name in named if name), None):
            unknown = self._assistant and graph_id != self._assistant and not self._has(str(graph_id))
            name = str(self._assistant if unknown else graph_id)
            return self.backend.graph(name).graph_id or name if name == self._assistant else name
        if not original.states:
            return ""
        raise InvalidInput(
            f"thread {original.thread_id} does not say which graph it belongs to: give assistant='…', a graph of "
            f"{self.backend.address}",
            thread_id=original.thread_id,
        )
