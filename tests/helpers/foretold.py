"""What acts make of threads of `agents/machine.py`, in plain Python: no LangGraph, no forkbook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ASKING = ("decide", "left", "right")
NODES = ("count", *ASKING)
REPLACED = "replaced"  # among what a task wrote: whether the log was typed anew


@dataclass(eq=False)
class Point:
    """A checkpoint.

    Attributes:
        ran: The nodes that an edit without `as_node` comes from.
        given: The input that is yet to be taken in.
        asked: What its tasks asked, by node.
        said: The answers they were given.
        wrote: What its tasks wrote; those without are yet to run.
        routed: Whether it is stored where its tasks led to: a copied lineage leaves that out of what went on.
    """

    parent: Point | None
    source: str
    step: int
    values: dict[str, Any]
    next: tuple[str, ...]
    ran: tuple[str, ...]
    given: dict[str, Any] | None = None
    asked: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    wrote: dict[str, dict[str, Any]] = field(default_factory=dict)
    routed: bool = True
    id: str = ""

    @property
    def open(self) -> dict[str, str]:
        return {node: text for node, text in self.asked.items() if node not in self.wrote}

    @property
    def status(self) -> str:
        return "waiting" if self.open else "pending" if self.next else "finished"

    def fresh(self, parent: Point | None, source: str) -> Point:
        """The same state as another checkpoint, whose tasks are yet to run."""
        return Point(parent, source, self.step + 1, self.values, self.next, self.ran, self.given)


def reduced(values: dict[str, Any], writes: dict[str, Any], replace: bool = False) -> dict[str, Any]:
    """Values after writes: the log adds up."""
    replace = writes.get(REPLACED, replace)
    writes = {name: value for name, value in writes.items() if name != REPLACED}
    log = writes.get("log", [])
    return {**values, **writes, "log": log if replace and "log" in writes else [*values.get("log", []), *log]}


def after(node: str, values: dict[str, Any]) -> tuple[str, ...]:
    """The nodes that run after a node."""
    counter = values.get("counter", 0)
    of_decide = ("count",) if counter % 3 else ("left", "right")
    return {"__start__": ("count",), "count": ("decide",), "decide": of_decide}.get(node, ())


def written(node: str, values: dict[str, Any], said: str | None) -> dict[str, Any]:
    """What a node writes."""
    if node == "count":
        counter = values.get("counter", 0) + 1
        return {"counter": counter, "log": [f"count {counter}"]}
    return {"log": [f"{node} {'unasked' if said is None else said}"]}


class Foretold:
    """A thread as it is to be, its checkpoints in the order in which they were written."""

    def __init__(self) -> None:
        self.points: list[Point] = []

    @property
    def head(self) -> Point | None:
        return self.points[-1] if self.points else None

    def add(self, point: Point) -> Point:
        self.points.append(point)
        return point

    def run(self, at: Point | None, given: dict[str, Any]) -> Point:
        """Run with an input; what was yet to run at a checkpoint does not."""
        if at is None:
            start = Point(None, "input", -1, {"log": []}, ("__start__",), ("__start__",), given)
        else:
            start = Point(at, "input", at.step + 1, at.values, ("__start__",), at.next or at.ran, given)
        return self.go_on(self.add(start))

    def go_on(self, point: Point) -> Point:
        """Run on until something asks, or the end."""
        while point.next:
            for node in point.next:
                self._run_task(point, node)
            if point.open:
                break
            values = point.values
            for node in sorted(point.next):
                values = reduced(values, point.wrote[node])
            following = tuple(sorted({name for node in point.next for name in after(node, values)}))
            point = self.add(Point(point, "loop", point.step + 1, values, following, point.next))
        return point

    def _run_task(self, point: Point, node: str) -> None:
        if node in point.wrote:
            return
        said = point.said.get(node)
        if _asks(point, node):
            point.asked[node] = _question(point, node)
            if said is None:
                return
        point.wrote[node] = point.given or {} if node == "__start__" else written(node, point.values, said)

    def edited(self, at: Point, writes: dict[str, Any], as_node: str | None, replace: bool) -> Point | None:
        """The checkpoint that an edit would write; None: it is not clear of which node it is."""
        if as_node == "__end__":
            return self._ended(at)
        if as_node is None and len(at.ran) > 1:
            return None
        values = reduced(at.values, writes, replace)
        return Point(at, "update", at.step + 1, values, after(as_node or at.ran[0], values), at.ran)

    def edit(self, at: Point, writes: dict[str, Any], as_node: str | None, replace: bool) -> Point:
        """Write an edit; at the head one from a node that is to run next is also what its task wrote."""
        point = self.edited(at, writes, as_node, replace)
        assert point, "it was to be refused"
        if at is self.head and as_node in at.next and (writes or after(as_node, point.values)):
            at.wrote.setdefault(as_node, {**writes, REPLACED: replace})
        return self.add(point)

    @staticmethod
    def _ended(at: Point) -> Point:
        values = at.values
        for node in sorted(at.wrote):
            values = reduced(values, at.wrote[node])
        following = tuple(sorted({name for node in at.wrote for name in after(node, values)} if at.routed else ()))
        return Point(at, "update", at.step + 1, values, following, at.next)

    def resume(self, at: Point) -> Point:
        """Run a checkpoint again; on a branch of its own, unless it is an edit that nothing came after.

        There a node that had its answer asks again, but what it wrote stays, as if it were answered.
        """
        if at is self.head and at.source in ("update", "fork"):
            at.said.clear()
            at.asked = {node: _question(at, node) for node in at.next if _asks(at, node)}
            at.wrote = {node: writes for node, writes in at.wrote.items() if node in at.asked}
            return self.go_on(at)
        return self.go_on(self.add(at.fresh(at, "fork")))

    def answer(self, at: Point, said: dict[str, str]) -> Point:
        """Answer questions; those that have an answer are asked anew."""
        if not said.keys() <= at.open.keys():
            at = self.asked_anew(at)
        at.said.update(said)
        return self.go_on(at)

    def asked_anew(self, at: Point) -> Point:
        while at.source == "fork" and at.parent and at.values == at.parent.values and at.asked == at.parent.asked:
            at = at.parent
        if at is self.head and at.source in ("update", "fork"):
            return self.go_on(self.add(at.fresh(at.parent, "fork")))
        return self.resume(at)

    def copy(self) -> Foretold:
        """The same thread again."""
        twins: dict[Point | None, Point | None] = {None: None}
        copied = Foretold()
        for point in self.points:
            twins[point] = copied.add(
                Point(
                    twins[point.parent], point.source, point.step, point.values, point.next, point.ran,
                    point.given, dict(point.asked), dict(point.said), dict(point.wrote), point.routed, point.id,
                )
            )  # fmt: skip
        return copied

    def up_to(self, last: Point) -> Foretold:
        """What led to a checkpoint; tasks that led elsewhere did not run, and no answer is kept beside its result."""
        copied = self.copy()
        point, kept, after = next((p for p in copied.points if p.id == last.id), None), set(), None
        while point:
            children = [p for p in copied.points if p.parent is point]
            led_to = next((p for p in children if p.source == "loop"), children[0] if children else None)
            if led_to not in (None, after):
                point.asked = {node: text for node, text in point.asked.items() if node not in point.wrote}
                point.wrote = {node: writes for node, writes in point.wrote.items() if node == "__start__"}
            point.said, point.routed = {}, not (after and after.source == "loop")
            kept.add(point)
            point, after = point.parent, point
        copied.points = [point for point in copied.points if point in kept]
        return copied

    def branches(self) -> dict[str, str]:
        """The label of each checkpoint's branch."""
        labels: dict[Point, str] = {}
        continued: set[Point] = set()
        for point in self.points:
            if point.parent and point.parent not in continued:
                continued.add(point.parent)
                labels[point] = labels[point.parent]
            else:
                labels[point] = _label(len(set(labels.values())))
        return {point.id: label for point, label in labels.items()}


def _asks(point: Point, node: str) -> bool:
    return node in ASKING and node in point.values.get("ask", ())


def _question(point: Point, node: str) -> str:
    return f"{node} {point.values.get('counter', 0)}?"


def _label(number: int) -> str:
    text, number = "", number + 1
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(ord("A") + digit) + text
    return text
