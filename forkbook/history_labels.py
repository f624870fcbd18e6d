"""The labels, notes and stars that people give to the checkpoints of a history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from .backends.labels import labels_of, put_label
from .errors import CheckpointNotFound, ForkbookError, InvalidInput
from .history_views import HistoryViews
from .model.find import position_of
from .model.label import Label

if TYPE_CHECKING:
    from .backends.contract import Backend
    from .checkpoint_facts import CheckpointFacts


class HasBackend(Protocol):
    """A book: it has another backend once it is closed."""

    backend: Backend


class HistoryLabels(HistoryViews):
    """What a history says of labels; it also says what its `book` is."""

    book: HasBackend

    if TYPE_CHECKING:

        def pick(self, key: Any) -> CheckpointFacts: ...

    _labels: dict[str, Label] | None = None  # as they were read; None: they were not, or could not be

    @property
    def labels(self) -> dict[str, Label]:
        """What people wrote on checkpoints, by checkpoint id; as it was when first asked for, or at `refresh()`.

        Also on checkpoints of the thread that were not read here.

        Raises:
            SourceError: The place does not say now.

        >>> history.labels
        {}
        """
        if self._labels is None:
            found = labels_of(self.book.backend, self.thread_id)
            rank = self.tree.index
            self._labels = dict(sorted(found.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0])))
        return dict(self._labels)

    def label(
        self, checkpoint: Any, label: str | None = None, *, note: str | None = None, star: bool | None = None
    ) -> Label:
        """Give a checkpoint a label, a note, a star; `history["good one"]` then finds it.

        They are kept in the shared memory of the place, where everybody who may read that sees them, under the
        namespace ("forkbook", thread id). A place without one, or where this user may not write, has them in a file:
        `study.forkbook.labels.json` beside `study.forkbook`, or one in the user's data folder. Neither the thread nor
        its metadata change. Copies and exports of the thread have no labels.

        Args:
            checkpoint: Anything that names one, as in `history[checkpoint]`; a branch's letter names its tip.
            label: One line. Several checkpoints may have the same; then their ids tell them apart. "" takes it away,
                None leaves it as it is.
            note: Text of any lines; "" takes it away, None leaves it as it is.
            star: True or False; None leaves it as it is.

        Returns:
            What the checkpoint has now.

        Raises:
            InvalidInput: This cannot be a label, or it names something else here: a checkpoint's id, a branch's letter.
            CheckpointNotFound: There is no such checkpoint, or there are several.
            SourceError: It could not be written.

        >>> history.label("B", "the better joke", star=True)
        Label(label='the better joke', note=None, star=True)
        >>> history["the better joke"].branch
        'B'
        >>> history.label("the better joke", "", star=False)
        Label(label=None, note=None, star=False)
        """
        checkpoint_id = self.pick(checkpoint).id
        before = labels_of(self.book.backend, self.thread_id)
        after = before.get(checkpoint_id, Label()).changed(label, note, star)
        if label and after.label is not None:
            self._must_be_free(after.label)
        put_label(self.book.backend, self.thread_id, checkpoint_id, after)
        self._labels = None
        return after

    def _must_be_free(self, label: str) -> None:
        try:
            other = position_of(self.tree, self.thread_id, label)
        except CheckpointNotFound:
            return
        what = "a branch" if label in self.branches else f"checkpoint {self.tree.heads[other].id[-6:]}"
        raise InvalidInput(
            f"{label!r} names {what} of thread {self.thread_id} already, so history[{label!r}] would find that: "
            "choose another label",
            thread_id=self.thread_id,
        )

    _labels_unknown = False  # whether the place did not say; it is not asked again before `refresh()`

    def _labels_at_hand(self) -> Mapping[str, Label]:
        if self._labels_unknown:
            return {}
        try:
            return self.labels
        except ForkbookError:
            self._labels_unknown = True
            return {}

    def _forget_labels(self) -> None:
        """Have them read again when they are asked for."""
        self._labels, self._labels_unknown = None, False
