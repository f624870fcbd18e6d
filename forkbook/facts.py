"""What the states of a thread say, derived once and shared by frames, pictures and widgets. Pure."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from .backends.contract import Backend
from .backends.read import read_states, reread_states
from .model.holdings import Holdings, holdings
from .model.messages import channels
from .model.reserved import ROOT
from .model.secrets import hide_in_metadata
from .model.states import State, head_of
from .model.text import cut, shown, visible
from .model.tree import Tree, completeness, path_of
from .tokens import Counter, Ledger, Writings, brought, ledger
from .tokens.prices import Bill, Rate, bill, rate_of

STATUSES = ("finished", "waiting", "pending", "error", "unknown")
SOURCES = ("input", "loop", "update", "fork")
BY_HAND = ("update", "fork")  # sources of checkpoints that people write, and leave for as long as they like
# what LangGraph keeps of an async task, a server of any, and LangGraph.js of those beside one that failed
CUT_OFF = ("CancelledError(", "AbortError: This operation was aborted", "Error: Aborted")
LONGEST_TITLE = 60  # characters of an edited value


@dataclass(frozen=True)
class Facts:
    """The states of one thread and what follows from them, by position.

    Attributes:
        thread_id: The thread.
        tree: Its checkpoints.
        states: Their states.
        counter: What counts tokens; None: `forkbook.tokens.default_counter()`.
        complete: Whether these are all checkpoints that the place has.
        subgraphs: Whether the checkpoints of subgraphs were read, too.
        as_read: What was read, before the events of a run added to it; None: nothing was added.

    Example:
        >>> history.facts.status(5)
        'finished'
    """

    thread_id: str
    tree: Tree
    states: Sequence[State]
    counter: Counter | None = None
    complete: bool = True
    subgraphs: bool = False
    as_read: "Facts | None" = None

    @classmethod
    def of(cls, thread_id: str, states: Mapping[str, State], counter: Counter | None = None, **read: Any) -> "Facts":
        """The facts of some states of a thread, by checkpoint id; secrets in their metadata show as `***`.

        Args:
            thread_id: The thread.
            states: Its states, in any order.
            counter: What counts tokens.
            **read: `complete`, `subgraphs` and `as_read`.
        """
        hide_in_metadata(states.values())
        tree = Tree([head_of(state) for state in states.values()])
        return cls(thread_id, tree, [states[head.id] for head in tree.heads], counter, **read)

    @property
    def by_id(self) -> dict[str, State]:
        """The states by checkpoint id, oldest first."""
        return dict(zip(self.tree.index, self.states, strict=True))

    @cached_property
    def holdings(self) -> list[Holdings]:
        """Which messages each state holds."""
        return holdings(self.tree, [state["values"] for state in self.states])

    def holds(self, states: Mapping[str, State]) -> bool:
        """Whether these are the very same states, by checkpoint id."""
        here = zip(self.tree.heads, self.states, strict=True)
        return len(states) == len(self.states) and all(states.get(head.id) is state for head, state in here)

    @cached_property
    def ledger(self) -> Ledger:
        """The token accounts."""
        values = [state["values"] for state in self.states]
        people = brought(self.tree, [state["next"] for state in self.states])
        writings = Writings(self.tree, [state["tasks"] for state in self.states], self.holdings)
        return ledger(
            self.tree,
            values,
            self.counter,
            brought=people,
            came_with_command=writings.brought,
            held=self.holdings,
        )

    @shown
    def summary(self) -> str:
        """One line: thread, checkpoints, branches, and whether that is all."""
        nested = sum(1 for head in self.tree.heads if head.ns)
        number, id_, branches = len(self.tree) - nested, self.thread_id, len(self.tree.numbers[""])
        parts = [
            visible(f"thread {id_[:8]}…{id_[-4:]}" if len(id_) > 16 else id_ or "''"),
            _counted(number, "checkpoint")
            + (f" and {nested:,} inside {_counted(len(self.tree.numbers) - 1, 'subgraph')}" if self.subgraphs else ""),
            f"{branches} branch{'' if branches == 1 else 'es'}",
            *(completeness(self.tree) if self.complete else ["the newest only, older ones were not read"]),
        ]
        if self.rebuilt:
            parts.append(f"{', '.join(self.rebuilt)} rebuilt from writes")
        if unseen := self.unseen():
            parts.append(unseen)
        return " · ".join(parts)

    def unseen(self) -> str:
        """What of the states cannot be seen, in a few words; empty if all is known."""
        hidden = [held.hidden for held in self.holdings if held.hidden]
        names = dict.fromkeys("the whole state" if name == ROOT else visible(name) for each in hidden for name in each)
        where = f"{len(hidden):,} checkpoint{'' if len(hidden) == 1 else 's'}"
        return f"not known at {where}: {cut(', '.join(names), LONGEST_TITLE)}" if hidden else ""

    @cached_property
    def rebuilt(self) -> tuple[str, ...]:
        """The channels that were rebuilt at some checkpoint, of which the store does not hold every value."""
        return tuple(sorted({channel for state in self.states for channel in state.get("rebuilt") or ()}))

    def error(self, position: int) -> str | None:
        """The exceptions of a checkpoint's tasks, as LangGraph kept them; a task that was cut off did not fail."""
        tasks = self.states[position]["tasks"] or ()
        errors = dict.fromkeys(str(task["error"]) for task in tasks if task.get("error"))
        return "; ".join(error for error in errors if not error.startswith(CUT_OFF)) or None

    def interrupts(self, position: int) -> list[Any]:
        """The interrupts that a checkpoint's tasks raised, answered or not."""
        return [item for task in self.states[position]["tasks"] or () for item in task.get("interrupts") or ()]

    def status(self, position: int) -> str:
        """What a tip waits for: finished, waiting (interrupt open), pending (next, no interrupt), error or unknown.

        An interrupt or an error is certain also where `next` is not known.
        """
        state = self.states[position]
        if self.error(position):
            return "error"
        open_tasks = [task for task in state["tasks"] or () if task.get("result") is None]
        if state["next"] != [] and any(task.get("interrupts") for task in open_tasks):
            return "waiting"
        if state["next"] is None:
            return "unknown"
        return "pending" if state["next"] else "finished"

    def run_id(self, position: int) -> str | None:
        """The run that wrote the checkpoint; None after an edit by hand."""
        found = (self.states[position]["metadata"] or {}).get("run_id")
        return found if isinstance(found, str) else None

    def created_at(self, position: int) -> datetime | None:
        """When the checkpoint was written; in UTC where the place names no zone."""
        text = self.states[position]["created_at"]
        when = datetime.fromisoformat(text) if text else None
        return when.replace(tzinfo=UTC) if when and when.tzinfo is None else when

    def bill(self, position: int, rate: Rate) -> Bill:
        """What one checkpoint cost, in the money of the prices that `rate` stands for."""
        known = bill(self.ledger.spends([position]), rate, self.created_at(position))
        return known._replace(is_known=not self.ledger.unknown_spent[position])

    def bills(self, prices: Any) -> list[Bill]:
        """What each checkpoint cost, by position; an empty list without prices."""
        if prices is None:
            return []
        rate = rate_of(prices)
        return [self.bill(position, rate) for position in range(len(self.tree))]

    def ran_by(self, position: int) -> dict[str, Any] | None:
        """The task that ran the subgraph of a checkpoint; None in the root graph, and where it is not known."""
        host, ns = self.tree.inside[position], self.tree.heads[position].ns
        if host < 0:
            return None
        tasks = [task for task in self.states[host]["tasks"] or () if task.get("id")]
        by_id: list[dict[str, Any]] = [task for task in tasks if f":{task['id']}" in ns]
        by_name: list[dict[str, Any]] = [task for task in tasks if task.get("name") == path_of(ns)[-1]]
        return by_id[0] if by_id else by_name[0] if len(by_name) == 1 else None

    @cached_property
    def task_seconds(self) -> dict[tuple[int, str], float]:
        """How long tasks took, by position and task id, where the times of checkpoints say so.

        A task that ran alone in its superstep: from its checkpoint to the next one of the same run. A task whose
        subgraph was read: from the subgraph's first checkpoint to its last; what it does around that is not known.
        Only where one run wrote them all, in one line, without an interrupt or an error: else people's time, or a
        replay's, may be among it. LangGraph keeps no time of tasks that ran side by side.
        """
        alone = {
            (position, str(tasks[0].get("id"))): self._superstep_seconds(position)
            for position, state in enumerate(self.states)
            if len(tasks := state["tasks"] or []) == 1
        }
        lines: dict[tuple[int, str], list[int]] = {}
        for host, nested in self.tree.nested.items():
            for position in nested:
                task = self.ran_by(position)
                if task is not None:
                    lines.setdefault((host, str(task["id"])), []).append(position)
        by_line = {key: self._duration(line) for key, line in lines.items()}
        known = [(key, seconds) for key, seconds in (*alone.items(), *by_line.items()) if seconds is not None]
        return dict(known)

    def _superstep_seconds(self, position: int) -> float | None:
        """Seconds from a checkpoint to the next one of the run that wrote it, where its tasks came to their end."""
        head, run_id = self.tree.heads[position], self.run_id(position)
        if self.interrupts(position) or self.error(position) or head.source in (("update",) if run_id else BY_HAND):
            return None
        of_run = [child for child in self.tree.children[position] if self.run_id(child) == run_id]
        after = [child for child in of_run if self.tree.heads[child].source == "loop"]
        step = None if len(after) != 1 else self.tree.heads[after[0]].step
        if step is None or head.step is None or step != head.step + 1:
            return None
        start, end = self.created_at(position), self.created_at(after[0])
        return (end - start).total_seconds() if start and end else None

    def _duration(self, line: Sequence[int]) -> float | None:
        """Seconds from the first of these to the last, if they are of one run that finished."""
        if any(self.tree.children[a] != [b] for a, b in itertools.pairwise(line)):
            return None
        if any(self.interrupts(at) or self.error(at) for at in line) or len({self.run_id(at) for at in line}) > 1:
            return None
        if self.states[line[-1]]["next"] != [] or {self.tree.heads[at].source for at in line} & {"update", "fork"}:
            return None
        start, end = self.created_at(line[0]), self.created_at(line[-1])
        return (end - start).total_seconds() if start and end else None

    def seconds(self, position: int) -> float | None:
        """Seconds since the parent; None where people's time may be in between.

        That is: at an input, update or fork, right after one, after an interrupted parent, and where another run began.
        """
        parent = self.tree.parents[position]
        if parent < 0 or self.interrupts(parent) or self.run_id(position) != self.run_id(parent):
            return None
        if {self.tree.heads[position].source, self.tree.heads[parent].source} & {"input", "update", "fork"}:
            return None
        end, start = self.created_at(position), self.created_at(parent)
        return (end - start).total_seconds() if end and start else None

    def title(self, position: int) -> str:
        """What made a checkpoint, in a few words: the nodes that ran, `input`, `replay`, or what was edited."""
        head = self.tree.heads[position]
        if head.source == "input":
            return "input"
        if head.source == "fork":
            return "replay"
        if head.source == "update":
            changed = ", ".join(self._edited(position))
            return f"edit {changed}" if changed else "edit"
        names = self.made_by(position)
        return ", ".join(names) or (f"step {head.step}" if head.step is not None else "checkpoint")

    def made_by(self, position: int) -> list[str]:
        """The nodes whose run led to a checkpoint, each once; empty where none did, or it is not known."""
        parent = self.tree.parents[position]
        by_nodes = parent >= 0 and self.tree.heads[position].source not in ("input", *BY_HAND)
        return list(dict.fromkeys(self._ran(parent))) if by_nodes else []

    def _ran(self, position: int) -> list[str]:
        """The nodes that run at a checkpoint; a store may know them where it does not know all their tasks."""
        state = self.states[position]
        named = [str(name) for task in state["tasks"] or () if (name := task.get("name")) is not None]
        return named if named and state["next"] is not None else list(state["next"] or ())

    def _edited(self, position: int) -> list[str]:
        """The channels that an edit changed, scalars with their new value; in the order of their names.

        Postgres keeps no order of channels.
        """
        if self.tree.parents[position] < 0:
            return []  # made out of nothing, or out of what was not read
        return [
            cut(visible(f"{name}={value}"), LONGEST_TITLE) if isinstance(value, str | int | float | bool) else name
            for name, value in sorted(self.changed(position).items())
        ]

    def changed(self, position: int) -> dict[str, Any]:
        """The channels that differ from the parent's, with their values; None for one that is gone."""
        parent = self.tree.parents[position]
        old = channels(self.states[parent]["values"]) if parent >= 0 else {}
        new = channels(self.states[position]["values"])
        return {
            name: new.get(name)
            for name in dict.fromkeys([*new, *old])
            if name not in old or name not in new or old[name] != new[name]
        }


def read(
    backend: Backend,
    thread_id: str,
    counter: Counter | None = None,
    *,
    limit: int | None = None,
    page_size: int | None = None,
    subgraphs: bool = False,
) -> Facts:
    """Read a thread that is named by its whole id; arguments as in `Book.history`.

    Raises:
        ThreadNotFound: There is no such thread.
    """
    states, complete = read_states(backend, thread_id, limit=limit, page_size=page_size, subgraphs=subgraphs)
    if not states:
        known = backend.thread(thread_id)["thread_id"]  # raises where there is no such thread
        if known != thread_id:
            return read(backend, known, counter, limit=limit, page_size=page_size, subgraphs=subgraphs)
    return Facts.of(thread_id, states, counter, complete=complete, subgraphs=subgraphs)


def reread(backend: Backend, facts: Facts) -> Facts:
    """The facts of a thread as it is now; the very same object where nothing has changed.

    Raises:
        ThreadNotFound: It has no checkpoints any more.
    """
    before = facts.as_read or facts
    how = {"complete": before.complete, "subgraphs": before.subgraphs}
    states = reread_states(backend, before.thread_id, before.by_id, **how)
    return before if before.holds(states) else Facts.of(before.thread_id, states, before.counter, **how)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
