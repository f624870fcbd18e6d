"""The comparison under the explorer: any number of branches, two of them in detail."""

import ipywidgets as w

from ..compare.many import Overview, compare
from ..compare.two import Comparison
from ..errors import InvalidInput
from ..history import History
from .chips import Chips


class ComparePanel(w.VBox):
    """Branches to choose, and what they have in common and apart.

    Args:
        button: Compares.
    """

    def __init__(self, button: w.Button) -> None:
        self._branches = Chips("branches to compare")
        self._shown = w.HTML()
        super().__init__([w.HBox([button, self._branches]), self._shown])

    def load(self, labels: list[str]) -> None:
        """Offer a history's branches; a new branch is what one wants to compare with the first."""
        if labels != self._branches.labels:
            self._branches.fill(labels, list(dict.fromkeys([*labels[:1], *labels[-1:]])))

    def compare(self, history: History) -> tuple[Comparison | Overview, list[str]]:
        """Compare the chosen branches, and show it; the labels, too.

        Raises:
            InvalidInput: None is chosen.
        """
        chosen = [label for label in history.branches if label in self._branches.chosen]
        if not chosen:
            raise InvalidInput("choose the branches to compare: click their letters")
        if len(chosen) == 2:
            pair = history.compare(*chosen)
            self._shown.value = pair.html()
            return pair, chosen
        found = compare([history.at(branch=label) for label in chosen])
        self._shown.value = found.html()
        return found, chosen
