"""The explorer: pick a checkpoint, look into it, edit, fork, answer, copy, compare. Every gesture leaves a value."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import ipywidgets as w

from .. import snippets
from ..acts.act import Act
from ..acts.live import Running
from ..backends.capabilities import Capability
from ..checkpoint import Checkpoint
from ..compare.many import Overview
from ..compare.two import Comparison
from ..errors import InvalidInput
from ..history import History
from ..model.states import nodes_seen
from ..model.text import cut, shown, visible
from ..model.tree import TIP_WORD
from ..plot.html import GREY, esc
from ..transfer import CopyReport
from . import code, views
from .answering import AnswerBox
from .comparing import ComparePanel
from .editing import EditPanel
from .live_panel import LivePanel
from .picklist import PickList
from .tree_view import TreePicture
from .work import Status, Worker

CODE = "Code"
NO_CODE = f"<i style='{GREY}'>what you do here is written down as code; Preview shows that of Fork and run</i>"


class Explorer(w.VBox):
    """A thread's history, live.

    Attributes:
        history: The history shown; after an act the one with the new branch.
        selected: The checkpoint that is picked.
        act: The last edit, fork, resume or answer; None before the first.
        copy_report: The last copy's report.
        comparison: The last comparison: a `Comparison` of two branches, an `Overview` of any other number.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.act: Act | None = None
        self.copy_report: CopyReport | None = None
        self.comparison: Comparison | Overview | None = None
        self._code = NO_CODE
        self._led_to: str | None = None
        self._build()
        super().__init__(
            [
                w.HBox([self._title, self._head], layout=w.Layout(justify_content="space-between")),
                w.HBox([self._left(), self._right()], layout=w.Layout(flex_flow="row wrap")),
                self._compare,
            ]
        )
        self.add_class("forkbook-explorer")
        self._load(history, history.tips[-1].position if len(history) else None)
        self.worker.start("reading the graph", self._read_graph)

    @property
    def selected(self) -> Checkpoint | None:
        """The checkpoint that is picked; setting it picks."""
        index = self._list.index
        return None if index is None or not 0 <= index < len(self.history) else self.history[index]

    @selected.setter
    def selected(self, checkpoint: Any) -> None:
        self._list.index = self.history.pick(checkpoint).position

    def wait(self, seconds: float = 60) -> None:
        """Wait until the act under way is done; for scripts and tests."""
        self.worker.wait(seconds)

    def _build(self) -> None:
        self._title = w.HTML()
        self.picture = TreePicture(self._pick)
        self._list = PickList()
        self._heading, self._view = w.HTML(), w.HTML(layout=w.Layout(max_height="320px", overflow="auto"))
        self._heading.add_class("forkbook-heading")
        self._tabs = w.ToggleButtons(options=[*views.VIEWS, CODE], style={"button_width": "auto"})
        self._answer = AnswerBox()
        self.live = LivePanel()
        self._nested = w.Checkbox(value=self.history.subgraphs, description="subgraphs", indent=False)
        self._nested.layout.width = "auto"
        self.status = Status()
        gestures = {
            "Preview": ("what the edit would do; the thread is untouched", Capability.WRITE, self._on_preview),
            "Fork": ("write the edit as a new branch; nothing runs", Capability.WRITE, self._on_fork),
            "Fork and run": (
                "write the edit and run on from it; without a change, run again from here",
                Capability.RUN, self._on_run,
            ),
            "Copy thread": ("copy the whole thread and verify the copy", Capability.WRITE, self._on_copy),
            "Compare": (
                "the chosen branches side by side: two in detail, any number in a table", None, self._on_compare,
            ),
            "Refresh": ("fetch what is new", None, self._on_refresh),
        }  # fmt: skip
        flat = {"width": "auto", "flex": "none"}
        buttons = {name: w.Button(description=name, tooltip=tip, layout=flat) for name, (tip, _, _) in gestures.items()}
        needs = {buttons[name]: need for name, (_, need, _) in gestures.items()} | {self._answer.button: Capability.RUN}
        capabilities = self.history.book.backend.capabilities
        usable = [button for button, need in needs.items() if need is None or need in capabilities]
        self.worker = Worker(self.status, [*usable, self._nested])
        for button in needs.keys() - set(usable):
            button.disabled = True
            button.tooltip = f"{self.history.book.backend.kind} is read-only"
        for name, (_, _, callback) in gestures.items():
            buttons[name].on_click(self.worker.guarded(callback))
        buttons["Fork and run"].button_style = "primary"
        self._head = w.HBox([self._nested, buttons["Refresh"]], layout=w.Layout(flex="none"))
        self._edit = EditPanel(*(buttons[name] for name in ("Preview", "Fork", "Fork and run", "Copy thread")))
        self._compare = ComparePanel(buttons["Compare"])
        self._answer.button.on_click(self.worker.guarded(self._on_answer))
        self._nested.observe(self.worker.guarded(lambda _: self._on_nested()), "value")
        self._list.observe(self.worker.guarded(lambda _: self._show()), "index")
        self._tabs.observe(self.worker.guarded(lambda _: self._show_view()), "value")

    def _left(self) -> w.Widget:
        return w.VBox([self.picture, self._list], layout=w.Layout(width="430px"))

    def _right(self) -> w.Widget:
        return w.VBox(
            [self._heading, self._tabs, self._view, self._answer, self._edit, self.live, self.status],
            layout=w.Layout(flex="1 1 360px", padding="0 0 0 12px", min_width="340px"),
        )

    def _load(self, history: History, position: int | None) -> None:
        """Show a history, with a position picked."""
        self.history = history
        self._title.value = f"<b>{esc(history.summary())}</b>"
        self.picture.draw(history.facts, fold=not self._nested.value)
        self._list.fill([self._list_line(checkpoint) for checkpoint in history], position)
        self._compare.load(history.branches)
        self._show()

    @staticmethod
    def _list_line(checkpoint: Checkpoint) -> str:
        inside = "↳ " * (checkpoint.namespace.count("|") + 1) if checkpoint.namespace else ""
        tip = f" · {TIP_WORD} {checkpoint.branch}" if checkpoint.is_tip else ""
        return visible(f"{inside}{checkpoint.short_id} · step {checkpoint.step} · {checkpoint.title[:50]}{tip}")

    def _pick(self, position: int) -> None:
        self._list.index = position

    def _show(self) -> None:
        checkpoint = self.selected
        if checkpoint is None:
            self._heading.value = "<i>this thread has no checkpoints</i>"
            self._answer.layout.display = "none"
            return
        self.picture.ring(checkpoint.position)
        self._heading.value = views.heading(checkpoint)
        self._show_view()
        self._answer.show(checkpoint)
        self._edit.show(checkpoint)

    def _show_view(self) -> None:
        if self._tabs.value == CODE:
            self._view.value = self._code
        elif self.selected is not None:
            self._view.value = views.VIEWS[self._tabs.value](self.selected)

    def _write_down(self, title: str, written: str) -> None:
        """Keep the code of a gesture for its tab."""
        self._code = f"<b>{esc(title)}</b>{written}"
        self._show_view()

    def _read_graph(self) -> str:
        if (checkpoint := self.selected) is not None and Capability.GRAPHS in self.history.book.backend.capabilities:
            self._edit.know(checkpoint.assistant_graph(), nodes_seen(self.history.facts.states))
        return "pick a checkpoint in the picture or the list"

    def _on_preview(self, _: Any) -> None:
        checkpoint, values, as_node = self._edit.edit(self.selected)
        stops = self._edit.stops

        def job() -> str:
            seen = checkpoint.preview(values, as_node, replace=True)
            how = dataclasses.replace(checkpoint.own_settings(), **stops)
            coming = snippets.of_fork(
                checkpoint.thread_id,
                checkpoint.id,
                seen.writes,
                how,
                as_node,
                in_copy=self._edit.in_copy,
                ns=checkpoint.namespace,
            )
            place = snippets.place_of(checkpoint.history.book.backend)
            self._write_down("what Fork and run would do", code.coming_view(place, coming))
            return repr(seen)

        self.worker.start("trying the edit on a scratch copy", job)

    def _on_fork(self, _: Any) -> None:
        checkpoint, values, as_node = self._edit.edit(self.selected)
        if not values and as_node is None:
            raise InvalidInput("nothing is changed in the JSON, so there is nothing to fork")
        in_copy = self._edit.in_copy
        self._act("writing the edit", lambda: checkpoint.edit(values, as_node, replace=True, in_copy=in_copy))

    def _on_run(self, _: Any) -> None:
        checkpoint, values, as_node = self._edit.edit(self.selected)
        in_copy = self._edit.in_copy
        if values or as_node is not None:
            self._run("forking and running", checkpoint.fork, values, as_node, replace=True, in_copy=in_copy)
        else:
            self._run("nothing is changed: running again from here", checkpoint.resume, in_copy=in_copy)

    def _on_answer(self, _: Any) -> None:
        checkpoint, given, in_copy = self.selected, self._answer.answer(), self._edit.in_copy
        if checkpoint is None:
            raise InvalidInput("pick a checkpoint first")
        self._run("answering", checkpoint.answer, **given, in_copy=in_copy)

    def _run(self, doing: str, act: Callable[..., Act], *given: Any, **more: Any) -> None:
        """An act that runs the graph: its words show as they come, the tree grows, a button stops it."""
        before = self.history

        def grow(states: list[Any]) -> None:
            nonlocal before
            if all(state["checkpoint"]["thread_id"] == before.thread_id for state in states):
                before = before.grown(*states)
                self._follow(before, len(before) - 1)

        stops = self._edit.stops
        self._act(doing, lambda: self.live.watch(Running(act, *given, **more, **stops), grow))

    def _follow(self, history: History, position: int) -> None:
        """Show a history and pick a position, unless the user picked another checkpoint since the last time."""
        picked = self.selected
        stays = picked is not None and picked.id != self._led_to and picked.id in history
        self._load(history, history[picked.id].position if picked and stays else position)
        if not stays:
            self._led_to = history[position].id

    def _act(self, doing: str, act: Callable[[], Act]) -> None:
        self._led_to = self.selected.id if self.selected else None

        def job() -> str:
            done = self.act = act()
            self._follow(done.history, done.checkpoint.position)
            self._write_down(f"what this {done.kind} did", code.code_view(done))
            return repr(done)

        self.worker.start(doing, job, after_failure=self._reload)

    def _on_copy(self, _: Any) -> None:
        def job() -> str:
            report = self.copy_report = self.history.copy()
            self._write_down("what this copy did", code.code_view(report))
            return repr(report)

        self.worker.start("copying the thread and verifying the copy", job)

    def _on_compare(self, _: Any) -> None:
        self.comparison, chosen = self._compare.compare(self.history)
        self.status.say(f"compared {len(chosen)} branch{'es' * (len(chosen) > 1)}: {cut(', '.join(chosen), 80)}")

    def _on_nested(self) -> None:
        """Fold the subgraphs away, or show them; the first time they are read."""
        if not self._nested.value or self.history.subgraphs:
            self.picture.draw(self.history.facts, fold=not self._nested.value)
            self._show()
            return

        def job() -> str:
            picked = self.selected
            whole = self.history.book.history(self.history.thread_id, subgraphs=True)
            self._load(whole, whole[picked.id].position if picked else None)
            return f"{len(whole):,} checkpoints, those of subgraphs among them"

        self.worker.start("reading the subgraphs", job)

    def _on_refresh(self, _: Any) -> None:
        self.worker.start("fetching what is new", lambda: f"{self._reload()} new checkpoints")

    def _reload(self) -> int:
        """Show the thread as it is now; how many checkpoints are new."""
        before, picked = len(self.history), self.selected
        fresh = self.history.refreshed()
        kept = fresh[picked.id].position if picked and picked.id in fresh else None
        self._load(fresh, kept if kept is not None or not len(fresh) else len(fresh) - 1)
        return len(fresh) - before

    @shown
    def __repr__(self) -> str:
        return f"{self.history!r}\n(an explorer: show it in a notebook to click)"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live widget where there is a kernel, else the history's own picture and text."""
        return {**self.history._repr_mimebundle_(), **super()._repr_mimebundle_(**kwargs)}
