"""What acts are given and what they give back: a checkpoint with its place, its thread as it was read, and its run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from ..backends.contract import Backend
from ..backends.records import Graph, RunSettings
from ..checkpoint_facts import CheckpointFacts
from ..errors import InvalidInput
from ..facts import Facts, read, reread
from .run_settings import first_shown, without_marks

if TYPE_CHECKING:
    from ..model.edits import Deviation
    from ..snippets import Gesture


@dataclass(frozen=True)
class Spot(CheckpointFacts):
    """A checkpoint where something is to be done.

    Attributes:
        backend: The place that holds its thread.
        facts: The thread, as it was read.
        position: The checkpoint's position in it.
    """

    backend: Backend
    facts: Facts
    position: int

    @property
    def inside(self) -> Spot | None:
        """Of a subgraph's checkpoint the one whose task ran it; None: root graph, or unknown."""
        host = self.facts.tree.inside[self.position]
        return self.at(host) if host >= 0 else None

    @property
    def parent(self) -> Spot | None:
        """The checkpoint before it; None: it is a root, or the parent was not read."""
        above = self.facts.tree.parents[self.position]
        return self.at(above) if above >= 0 else None

    @property
    def lineage(self) -> list[Spot]:
        """The path from the root down to the checkpoint."""
        return [self.at(position) for position in self.facts.tree.lineage(self.position)]

    def at(self, position: int) -> Spot:
        """Another checkpoint of the thread as it was read."""
        return replace(self, position=position)

    def in_facts(self, facts: Facts, checkpoint_id: str) -> Spot:
        """A checkpoint of the same place, by its id in a thread that was read later."""
        return Spot(self.backend, facts, facts.tree.index[checkpoint_id])

    def now(self, checkpoint_id: str | None = None) -> Spot:
        """This checkpoint, or another one by its id, in the thread as it is now."""
        return self.in_facts(reread(self.backend, self.facts), checkpoint_id or self.id)

    def in_thread(self, thread_id: str) -> Spot:
        """This checkpoint in a copy of the thread."""
        copied = read(self.backend, thread_id, self.facts.counter, subgraphs=self.facts.subgraphs)
        return self.in_facts(copied, self.id)

    @cached_property
    def graph_id(self) -> str | None:
        """The graph that the thread belongs to."""
        return graph_id_of(self.backend, self.thread_id)

    def own_settings(self) -> RunSettings:
        """How the run was run that led here: that of the nearest checkpoint above that a run wrote."""
        for spot in reversed(self.lineage):
            metadata = spot.state["metadata"] or {}
            if metadata.get("run_id") or (self.backend.assistant and metadata.get("source") in ("input", "loop")):
                return without_marks(self.backend.run_settings(self.thread_id, metadata), metadata)
        return RunSettings(self.graph_id)

    def assistant_graph(self) -> Graph:
        """The graph that wrote the checkpoint: its nodes and channels.

        Raises:
            InvalidInput: No run says which graph it is.
        """
        graph = first_shown(self.backend, self._graph_names(), self.namespace)
        if graph is None:
            raise InvalidInput(
                f"no run tells which graph thread {self.thread_id} belongs to, so an edit cannot be checked"
            )
        return graph

    def _graph_names(self) -> Iterator[str | None]:
        """What may name the graph that wrote it: its run's assistant, that one's graph, the thread's own record."""
        metadata = [spot.state["metadata"] or {} for spot in reversed(self.lineage)]
        for key in ("assistant_id", "graph_id"):
            yield next((str(found) for m in metadata if (found := m.get(key))), None)
        yield self.graph_id


class HasSpot(Protocol):
    """A checkpoint as users hold it."""

    @property
    def spot(self) -> Spot:
        """The same as acts take it."""


@dataclass(frozen=True, slots=True)
class Done:
    """What an act left behind; `Act` is the same as users hold it, and describes the fields.

    Attributes:
        kind: `edit`, `resume`, `fork`, `answer` or `run`.
        spot: Where it led, in the thread as it is after the act.
        status: Of that checkpoint.
        settings: How the run was run.
        run_id: The run.
        deviations: Channels that are not what was typed.
        error: The exception that ended the run.
        notes: What else one should know.
        gesture: What was done, step by step.
    """

    kind: str
    spot: Spot
    status: str
    settings: RunSettings | None = None
    run_id: str | None = None
    deviations: tuple[Deviation, ...] = ()
    error: str | None = None
    notes: tuple[str, ...] = ()
    gesture: Gesture | None = None


def graph_id_of(backend: Backend, thread_id: str) -> str | None:
    """The graph that a thread belongs to: the only one there is, or what the thread's own record says."""
    if backend.assistant:
        return backend.assistant
    found = (backend.thread(thread_id).get("metadata") or {}).get("graph_id")
    return None if found is None else str(found)
