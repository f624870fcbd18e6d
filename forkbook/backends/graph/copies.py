"""Copies of a thread in a checkpointer: real ones, and scratch ones that live in memory."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .calls import Caller
from .holding import must_hold_copies
from .snapshots import Reading, Saver, Stub, on_memory, transcribe


class Copies:
    """What has become of the copies that were asked for.

    A copy is written when it is first looked at. One that is made scratch before is never written: it is the graph on a
    saver in memory, and takes over a checkpoint when that is edited.

    Args:
        graph: The graph.
        saver: Its checkpointer.
        call: How the checkpointer is called.
        stubs: Lists the checkpoints of a thread.
    """

    def __init__(self, graph: Any, saver: Saver, call: Caller, stubs: Callable[[str], list[Stub]]) -> None:
        self._graph, self._saver, self._call, self._stubs = graph, saver, call, stubs
        self._owed: dict[str, str] = {}  # copies that were not read yet, with their originals
        self._scratches: dict[str, tuple[str, Any]] = {}  # with their originals, and the graph on memory

    def owe(self, thread_id: str) -> str:
        """The id of a new copy."""
        copy_id = str(uuid.uuid4())
        self._owed[copy_id] = thread_id
        return copy_id

    def make_scratch(self, copy_id: str) -> None:
        """Keep a copy that was not read yet out of the store."""
        if (original := self._owed.pop(copy_id, None)) is not None:
            self._scratches[copy_id] = (original, on_memory(self._graph, self._saver))

    def forget(self, copy_id: str) -> bool:
        """Drop a copy that is in no store; whether it was one."""
        owed, scratch = self._owed.pop(copy_id, None), self._scratches.pop(copy_id, None)
        return owed is not None or scratch is not None

    def original(self, copy_id: str) -> str | None:
        """What a scratch copy is a copy of."""
        scratch = self._scratches.get(copy_id)
        return scratch[0] if scratch else None

    def write_owed(self) -> None:
        """Write every copy that is still owed."""
        for copy_id in list(self._owed):
            self.graph_of(copy_id)

    def graph_of(self, thread_id: str) -> Any:
        """The graph, on the saver that has the thread."""
        if scratch := self._scratches.get(thread_id):
            return scratch[1]
        if (original := self._owed.pop(thread_id, None)) is not None:
            self._write(original, thread_id)
        return self._graph

    def _write(self, thread_id: str, copy_id: str) -> None:
        must_hold_copies(self._saver, type(self._saver).__name__, awaits=self._call.awaits)
        source = Reading().sharing(self.graph_of(thread_id).checkpointer)
        places = sorted((found.head.ns, found.head.id) for found in self._stubs(thread_id))
        try:
            transcribe(self._call, source, self._saver, places, thread_id, copy_id)
        except BaseException:
            with suppress(Exception):
                self._call(self._saver, "delete_thread", copy_id)
            raise

    def take_over(self, copy_id: str, checkpoint_id: str, ns: str = "") -> None:
        """Let a scratch copy have a checkpoint; with those above where channels are kept as changes only."""
        thread_id, graph = self._scratches[copy_id]
        lineage = [checkpoint_id]
        if any(type(channel).__name__ == "DeltaChannel" for channel in graph.channels.values()):
            above = {found.head.id: found.head.parent_id for found in self._stubs(thread_id) if found.head.ns == ns}
            while parent := above.pop(lineage[-1], None):
                lineage.append(parent)
        source = self.graph_of(thread_id).checkpointer
        transcribe(self._call, source, graph.checkpointer, [(ns, id_) for id_ in lineage], thread_id, copy_id)
