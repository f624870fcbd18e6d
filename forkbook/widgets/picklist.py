"""A list that the keyboard can walk: in JupyterLab the arrow keys of an ipywidgets list belong to the notebook."""

import anywidget
import traitlets

SCRIPT = """
export default {
  render({ model, el }) {
    const list = document.createElement("select");
    list.size = 8;
    list.setAttribute("aria-label", "checkpoints, oldest first");
    const choose = () => { list.selectedIndex = model.get("index") ?? -1; };
    const fill = () => {
      list.replaceChildren(...model.get("lines").map(line => new Option(line)));
      choose();
    };
    list.addEventListener("keydown", event => event.stopPropagation());
    list.addEventListener("change", () => {
      model.set("index", list.selectedIndex);
      model.save_changes();
    });
    model.on("change:lines", fill);
    model.on("change:index", choose);
    fill();
    el.append(list);
  },
};
"""
STYLE = """
.forkbook-list select {
  width: 100%; padding: 2px; border-radius: 2px;
  font-family: var(--jp-code-font-family, monospace); font-size: 12px;
  color: var(--jp-ui-font-color1, #222); background: var(--jp-layout-color1, #fff);
  border: 1px solid var(--jp-border-color1, #bbb);
}
"""


class PickList(anywidget.AnyWidget):
    """Lines of text, one of them picked.

    Attributes:
        lines: The lines.
        index: The picked one; None: none.
    """

    _esm = SCRIPT
    _css = STYLE
    lines = traitlets.List(traitlets.Unicode()).tag(sync=True)
    index = traitlets.Int(None, allow_none=True).tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.add_class("forkbook-list")

    def fill(self, lines: list[str], index: int | None) -> None:
        """Show other lines, one of them picked."""
        with self.hold_sync():
            self.lines = lines
            self.index = index
