"""Small buttons that stay pressed: any number of labels, any number of them chosen, by mouse and keyboard."""

import anywidget
import traitlets

SCRIPT = """
export default {
  render({ model, el }) {
    const row = document.createElement("div");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", model.get("title"));
    const choose = labels => { model.set("chosen", labels); model.save_changes(); };
    const all = () => model.get("chosen").length === model.get("labels").length;
    const has = label => model.get("chosen").includes(label);
    const without = label => model.get("chosen").filter(other => other !== label);
    const toggle = label => choose(has(label) ? without(label) : [...model.get("chosen"), label]);
    const chip = (text, pressed, click) => {
      const button = document.createElement("button");
      button.textContent = text;
      button.pressed = pressed;
      button.addEventListener("click", click);
      button.addEventListener("keydown", event => event.stopPropagation());
      return button;
    };
    const press = () => {
      for (const button of row.children) button.setAttribute("aria-pressed", button.pressed());
    };
    const fill = () => {
      const labels = model.get("labels");
      const chips = labels.map(label => chip(label, () => has(label), () => toggle(label)));
      if (labels.length > 2) chips.unshift(chip("all", all, () => choose(all() ? [] : labels)));
      row.replaceChildren(...chips);
      press();
    };
    model.on("change:labels", fill);
    model.on("change:chosen", press);
    fill();
    el.append(row);
  },
};
"""
STYLE = """
.forkbook-chips div { display: flex; flex-wrap: wrap; gap: 4px; max-height: 84px; overflow: auto; padding: 2px; }
.forkbook-chips button {
  min-width: 28px; padding: 2px 8px; border-radius: 12px; cursor: pointer; font-size: 12px;
  color: var(--jp-ui-font-color1, #222); background: transparent; border: 1px solid var(--jp-border-color1, #bbb);
}
.forkbook-chips button[aria-pressed="true"] { color: #fff; background: #1565c0; border-color: #1565c0; }
"""


class Chips(anywidget.AnyWidget):
    """Labels, some of them chosen.

    Attributes:
        title: What they are, for screen readers.
        labels: All labels; each once.
        chosen: The chosen ones, in the order of choosing.
    """

    _esm = SCRIPT
    _css = STYLE
    title = traitlets.Unicode().tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    chosen = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, title: str) -> None:
        super().__init__(title=title)
        self.add_class("forkbook-chips")

    def fill(self, labels: list[str], chosen: list[str]) -> None:
        """Show other labels, some of them chosen."""
        with self.hold_sync():
            self.labels = labels
            self.chosen = chosen
