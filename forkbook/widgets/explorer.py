"""The explorer: pick a checkpoint, look into it, edit, run, answer, copy, compare. Every gesture leaves a value."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets as t

from ..acts.act import Act
from ..checkpoint import Checkpoint
from ..compare.many import Overview
from ..compare.two import Comparison
from ..errors import InvalidInput
from ..face.document import Document
from ..face.joined import code
from ..history import History
from ..model.text import short, shown
from ..transfer import CopyReport
from .abilities import can, place_text, why_not
from .answers import TABS, page_of
from .codes_of_acts import Kept
from .gestures import GESTURES
from .growth import growth
from .jobs import Jobs, Result, as_trait, failure, said
from .labelling import labels_of, starred
from .main_loop import MainLoop
from .replies import Replies
from .sendable import sendable
from .sitting import Sitting
from .still import still

FROM_PAGE = ("selected", "marked", "tab", "drafts")
IDLE = Result("idle", "")


def _synced(**how: Any) -> dict[str, Any]:
    return {"sync": True, "echo_update": False, **how}


class Explorer(anywidget.AnyWidget):
    """A thread's history, live.

    `selected`, `marked`, `tab`, `drafts` and `labels` are traits: set them, observe them, link them.

    Attributes:
        history: The history shown; after an act the one with the new branch.
        selected: The checkpoint that is picked; None: none. Anything that names one picks it.
        marked: The checkpoints that are to be compared.
        result: What became of the last gesture: `kind`, `text`, `details`.
        running: What is under way; None: nothing.
        labels: By checkpoint id its `label`, `note` and `star`.
        comparison: The last comparison: a `Comparison` of two, an `Overview` of any other number.
    """

    _esm, _css = code()

    rows = t.Bytes().tag(**_synced(to_json=lambda _, self: self.document.rows()))
    n = t.Int(0).tag(**_synced())
    summary = t.Unicode().tag(**_synced())
    counts = t.Dict().tag(**_synced())
    nodes: t.List[str] = t.List().tag(**_synced())
    first_labels = t.Dict().tag(**_synced(to_json=lambda _, self: self._first_labels()))
    first_page = t.Any(None).tag(**_synced(to_json=lambda _, self: self._first_page()))
    selected = t.Any(None).tag(
        **_synced(to_json=lambda value, self: self._position(value), from_json=lambda at, self: self._picked(at))
    )
    marked = t.Any(()).tag(
        **_synced(
            to_json=lambda value, self: [at for one in value if (at := self._position(one)) >= 0],
            from_json=lambda wire, self: tuple(one for at in wire if (one := self._picked(at)) is not None),
        )
    )
    tab = t.Unicode(TABS[0]).tag(**_synced())
    tabs = t.List(list(TABS)).tag(**_synced())
    drafts = t.Dict().tag(**_synced())
    labels = t.Dict().tag(**_synced())
    places = t.Dict().tag(**_synced(to_json=lambda _, self: self._places()))
    result = t.Dict(dict(as_trait(IDLE, 0))).tag(**_synced())
    running = t.Any(None).tag(**_synced())
    can = t.Dict().tag(**_synced())
    why_not = t.Dict().tag(**_synced())
    place = t.Unicode().tag(**_synced())

    def __init__(self, history: History) -> None:
        self.history = history
        self.kept: list[Kept] = []
        self.coming: Kept | None = None
        self.comparison: Comparison | Overview | None = None
        self._main, self._results = MainLoop(), 0
        self._troubles: list[str] = []
        labels = labels_of(history)
        self.document = Document(history.facts, starred(labels))
        self._sitting = Sitting(self, Jobs(self._main, self._tell, self._end), self._end)
        self._replies = Replies(self, self._reply)
        backend = history.book.backend
        super().__init__(
            n=len(history),
            labels=sendable(labels),
            selected=history.tips[-1] if len(history) else None,
            can=can(backend),
            why_not=why_not(backend),
            place=place_text(backend),
            **self._figures(),
        )
        self.on_msg(self._asked)

    @property
    def act(self) -> Act[History, Checkpoint] | None:
        """The last edit, fork, resume or answer; None before the first."""
        return self._sitting.last

    @property
    def acts(self) -> list[Any]:
        """What was done in this sitting, acts and reports of copies, oldest first."""
        return list(self._sitting.acts)

    @property
    def copy_report(self) -> CopyReport | None:
        """The last copy's report."""
        return self._sitting.copy_report

    def wait(self, seconds: float = 60) -> None:
        """Wait until what is under way is done; an interrupt of the kernel stops a run, as Stop does.

        Raises:
            TimeoutError: It is not done in time.
        """
        turn = self._main.turn if self.history.book.backend.awaits else None
        self._sitting.jobs.wait(seconds, turn)
        self._sitting.labelling.wait(seconds, turn)

    def do(self, gesture: str, **about: Any) -> None:
        """Make a gesture as the page does: `explorer.do("run", position=3, edits=[…])`.

        Raises:
            InvalidInput: There is no such gesture, or it cannot be made.
            Refused: Another one is under way.
        """
        row = GESTURES.get(gesture)
        if row is None:
            raise InvalidInput(f"there is no gesture {short(gesture)}; there is {', '.join(GESTURES)}")
        if row.needs is not None:
            self.history.book.backend.require(row.needs, gesture)
        row.begin(self._sitting, about)

    def show(self, history: History, position: int | None) -> None:
        """Show a history, with a position picked; None: what is picked stays, or else the newest of the tips."""
        before, old, rows = self.history, self.document, self.document.rows()
        same_thread = before.thread_id == history.thread_id
        if not same_thread:
            self._put(labels=sendable(labels_of(history)))
        document = Document(history.facts, starred(self.labels))
        ids, known = list(history.tree.index), list(before.tree.index)
        new = growth(rows, document.rows())
        grew = same_thread and ids[: len(known)] == known and new.grew and document.nodes[: len(old.nodes)] == old.nodes
        picked = self.selected
        self.history, self.document = history, document
        self._put(**self._figures())  # the nodes that new rows name come first
        if grew and new.tail:
            self._reply({"push": "grow", "from": len(known), "n": len(ids)}, [new.tail])
        self._put(n=len(ids))
        if position is not None:
            picked = history[position]
        elif picked is None or picked.id not in history:
            picked = history.tips[-1] if len(history) else None
        self._put(
            marked=tuple(history[one.id] for one in self.marked if one.id in history),
            selected=None if picked is None else history[picked.id],
        )
        if not grew:
            self.send_state(["rows", "first_labels", "first_page", "places", "selected", "marked"])
            self._reply({"push": "reset"}, [])
            return
        states = zip(before.facts.states, history.facts.states, strict=False)
        others = {at for at, (one, other) in enumerate(states) if one is not other}
        self._marks_changed(new.flags, others)

    def _marks_changed(self, flags: Mapping[int, int], others: Iterable[int] = ()) -> None:
        """Tell the page which rows have other flags, and what is known of them and of others now."""
        labels = self.document.labels(sorted({*flags, *others}))
        if labels:
            self._reply({"push": "flags", "flags": {str(at): flag for at, flag in flags.items()}, "labels": labels}, [])

    def undraft(self, id_: str, edits: Sequence[Any]) -> None:
        """Take away drafts of a checkpoint that were written."""
        if id_ in self.drafts:
            left = [edit for edit in self.drafts[id_] if edit not in edits]
            others = {other: mine for other, mine in self.drafts.items() if other != id_}
            self._put(drafts={**others, id_: left} if left else others)

    def relabel(self, labels: Mapping[str, Mapping[str, Any]]) -> None:
        """Show other labels, notes and stars."""
        rows = self.document.rows()
        self._put(labels=sendable(labels))
        self.document = Document(self.history.facts, starred(self.labels))
        self._put(**self._figures())
        self.send_state("places")
        self._marks_changed(growth(rows, self.document.rows()).flags)

    def _figures(self) -> dict[str, Any]:
        document = self.document
        return dict(sendable({"summary": document.summary, "counts": document.counts, "nodes": document.nodes}))

    def _put(self, **traits: Any) -> None:
        """Set traits; what a function that observes one raises is told with the next result."""
        for name, value in traits.items():
            try:
                self.set_trait(name, value)
            except Exception as error:
                self._troubles.append(f"a function that observes {name}: {said(error)}")

    def _position(self, checkpoint: Any) -> int:
        return self.history.tree.index.get(checkpoint.id, -1) if isinstance(checkpoint, Checkpoint) else -1

    def _picked(self, position: Any) -> Checkpoint | None:
        known = isinstance(position, int) and 0 <= position < len(self.history)
        return self.history[position] if known else None

    def _first_labels(self) -> dict[str, Any]:
        return dict(sendable(self.document.first_labels(self._position(self.selected))))

    def _first_page(self) -> Any:
        selected = self._position(self.selected)
        return None if selected < 0 else sendable(page_of(self, selected))

    def _places(self) -> dict[str, int]:
        index = self.history.tree.index
        return {id_: index[id_] for id_ in (*self.drafts, *self.labels) if id_ in index}

    @t.validate("selected")
    def _checked_selected(self, proposal: Any) -> Checkpoint | None:
        value = proposal["value"]
        return None if value is None else self.history.pick(value)

    @t.validate("marked")
    def _checked_marked(self, proposal: Any) -> tuple[Checkpoint, ...]:
        return tuple(dict.fromkeys(self.history.pick(value) for value in proposal["value"]))

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Take traits that the page set; a function that observes one and fails is told as a result."""
        mine = {name: value for name, value in sync_data.items() if name in FROM_PAGE}
        with self._lock_property(**mine):
            for name, value in mine.items():
                from_json = self.trait_metadata(name, "from_json", self._trait_from_json)
                try:
                    self.set_trait(name, from_json(value, self))
                except Exception as error:
                    self._end(failure(error))
        if "drafts" in mine:
            self.send_state("places")

    def _asked(self, _: Any, content: Any, buffers: Any) -> None:
        if not isinstance(content, Mapping) or "ask" not in content:
            return
        id_, name, about = content.get("id"), content["ask"], content.get("about")
        if name != "do":
            self._replies.take(id_, name, about)
            return
        about = dict(about) if isinstance(about, Mapping) else {}
        try:
            self.do(str(about.pop("gesture", "")), **about)
        except Exception as error:
            self._reply({"id": id_, "error": said(error)}, [])
        else:
            self._reply({"id": id_, "answer": {"accepted": True}}, [])

    def _reply(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.send(sendable(content), buffers or None)

    def _tell(self, running: Mapping[str, Any] | None) -> None:
        self._put(running=sendable(running))

    def _end(self, result: Result) -> None:
        self._results += 1
        troubles, self._troubles = self._troubles, []
        result = dataclasses.replace(result, details=(*result.details, *troubles))
        self._put(result=sendable(as_trait(result, self._results)))
        if self._main.replays:
            self.send_state(["rows", "first_labels", "first_page"])

    def _ipython_display_(self, **kwargs: Any) -> None:
        """A still picture, then the live widget, which hides it."""
        from IPython.display import publish_display_data

        publish_display_data(still(self.history, self.labels))  # type: ignore[no-untyped-call]
        live = self._repr_mimebundle_(**kwargs)
        publish_display_data(live[0] if isinstance(live, tuple) else live)  # type: ignore[no-untyped-call]

    @shown
    def __repr__(self) -> str:
        return f"{self.history!r}\n(an explorer: show it in a notebook to click)"
