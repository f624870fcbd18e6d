"""The edit panel: the state as JSON, the node that the edit is to come from, and whether a copy is edited."""

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as w

from ..backends.records import Graph
from ..checkpoint import Checkpoint
from ..errors import InvalidInput
from ..model.reserved import END
from ..model.text import visible
from ..plot.html import esc
from . import editor

LAST_NODE = "(the last node)"
NO_STOP, EVERYWHERE = "(nowhere)", "(every node)"


class EditPanel(w.VBox):
    """Holds what a person types; another checkpoint brings its own state.

    Args:
        buttons: What can be done with the edit.
    """

    def __init__(self, *buttons: w.Button) -> None:
        self._shown: str | None = None
        self._schema: Mapping[str, Any] | None = None
        self._text = w.Textarea(layout=w.Layout(width="auto", height="150px"))
        self._text.add_class("forkbook-edit")
        self._note = w.HTML()
        self._as_node = w.Dropdown(options=[LAST_NODE], description="as node", layout=w.Layout(width="250px"))
        self._in_copy = w.Checkbox(description="in a copy of the thread", indent=False, layout=w.Layout(width="auto"))
        self._until = w.Dropdown(options=[NO_STOP], description="stop before", layout=w.Layout(width="250px"))
        wrapped = w.Layout(flex_flow="row wrap")
        super().__init__(
            [
                w.HTML("<b>Edit</b> the state as JSON; channels that you change are replaced"),
                self._note,
                self._text,
                w.HBox([self._as_node, self._until, self._in_copy], layout=wrapped),
                w.HBox(buttons, layout=wrapped),
            ]
        )

    @property
    def in_copy(self) -> bool:
        """Whether the act is to happen in a copy of the thread."""
        return bool(self._in_copy.value)

    @property
    def stops(self) -> dict[str, Any]:
        """Where a run is to stop, as acts take it; nothing: nowhere."""
        until = self._until.value
        return {} if until == NO_STOP else {"interrupt_before": "*" if until == EVERYWHERE else [until]}

    def know(self, graph: Graph, seen: Sequence[str]) -> None:
        """Learn the graph's nodes, those seen in the history where it is not shown, and the schema of an edit."""
        nodes = seen if graph.nodes is None else graph.nodes
        self._schema = graph.schema
        named = [(visible(node), node) for node in nodes]
        self._as_node.options = [(LAST_NODE, LAST_NODE), *named, (END, END)]
        self._until.options = [(NO_STOP, NO_STOP), *named, (EVERYWHERE, EVERYWHERE)]

    def show(self, checkpoint: Checkpoint) -> None:
        """Show a checkpoint's state; what was typed at this one stays."""
        if checkpoint.id == self._shown:
            return
        self._shown = checkpoint.id
        self._text.value, left_out = editor.editable(checkpoint.state["values"])
        self._note.value = f"<i>too large to show here: {esc(', '.join(left_out))}</i>" if left_out else ""

    def edit(self, checkpoint: Checkpoint | None) -> tuple[Checkpoint, dict[str, Any], str | None]:
        """The checkpoint, the channels that were changed, and the node to write as.

        Raises:
            InvalidInput: No checkpoint is picked, or what was typed is no edit.
        """
        if checkpoint is None:
            raise InvalidInput("pick a checkpoint first")
        as_node = None if self._as_node.value == LAST_NODE else self._as_node.value
        return checkpoint, editor.changes(self._text.value, checkpoint.state["values"], self._schema), as_node
