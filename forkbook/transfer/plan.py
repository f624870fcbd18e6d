"""How a thread can be written anew: for each checkpoint the updates that may make it, the likeliest first. Pure.

A checkpoint is made from its parent in one of five ways:

    input    an update as `__input__`, with what `__start__` wrote next
    run      an update as each node that ran, with what it wrote; at a fork LangGraph takes one update only, so there
             the writes of parallel nodes go together as one
    replay   an update as the node before, without values: a run from an older checkpoint begins with such a row
    copy     an update as `__copy__`, which makes a sibling
    edit     an update as a node that is not recorded; what was typed is not, either, so the values themselves are sent
"""

import itertools
import operator
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..backends.jsonfile.scripts import MADE_UP
from ..model.edits import exact_writes
from ..model.messages import canonical
from ..model.reserved import COPY, INPUT, ROOT, START
from ..model.states import State
from .match_messages import sendable, with_ids
from .original import Original

Update = dict[str, Any]
Writes = Mapping[int, Any]  # by the task's place in `Step.nodes`
NOTHING: tuple[str, Writes] = ("nothing", {})


@dataclass
class Tries:
    """Writes that may make a channel what it was, each with a label, the likeliest first; costly ones when needed.

    Attributes:
        known: Those at hand.
        later: Gives the others, one at a time; None: there are none.
    """

    known: list[tuple[str, Writes]]
    later: Iterator[tuple[str, Writes]] | None = None

    def at(self, number: int) -> tuple[str, Writes] | None:
        """The number-th, if there are so many."""
        while number >= len(self.known) and self.later is not None:
            if (found := next(self.later, None)) is None:
                self.later = None
            else:
                self.known = distinct([*self.known, found])
        return self.known[number] if number < len(self.known) else None

    def number_of(self, label: str) -> int | None:
        """Which one has a label."""
        while (found := next((n for n, (name, _) in enumerate(self.known) if name == label), None)) is None:
            if self.later is None:
                return None
            self.at(len(self.known))
        return found


@dataclass
class Step:
    """One checkpoint to be made.

    Attributes:
        position: Of the checkpoint in the original's tree.
        base: Position of the checkpoint at which the update is made: the parent, of a copy the sibling; -1: none.
        way: `input`, `run`, `replay`, `copy` or `edit`.
        nodes: The nodes that write; of an edit or replay the one that is tried now.
        results: What each node wrote, as recorded; None: nothing.
        tries: For each channel the writes that may make it what it was.
        choice: For each channel which of them is taken.
        others: Nodes to try in the place of the only one, the likeliest first.
        settled: Whether everything was tried.
        last: Whether it is known that nothing comes next, though the checkpoint does not say so.
    """

    position: int
    base: int
    way: str
    nodes: list[str | None]
    results: list[Any]
    tries: dict[str, Tries] = field(default_factory=dict)
    choice: dict[str, int] = field(default_factory=dict)
    others: list[str | None] = field(default_factory=list)
    settled: bool = False
    last: bool = False

    @property
    def node(self) -> str | None:
        """The node that writes, the first of several."""
        return self.nodes[0]

    @node.setter
    def node(self, name: str | None) -> None:
        self.nodes = [name, *self.nodes[1:]]

    def updates(self) -> list[Update]:
        """The updates of one superstep."""
        if not self.tries:
            whole = self.results if self.way == "run" else [self.results[0]]
            return [
                {"values": sendable(result) if self.way == "run" else result, "as_node": node}
                for result, node in zip(whole, self.nodes, strict=True)
            ]
        values: list[dict[str, Any]] = [{} for _ in self.nodes]
        for channel, tries in self.tries.items():
            label_and_writes = tries.at(self.choice.get(channel, 0))
            for place, write in label_and_writes[1].items() if label_and_writes else ():
                values[place][channel] = write
        whole = [each[ROOT] if each.keys() == {ROOT} else each for each in values]
        return [{"values": each, "as_node": node} for each, node in zip(whole, self.nodes, strict=True)]


def distinct(tries: Sequence[tuple[str, Writes]]) -> list[tuple[str, Writes]]:
    """Tries without those that write what an earlier one does."""
    seen: set[bytes] = set()
    kept = []
    for label, writes in tries:
        if (key := canonical(list(writes.items()))) not in seen:
            seen.add(key)
            kept.append((label, writes))
    return kept


def steps(original: Original, nodes: Sequence[str]) -> tuple[list[Step], list[Step]]:
    """The steps of the first branch, and those of all others, branch by branch; the head comes last.

    So each is made at the newest checkpoint but those that begin a branch: a server records what a task wrote only
    there. Branches begin in the order of the original, so that their labels are the same.

    Args:
        original: The thread.
        nodes: The graph's nodes.
    """
    tree, plan = original.tree, Planner(original, nodes)
    last = _last(original)
    ordered = sorted(range(len(tree)), key=lambda position: (position in last, tree.branches[position], position))
    first = [
        plan.step(position, fork=False) for position in ordered if not (tree.branches[position] or position in last)
    ]
    return first, [plan.step(position, fork=True) for position in ordered[len(first) :]]


def _last(original: Original) -> Collection[int]:
    """The head, if its branch is not the last one to begin.

    After its parent, if that takes no place from another, a server takes the thread's values as they are at the head,
    but does not record what made the parent: so only where the original's are these, too.
    """
    tree, head = original.tree, len(original.tree) - 1
    if head < 0 or tree.branches[head] == max(tree.branches):
        return ()
    parent = tree.parents[head]
    above = tree.parents[parent]
    alone = above >= 0 and tree.children[above] == [parent] and tree.children[parent] == [head]
    return (parent, head) if alone and original.record.get("values") == original.roots[-1]["values"] else (head,)


class Planner:
    """Plans the steps of one thread.

    Args:
        original: The thread.
        nodes: The graph's nodes.
    """

    def __init__(self, original: Original, nodes: Sequence[str]) -> None:
        self._tree, self._states, self._nodes = original.tree, original.roots, nodes
        self._waits = original.record.get("status") == "interrupted"

    def step(self, position: int, *, fork: bool) -> Step:
        """How one checkpoint can be made; `fork`: by one update only."""
        parent = self._tree.parents[position]
        state, before = self._states[position], self._states[parent] if parent >= 0 else None
        source = (state["metadata"] or {}).get("source")
        if source == "input" or state["next"] == [START]:
            return Step(position, parent, "input", [INPUT], [self._input_of(state)])
        if source == "fork" and before is not None:
            if _same(state, before) and state["next"] == before["next"]:
                ways = list(dict.fromkeys([*self._before(parent), *self._nodes, START]))
                return Step(position, parent, "replay", ways[:1], [None], others=ways[1:])
            for sibling in self._tree.children[parent]:
                if sibling < position and _same(state, self._states[sibling]):
                    return Step(position, sibling, "copy", [COPY], [None])
        tasks = [(task["name"], task["result"]) for task in (before or {}).get("tasks") or ()]
        if source == "update":
            tasks = [] if parent >= 0 and self._tree.children[parent][0] != position else tasks
            tasks = [(name, result) for name, result in tasks if result is not None]
        if before is None or not tasks:
            return self._edit(position, parent, fork)
        step = self._run(position, parent, tasks, fork or self._joined(position))
        if source == "update" and len(step.nodes) == 1:  # or another node edited
            step.others += [way for way in self._ways(position, parent, fork) if way not in step.nodes]
        return step

    def _joined(self, position: int) -> bool:
        """Whether tasks of a join, `add_edge([a, b], c)`, came next: servers do not list these.

        No update takes back what a join waits for. It would run again and again, so not every `a` and `b` is to write.
        """
        sources = ((self._states[child]["metadata"] or {}).get("source") for child in self._tree.children[position])
        return self._states[position]["next"] == [] and "loop" in sources

    def _input_of(self, state: State) -> Any:
        """What the input was: what `__start__` wrote."""
        found = [task["result"] for task in state["tasks"] or () if task["name"] == START]
        return found[0] if found and found[0] is not None else {}

    def _before(self, position: int) -> list[str | None]:
        """The nodes that ran right before a checkpoint, where they are known; the last writer as LangGraph guesses."""
        for above in itertools.islice(self._tree.up(position), 1, None):
            names = [str(task["name"]) for task in self._states[above]["tasks"] or () if task["result"] is not None]
            if names:
                return list(names)
        return []

    def _run(self, position: int, parent: int, tasks: list[tuple[str, Any]], fork: bool) -> Step:
        before, after = self._states[parent]["values"] or {}, self._states[position]["values"] or {}
        nodes: list[str | None] = [name for name, _ in tasks]
        results = [result for _, result in tasks]
        if not all(isinstance(result, dict | None) for result in results) or not isinstance(after, dict):
            return Step(position, parent, "run", nodes[:1] if fork else nodes, results[:1] if fork else results)
        named = with_ids(results, before, after)
        writers: dict[str, dict[int, Any]] = {}
        for place, result in enumerate(named):
            for channel, write in (result or {}).items():
                writers.setdefault(channel, {})[place] = write
        merged = fork and len(tasks) > 1
        step = Step(position, parent, "run", nodes[:1] if fork else nodes, results[:1] if fork else results)
        step.others = [*dict.fromkeys(nodes[1:])] if merged else []
        for channel, writes in writers.items():
            recorded: list[tuple[str, Writes]] = []
            if merged:
                recorded += [("recorded", {0: one})] if (one := _together(list(writes.values()))) is not None else []
            elif not any(_several(write) for write in writes.values()):
                raw = {place: (results[place] or {})[channel] for place in writes}
                recorded += [("recorded", {place: sendable(w) for place, w in writes.items()}), ("raw", raw)]
            where = 0 if merged else min(writes)
            step.tries[channel] = Tries(distinct(recorded), _exact(channel, before, after, where))
        for channel in _changed(before, after, besides=writers):
            step.tries[channel] = Tries([NOTHING], _exact(channel, before, after, 0))
        return step

    def _edit(self, position: int, parent: int, fork: bool) -> Step:
        state, before = self._states[position], self._states[parent] if parent >= 0 else None
        old, new = (before or {}).get("values") or {}, state["values"] or {}
        others = self._ways(position, parent, fork)
        step = Step(position, parent, "edit", others[:1], [None], others=others[1:])
        step.last = state["checkpoint"]["checkpoint_id"] == MADE_UP and not self._waits
        if isinstance(new, dict):
            for channel in _changed(old, new):
                step.tries[channel] = Tries([], _exact(channel, old, new, 0))
        else:
            step.results = [new]
        return step

    def _ways(self, position: int, parent: int, fork: bool) -> list[str | None]:
        """The nodes as which an edit may have been made, the likeliest first; a superstep has to name its node."""
        waiting = set((self._states[parent]["next"] if parent >= 0 else None) or ())
        ways = [*self._before(position), *(name for name in self._nodes if name not in waiting), *self._nodes, START]
        return list(dict.fromkeys([None, *ways] if fork else ways))


def _same(state: State, other: State) -> bool:
    return _equal(state["values"], other["values"])


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], besides: Container[str] = ()) -> list[str]:
    """The channels that are not what they were before."""
    others = ((channel, value) for channel, value in after.items() if channel not in besides)
    return [channel for channel, value in others if channel not in before or not _equal(before[channel], value)]


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b) and all(map(operator.is_, a, b)):
        return True
    return a is b or canonical(a) == canonical(b)


def _exact(
    channel: str, before: Mapping[str, Any], after: Mapping[str, Any], place: int
) -> Iterator[tuple[str, Writes]]:
    """Writes after which a channel is exactly what it was, whatever its reducer."""
    if channel not in after:
        return
    value, old = after[channel], before.get(channel)
    if isinstance(value, list) and isinstance(old, list) and 0 < len(old) <= len(value) and _begins(value, old):
        yield "added", {place: sendable(value[len(old) :])}
    for number, write in enumerate(exact_writes(value, old)):
        yield f"exact {number}", {place: sendable(write)}
        yield f"raw exact {number}", {place: write}
    yield NOTHING


def _begins(value: list[Any], old: list[Any]) -> bool:
    return all(a is b or canonical(a) == canonical(b) for a, b in zip(old, value, strict=False))


def _several(write: Any) -> bool:
    """Whether a task wrote a channel several times, which one update cannot."""
    return isinstance(write, dict) and write.keys() == {"$writes"}


def _together(writes: list[Any]) -> Any:
    """Several writes to a channel as one, if they can be: lists, one after the other."""
    flat = [item for write in writes for item in (write["$writes"] if _several(write) else [write])]
    if len(flat) == 1:
        return sendable(flat[0])
    return sendable([item for write in flat for item in write]) if all(isinstance(w, list) for w in flat) else None
