"""The explorer: pick a checkpoint, look into it, edit, fork, copy, compare. Every gesture leaves a plain value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as w

from ..acts import Act
from ..checkpoint import Checkpoint
from ..comparison import Comparison
from ..errors import InvalidInput
from ..escape import cut
from ..history import History
from ..overview import Overview, compare
from ..plot.comparison import comparison_html, overview_html
from ..plot.html import esc
from ..transfer import CopyReport
from . import editor, views
from .chips import Chips
from .memory import memory_view
from .picklist import PickList
from .tree import TreePicture
from .work import Status, Worker

VIEWS: dict[str, Callable[[Checkpoint], str]] = {
    "Changed": views.changes_view,
    "Messages": views.messages_view,
    "State": views.state_view,
    "Tasks": views.tasks_view,
    "Tokens": views.tokens_view,
    "Memory": memory_view,
}
LAST_NODE = "(the last node)"


class Explorer(w.VBox):
    """A thread's history, live.

    Attributes:
        history: The history shown; after an act the one with the new branch.
        selected: The checkpoint that is picked.
        act: The last edit, fork or resume; None before the first.
        copy_report: The last copy's report.
        comparison: The last comparison: a `Comparison` of two branches, an `Overview` of any other number.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.act: Act | None = None
        self.copy_report: CopyReport | None = None
        self.comparison: Comparison | Overview | None = None
        self._shown: str | None = None
        self._schema: Mapping[str, Any] | None = None
        self._build()
        super().__init__(
            [
                w.HBox([self._title, self._refresh], layout=w.Layout(justify_content="space-between")),
                w.HBox([self._left(), self._right()], layout=w.Layout(flex_flow="row wrap")),
                self._compare_row(),
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
        self._tabs = w.ToggleButtons(options=list(VIEWS), style={"button_width": "auto"})
        self._text = w.Textarea(layout=w.Layout(width="auto", height="150px"))
        self._text.add_class("forkbook-edit")
        self._edit_note = w.HTML()
        self._as_node = w.Dropdown(options=[LAST_NODE], description="as node", layout=w.Layout(width="250px"))
        self._in_copy = w.Checkbox(description="in a copy of the thread", indent=False, layout=w.Layout(width="auto"))
        self._branches = Chips("branches to compare")
        self._comparison = w.HTML()
        self.status = Status()
        buttons = {
            "Preview": ("what the edit would do; the thread is untouched", self._on_preview),
            "Fork": ("write the edit as a new branch; nothing runs", self._on_fork),
            "Fork and run": ("write the edit and run on from it; without a change, run again from here", self._on_run),
            "Copy thread": ("copy the whole thread and verify the copy", self._on_copy),
            "Compare": ("the chosen branches side by side: two in detail, any number in a table", self._on_compare),
            "Refresh": ("fetch what is new", self._on_refresh),
        }
        self._buttons = {name: w.Button(description=name, tooltip=tip) for name, (tip, _) in buttons.items()}
        for button in self._buttons.values():
            button.layout.width, button.layout.flex = "auto", "none"
        self._refresh = self._buttons["Refresh"]
        self._buttons["Fork and run"].button_style = "primary"
        needs = {"Preview": "write", "Fork": "write", "Fork and run": "run", "Copy thread": "write"}
        abilities = self.history.book.backend.abilities
        usable = [button for name, button in self._buttons.items() if needs.get(name, "live") in {*abilities, "live"}]
        self.worker = Worker(self.status, usable)
        for button in set(self._buttons.values()) - set(usable):
            button.disabled = True
            button.tooltip = f"{self.history.book.backend.kind} is read-only"
        for name, (_, callback) in buttons.items():
            self._buttons[name].on_click(self.worker.guarded(callback))
        self._list.observe(self.worker.guarded(lambda _: self._show()), "index")
        self._tabs.observe(self.worker.guarded(lambda _: self._show_view()), "value")

    def _left(self) -> w.Widget:
        return w.VBox([self.picture, self._list], layout=w.Layout(width="430px"))

    def _right(self) -> w.Widget:
        names = ("Preview", "Fork", "Fork and run", "Copy thread")
        return w.VBox(
            [
                self._heading,
                self._tabs,
                self._view,
                w.HTML("<b>Edit</b> the state as JSON; channels that you change are replaced"),
                self._edit_note,
                self._text,
                w.HBox([self._as_node, self._in_copy], layout=w.Layout(flex_flow="row wrap")),
                w.HBox([self._buttons[name] for name in names], layout=w.Layout(flex_flow="row wrap")),
                self.status,
            ],
            layout=w.Layout(flex="1 1 360px", padding="0 0 0 12px", min_width="340px"),
        )

    def _compare_row(self) -> w.Widget:
        return w.VBox([w.HBox([self._buttons["Compare"], self._branches]), self._comparison])

    def _load(self, history: History, position: int | None) -> None:
        """Show a history, with a position picked."""
        self.history = history
        self._title.value = f"<b>{esc(history.summary())}</b>"
        self.picture.draw(history.facts)
        self._list.fill([self._list_line(checkpoint) for checkpoint in history], position)
        labels = history.branches
        if labels != self._branches.labels:  # a new branch is what one wants to compare
            self._branches.fill(labels, list(dict.fromkeys([*labels[:1], *labels[-1:]])))
        self._show()

    @staticmethod
    def _list_line(checkpoint: Checkpoint) -> str:
        tip = f" · tip {checkpoint.branch}" if checkpoint.is_tip else ""
        return f"{checkpoint.short_id} · step {checkpoint.step} · {checkpoint.title[:50]}{tip}"

    def _pick(self, position: int) -> None:
        self._list.index = position

    def _show(self) -> None:
        checkpoint = self.selected
        if checkpoint is None:
            self._heading.value = "<i>this thread has no checkpoints</i>"
            return
        self.picture.ring(checkpoint.position)
        self._heading.value = views.heading(checkpoint)
        self._show_view()
        if checkpoint.id == self._shown:
            return  # what was typed stays
        self._shown = checkpoint.id
        self._text.value, left_out = editor.editable(checkpoint.state["values"])
        self._edit_note.value = f"<i>too large to show here: {esc(', '.join(left_out))}</i>" if left_out else ""

    def _show_view(self) -> None:
        if self.selected is not None:
            self._view.value = VIEWS[self._tabs.value](self.selected)

    def _edit(self) -> tuple[Checkpoint, dict[str, Any], str | None]:
        """The picked checkpoint, the channels that were changed, and the node to write as."""
        if (checkpoint := self.selected) is None:
            raise InvalidInput("pick a checkpoint first")
        as_node = None if self._as_node.value == LAST_NODE else self._as_node.value
        return checkpoint, editor.changes(self._text.value, checkpoint.state["values"], self._schema), as_node

    def _read_graph(self) -> str:
        if (checkpoint := self.selected) is not None and "schemas" in self.history.book.backend.abilities:
            graph = checkpoint.assistant_graph()
            self._schema = graph.schema
            self._as_node.options = [LAST_NODE, *graph.nodes]
        return "pick a checkpoint in the picture or the list"

    def _on_preview(self, _: Any) -> None:
        checkpoint, values, as_node = self._edit()
        self.worker.start(
            "trying the edit on a scratch copy", lambda: repr(checkpoint.preview(values, as_node, replace=True))
        )

    def _on_fork(self, _: Any) -> None:
        checkpoint, values, as_node = self._edit()
        if not values and as_node is None:
            raise InvalidInput("nothing is changed in the JSON, so there is nothing to fork")
        in_copy = self._in_copy.value
        self._act("writing the edit", lambda: checkpoint.edit(values, as_node, replace=True, in_copy=in_copy))

    def _on_run(self, _: Any) -> None:
        checkpoint, values, as_node = self._edit()
        in_copy = self._in_copy.value
        if values or as_node is not None:
            self._act("forking and running", lambda: checkpoint.fork(values, as_node, replace=True, in_copy=in_copy))
        else:
            self._act("nothing is changed: running again from here", lambda: checkpoint.resume(in_copy=in_copy))

    def _act(self, doing: str, act: Callable[[], Act]) -> None:
        def job() -> str:
            done = self.act = act()
            self._load(done.history, done.checkpoint.position)
            return repr(done)

        self.worker.start(doing, job, after_failure=self._reload)

    def _on_copy(self, _: Any) -> None:
        def job() -> str:
            self.copy_report = self.history.copy()
            return repr(self.copy_report)

        self.worker.start("copying the thread and verifying the copy", job)

    def _on_compare(self, _: Any) -> None:
        chosen = [label for label in self.history.branches if label in self._branches.chosen]
        if not chosen:
            raise InvalidInput("choose the branches to compare: click their letters")
        if len(chosen) == 2:
            self.comparison = self.history.compare(*chosen)
            self._comparison.value = comparison_html(self.comparison)
        else:
            self.comparison = compare([self.history.at(branch=label) for label in chosen])
            self._comparison.value = overview_html(self.comparison)
        self.status.say(f"compared {len(chosen)} branch{'es' * (len(chosen) > 1)}: {cut(', '.join(chosen), 80)}")

    def _on_refresh(self, _: Any) -> None:
        self.worker.start("fetching what is new", lambda: f"{self._reload()} new checkpoints")

    def _reload(self) -> int:
        """Show the thread as it is now; how many checkpoints are new."""
        before, picked = len(self.history), self.selected
        fresh = self.history.refreshed()
        kept = fresh[picked.id].position if picked and picked.id in fresh else None
        self._load(fresh, kept if kept is not None or not len(fresh) else len(fresh) - 1)
        return len(fresh) - before

    def __repr__(self) -> str:
        return f"{self.history!r}\n(an explorer: show it in a notebook to click)"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live widget where there is a kernel, else the history's own picture and text."""
        return {**self.history._repr_mimebundle_(), **super()._repr_mimebundle_(**kwargs)}
