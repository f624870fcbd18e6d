"""What was read of threads, kept between reads, so that the next one reads from the database only what changed.

A read asks for the ids and stamps of all rows, without a value, then for the rows whose stamps are new. So nothing is
guessed: a checkpoint, or a write, that was replaced has another stamp.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from ...model.states import State
from ..budget import DEFAULT_BUDGET, Budget
from ..values.decode import Decoder
from .rebuild import NOTHING, Rebuilder, Rebuilt
from .rows import Saved, Write
from .rules import Rules
from .states import state_of
from .tasks import Layout, Proofs, layout

THREADS = 4  # of which the rows are kept
FEW = 50  # checkpoints whose writes are asked for one by one, not with all the others
Stamps = Mapping[str, Any]


class Row(NamedTuple):
    """A checkpoint without its values; `stamp` changes whenever the row does, None: the place cannot tell."""

    id: str
    parent_id: str | None
    stamp: Any


class Source(Protocol):
    """A namespace of a thread in a database, at one moment."""

    def mark(self) -> Any:
        """What changes whenever any of its rows does, and costs little; None: the place has none such."""

    def rows(self) -> Iterable[Row]:
        """All its checkpoints."""

    def checkpoints(self, rows: Sequence[Row]) -> Iterable[Saved]:
        """These, whole, but for what their tasks wrote."""

    def stamps(self) -> Stamps | None:
        """By checkpoint id what changes whenever its writes do; None: the place cannot tell."""

    def writes(self, ids: Collection[str] | None) -> Mapping[str, list[Write]]:
        """What the tasks of these checkpoints, or of all, wrote, by checkpoint id."""

    def namespaces(self) -> set[str]:
        """The namespaces of the thread's subgraphs."""


class Kept:
    """What was read of one namespace of a thread.

    Args:
        ns: The namespace.
        rules: The rules that were given for DeltaChannels.

    Attributes:
        blobs: Values by channel and version, where a place stores them apart from the checkpoints.
    """

    def __init__(self, ns: str, rules: Rules | None = None) -> None:
        self.blobs: dict[tuple[str, str | None], Any] = {}
        self._rebuilder = Rebuilder(ns, rules)
        self._mark: Any = None
        self._rows: dict[str, Row] = {}
        self._stamps: Stamps = {}
        self._saved: dict[str, Saved] = {}
        self._graph, self._namespaces, self._proofs = Layout(), set[str](), Proofs()
        self._rebuilt: Mapping[str, Rebuilt] = {}
        self._states: dict[str, State] = {}

    def states(self, source: Source) -> dict[str, State]:
        """Its states as they are now, by checkpoint id, newest first; one that did not change is the same object."""
        mark = source.mark()
        if mark is None or mark != self._mark:
            self._mark = None  # until all is read
            self._read(source)
            self._mark = mark
        return self._states

    def _read(self, source: Source) -> None:
        rows = {row.id: row for row in source.rows()}
        if self._rows.keys().isdisjoint(rows):  # the thread was deleted and made anew: versions may be taken again
            self.blobs.clear()
        stale = [row for row in rows.values() if row.stamp is None or self._rows.get(row.id) != row]
        fresh = {saved.checkpoint_id: saved for saved in source.checkpoints(stale)} if stale else {}
        stamps, namespaces = source.stamps(), source.namespaces()
        changed = {id_ for id_ in rows if id_ in fresh or stamps is None or stamps.get(id_) != self._stamps.get(id_)}
        if changed or len(rows) != len(self._rows) or namespaces != self._namespaces:
            written = source.writes(changed if len(changed) <= FEW else None) if changed else {}
            known = self._saved | fresh
            saved = {
                id_: replace(known[id_], writes=written.get(id_, [])) if id_ in changed else known[id_] for id_ in rows
            }
            self._show(saved, changed, namespaces)
        self._rows, self._stamps = rows, stamps or {}

    def _show(self, saved: dict[str, Saved], changed: set[str], namespaces: set[str]) -> None:
        graph, rebuilt = layout(list(saved.values()), self._proofs), self._rebuilder.rebuilt(saved)
        touched = changed | _touched(graph, self._graph, saved) | self._hosts(namespaces ^ self._namespaces)
        touched = touched if _same_graph(graph, self._graph) else set(saved)
        states = {}
        for id_ in sorted(saved, reverse=True):
            now = rebuilt.get(id_, NOTHING)
            if id_ in touched or now is not self._rebuilt.get(id_, NOTHING) or id_ not in self._states:
                states[id_] = state_of(saved[id_], graph, namespaces, now)
            else:
                states[id_] = self._states[id_]
        self._saved, self._graph, self._namespaces = saved, graph, namespaces
        self._rebuilt, self._states = rebuilt, states

    def _hosts(self, namespaces: set[str]) -> set[str]:
        """The checkpoints whose tasks ran the subgraphs of these namespaces."""
        ids = {part.rpartition(":")[2] for ns in namespaces for part in ns.split("|")}
        states = self._states.items() if ids else ()
        return {id_ for id_, state in states if not state["tasks"] or any(task["id"] in ids for task in state["tasks"])}


def _same_graph(a: Layout, b: Layout) -> bool:
    """Whether what the checkpoints tell about the graph is the same, but for what concerns single checkpoints."""
    return replace(a, completed=set(), sends={}) == replace(b, completed=set(), sends={})


def _touched(a: Layout, b: Layout, saved: Mapping[str, Saved]) -> set[str]:
    """The checkpoints whose tasks depend on what is different: a child that the loop wrote, or Sends of the parent."""
    sent = {id_ for id_ in a.sends.keys() | b.sends.keys() if a.sends.get(id_) != b.sends.get(id_)}
    return (a.completed ^ b.completed) | {id_ for id_, item in saved.items() if sent and item.parent_id in sent}


@dataclass
class KeptThread:
    """What was read of one thread.

    Attributes:
        decoder: Decodes its values; equal messages become one object.
        namespaces: What was read of its namespaces.
    """

    decoder: Decoder
    namespaces: dict[str, Kept] = field(default_factory=dict)


class KeptThreads:
    """What was read of the threads that were asked for last.

    Args:
        rules: The rules that were given for DeltaChannels.
        budget: The bounds of what is read.
    """

    def __init__(self, rules: Rules | None = None, budget: Budget = DEFAULT_BUDGET) -> None:
        self._rules, self._budget = rules, budget
        self._threads: OrderedDict[str, KeptThread] = OrderedDict()

    def of(self, thread_id: str, ns: str) -> tuple[Decoder, Kept]:
        """What is kept of a namespace, and the thread's decoder."""
        thread = self._threads.setdefault(thread_id, KeptThread(Decoder(self._budget)))
        self._threads.move_to_end(thread_id)
        if len(self._threads) > THREADS:
            self._threads.popitem(last=False)
        return thread.decoder, thread.namespaces.setdefault(ns, Kept(ns, self._rules))

    def clear(self) -> None:
        """Forget everything."""
        self._threads.clear()
