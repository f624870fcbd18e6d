"""What the page of an explorer does: one row of a table per gesture. Each begins a job, whose result a trait tells."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import snippets
from ..acts.act import Act
from ..backends.capabilities import Capability
from ..checkpoint import Checkpoint
from ..errors import InvalidInput, Refused
from ..model.questions import questions
from ..model.text import cut, short
from . import drafts
from .answers import checked
from .codes_of_acts import coming, line_of
from .fields import graph_of
from .jobs import Result
from .sitting import Sitting
from .watching import watched

About = Mapping[str, Any]
MOST_TRIED = 8  # nodes that an edited message may have come from
FORMATS = {"archive": "forkbook", "json": "json", "parquet": "parquet"}
EVERY_NODE = "*"


@dataclass(frozen=True, slots=True)
class Gesture:
    """A row of the table.

    Attributes:
        begin: Takes the explorer's sitting and what the gesture is about, and begins it.
        needs: What the place must be able to do; None: nothing.
    """

    begin: Callable[[Sitting, About], None]
    needs: Capability | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A run, a write or a preview that a page asked for.

    Attributes:
        checkpoint: Where the edit is to be written.
        placed: What the edits come to.
        as_node: The node that was chosen for it; None: none was.
        in_copy: Whether it is to happen in a copy.
        stops: Where the run is to stop, as acts take it.
        drafts: The id of the checkpoint that the page shows, and the edits as the page keeps them.
    """

    checkpoint: Checkpoint
    placed: drafts.Placed
    as_node: str | None
    in_copy: bool
    stops: dict[str, Any]
    drafts: tuple[str, Sequence[Any]]

    @property
    def edits(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.placed.values) or self.as_node is not None

    def node(self) -> str | None:
        """The node that the edit is to come from.

        Where a message was edited and several nodes ran before it: the one after which the same runs as then.
        """
        nodes, checkpoint = self.placed.as_nodes, self.checkpoint
        if self.as_node is not None or not self.placed.moved or len(nodes) == 1:
            return self.as_node if self.as_node is not None else nodes[0]
        goes_on = []
        for node in nodes[:MOST_TRIED]:
            try:
                following = checkpoint.preview(self.placed.values, node, replace=True).next
            except (Refused, InvalidInput):  # LangGraph cannot tell which node an edit comes from, for one
                continue
            if following is None or set(following) == set(checkpoint.next or ()):
                return node
            goes_on += [node] if following else []
        return goes_on[0] if goes_on else nodes[0]


def asked(sitting: Sitting, about: About) -> Asked:
    """What a page asked for, its edits read and checked against the schema.

    Raises:
        InvalidInput: An edit, or anything else of it, cannot be right.
    """
    position = checked(sitting.shows, about.get("position"))
    facts, history = sitting.shows.history.facts, sitting.shows.history
    edits = drafts.read(about.get("edits") or [])
    graph = graph_of(history[position]) if edits else None
    drafts.refuse_broken(facts.states[position]["values"], edits, None if graph is None else graph.schema)
    as_node, stops = about.get("as_node"), about.get("stop_before") or []
    if as_node is not None and not isinstance(as_node, str):
        raise InvalidInput(f"as_node is a node's name, not {short(as_node)}")
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise InvalidInput(f"stop_before is a list of nodes, not {short(stops)}")
    placed = drafts.placed(facts, position, edits)
    where = EVERY_NODE if EVERY_NODE in stops else stops
    options = {"interrupt_before": where} if stops else {}
    typed = (history[position].id, about.get("edits") or [])
    return Asked(history[placed.position], placed, as_node, bool(about.get("in_copy")), options, typed)


def run(sitting: Sitting, about: About) -> None:
    """Write the edits and run on from them; without any, run again from here."""
    what = asked(sitting, about)
    checkpoint = what.checkpoint

    def act() -> Act[Any, Any]:
        if not what.edits:
            return watched(sitting, checkpoint.resume, in_copy=what.in_copy, **what.stops)
        given = {"replace": True, "in_copy": what.in_copy, **what.stops}
        return watched(sitting, checkpoint.fork, what.placed.values, what.node(), **given)

    doing = "running" if what.edits else "running again from here"
    sitting.act(doing, checkpoint, act, {"in_copy": what.in_copy, **what.stops}, edits=what.drafts)


def write(sitting: Sitting, about: About) -> None:
    """Write the edits as a new branch; nothing runs."""
    what = asked(sitting, about)
    if not what.edits:
        raise InvalidInput("nothing is changed here, so there is nothing to write")

    def act() -> Act[Any, Any]:
        return what.checkpoint.edit(what.placed.values, what.node(), replace=True, in_copy=what.in_copy)

    sitting.act("writing the edit", what.checkpoint, act, {"in_copy": what.in_copy}, edits=what.drafts)


def preview(sitting: Sitting, about: About) -> None:
    """Say what the edits would do."""
    what = asked(sitting, about)
    checkpoint = what.checkpoint

    def job() -> Result:
        if not what.edits:
            following = "unknown nodes" if checkpoint.next is None else ", ".join(checkpoint.next) or "nothing"
            return Result("ok", f"preview: nothing is written; runs {following} next")
        node = what.node()
        seen = checkpoint.preview(what.placed.values, node, replace=True)
        how = dataclasses.replace(checkpoint.own_settings(), **what.stops)
        gesture = snippets.of_fork(
            checkpoint.thread_id, checkpoint.id, seen.writes, how, node,
            in_copy=what.in_copy, ns=checkpoint.namespace,
        )  # fmt: skip
        options = {"as_node": node, "in_copy": what.in_copy, **what.stops}
        line = line_of(checkpoint.thread_id, checkpoint.id, "fork", seen.writes, options)
        sitting.shows.coming = coming("what Run would do", line, snippets.place_of(checkpoint.spot.backend), gesture)
        first, *rest = repr(seen).splitlines()
        if what.placed.moved:
            rest.insert(0, f"from checkpoint {checkpoint.short_id}, where the message arrived, as node {node}")
        return Result("ok", first, tuple(line.strip() for line in rest), position=checkpoint.position)

    sitting.jobs.start("trying the edit on a scratch copy", job)


def answer(sitting: Sitting, about: About) -> None:
    """Answer what a checkpoint asks, and run on."""
    checkpoint = sitting.shows.history[checked(sitting.shows, about.get("position"))]
    typed, question = about.get("text"), about.get("question")
    if not isinstance(typed, str):
        raise InvalidInput(f"an answer is a text, not {short(typed)}")
    value: Any = typed
    if about.get("as") == "json":
        try:
            value = json.loads(typed)
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise InvalidInput(f"this answer is not valid JSON: {error.msg}, {where}") from error
    several = question is not None and len(questions(checkpoint.state)) > 1
    given: dict[str, Any] = {"by_id": {str(question): value}} if several else {"value": value}
    in_copy = bool(about.get("in_copy"))

    def act() -> Act[Any, Any]:
        return watched(sitting, checkpoint.answer, **given, in_copy=in_copy)

    sitting.act("answering", checkpoint, act, {"in_copy": in_copy}, given)


def copy(sitting: Sitting, about: About) -> None:
    """Copy the thread and compare the copy with it."""
    history = sitting.shows.history

    def job() -> Result:
        report = history.copy()
        number = sitting.copied(report, line_of(history.thread_id, None, "copy", ..., {}))
        first, *rest = repr(report).splitlines()
        return Result("ok" if report else "failed", first, tuple(line.strip() for line in rest), act=number)

    sitting.jobs.start("copying the thread and comparing the copy", job)


def open_copy(sitting: Sitting, about: About) -> None:
    """Show the last copy in the place of the thread."""
    report = sitting.copy_report
    if report is None:
        raise InvalidInput("no copy was made here: copy the thread first")

    def job() -> Result:
        shown = sitting.shows.history
        sitting.shows.show(shown.book.history(report.new_thread_id, subgraphs=shown.subgraphs), None)
        return Result("ok", f"this is the copy, thread {report.new_thread_id}")

    sitting.jobs.start("opening the copy", job)


def export(sitting: Sitting, about: About) -> None:
    """Write the thread to a file in the kernel's folder."""
    format = str(about.get("format") or "archive")
    if format not in FORMATS:
        raise InvalidInput(f"there is no format {format!r}; there is {', '.join(FORMATS)}", candidates=list(FORMATS))
    history = sitting.shows.history
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in history.thread_id)[:60]
    path = Path.cwd() / f"{name or 'thread'}.{FORMATS[format]}"

    def job() -> Result:
        report = history.book.export(path, [history.thread_id], format=format)
        first, *rest = repr(report).splitlines()
        return Result("ok" if report else "failed", cut(first, 300), (f"file {path}", *(line.strip() for line in rest)))

    sitting.jobs.start("exporting the thread", job)


def refresh(sitting: Sitting, about: About) -> None:
    """Fetch what is new."""

    def job() -> Result:
        new = sitting.reload()
        return Result("ok", f"{new:,} new checkpoint{'' if new == 1 else 's'}")

    sitting.jobs.start("fetching what is new", job)


def subgraphs(sitting: Sitting, about: About) -> None:
    """Read the checkpoints of subgraphs, too, or show the root graph's alone."""
    wanted = bool(about.get("on"))
    if wanted == sitting.shows.history.subgraphs:
        return

    def job() -> Result:
        shown = sitting.shows.history
        read = shown.book.history(shown.thread_id, subgraphs=wanted)
        sitting.shows.show(read, None)
        among = ", those of subgraphs among them" if wanted else " of the root graph"
        return Result("ok", f"{len(read):,} checkpoints{among}")

    sitting.jobs.start("reading the subgraphs" if wanted else "reading the thread", job)


def label(sitting: Sitting, about: About) -> None:
    """Name a checkpoint, note something about it, or set a star."""
    position = checked(sitting.shows, about.get("position"))
    sitting.labelling.set(position, about.get("label"), about.get("note"), about.get("star"))


def stop(sitting: Sitting, about: About) -> None:
    """Stop the run under way; what it wrote stays."""
    if not sitting.jobs.interrupted():
        raise Refused("no run is under way that could be stopped")


GESTURES: Mapping[str, Gesture] = {
    "run": Gesture(run, Capability.RUN),
    "write": Gesture(write, Capability.WRITE),
    "preview": Gesture(preview, Capability.WRITE),
    "answer": Gesture(answer, Capability.RUN),
    "copy": Gesture(copy, Capability.WRITE),
    "open_copy": Gesture(open_copy),
    "export": Gesture(export),
    "refresh": Gesture(refresh),
    "subgraphs": Gesture(subgraphs),
    "label": Gesture(label),
    "stop": Gesture(stop),
}
