"""What an act left behind, as users hold it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Generic, Protocol

from typing_extensions import TypeVar

from .. import snippets
from ..backends.contract import Backend
from ..backends.records import RunSettings
from ..errors import InvalidInput
from ..facts import Facts
from ..model.edits import Deviation
from ..model.secrets import masked, masking
from ..model.text import short, shown
from ..snippets import Code, Gesture
from ..tokens import Counter
from .spot import Done, Spot

H = TypeVar("H", default=Any)  # the history that a book makes
C = TypeVar("C", default=Any)  # the checkpoint
C_co = TypeVar("C_co", covariant=True, default=Any)


class BookOf(Protocol[H, C_co]):
    """What a book does for acts and sweeps: it makes histories and checkpoints of facts."""

    backend: Backend
    counter: Counter | None

    def history_of(self, facts: Facts) -> H:
        """The history of a thread that was read."""

    def checkpoint_of(self, history: H, position: int) -> C_co:
        """A checkpoint of a history."""


@dataclass(frozen=True, slots=True, repr=False)
class Act(Generic[H, C]):
    """What an edit, resume, fork, answer or run left behind.

    Attributes:
        kind (str): `edit`, `resume`, `fork`, `answer` or `run`.
        checkpoint (Checkpoint): Where it led: the edited checkpoint, or the last one that the run wrote.
        history (History): The thread's history after it, of the copy if it was done in a copy.
        status (str): Of that checkpoint: `finished`, `waiting`, `pending` (a stopped run's, too) or `error`.
        settings (RunSettings | None): How the run was run: `assistant`, `config`, `context`, `interrupt_before`,
            `interrupt_after`, `metadata`; None where nothing ran. Secrets in it show as `***`.
        run_id (str | None): The run's id; None where nothing ran.
        deviations (tuple[Deviation, ...]): Channels that are not what was typed, because their reducer had a say.
        error (str | None): The exception that ended the run; None where none did, and where the run was stopped.
        notes (tuple[str, ...]): What else one should know.
        gesture (Gesture | None): What was done, step by step; `code()` writes it down.
        spot (Spot): The same checkpoint as acts take it.
    """

    kind: str
    checkpoint: C
    history: H
    status: str
    settings: RunSettings | None = None
    run_id: str | None = None
    deviations: tuple[Deviation, ...] = ()
    error: str | None = None
    notes: tuple[str, ...] = ()
    gesture: Gesture | None = None
    spot: Spot = dataclasses.field(kw_only=True)

    def __post_init__(self) -> None:
        if (how := self.settings) is not None:
            config, context = masking(how.config), masking(how.context)
            object.__setattr__(self, "settings", dataclasses.replace(how, config=config, context=context))

    @classmethod
    def of(cls, book: BookOf[H, C], done: Done) -> Act[H, C]:
        """What an act left behind, with the history that it led to."""
        history, spot = book.history_of(done.spot.facts), done.spot
        fields = {field.name: getattr(done, field.name) for field in dataclasses.fields(done) if field.name != "spot"}
        return cls(checkpoint=book.checkpoint_of(history, spot.position), history=history, spot=spot, **fields)

    @shown
    def __repr__(self) -> str:
        here = self.spot
        lines = [f"{self.kind} → {here.short_id} on branch {here.branch} of thread {here.thread_id} · {self.status}"]
        lines += [f"  not as typed: {deviation}" for deviation in self.deviations]
        if self.settings is not None:
            lines.append(f"  run with assistant={self.settings.assistant!r}, config={self.settings.config!r}")
            for name in ("context", "interrupt_before", "interrupt_after", "metadata"):
                given = getattr(self.settings, name)
                lines += [f"  {name}={masked(given)!r}"] if given else []
        lines += [f"  error: {short(self.error, 300)}"] if self.error else []
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    def code(self, language: str | None = None) -> Code:
        """What was done, as it could be typed; no key is in it, only the name of a variable that holds one.

        Args:
            language: A name in `forkbook.snippets.LANGUAGES`, as in "curl"; None: what fits the place.

        Raises:
            InvalidInput: There is no such language, or a value has no form in JSON, which all but `graph` need.
        """
        if self.gesture is None:
            raise InvalidInput("this act has no record of what was done, so there is no code for it")
        return snippets.code(snippets.place_of(self.spot.backend), self.gesture, language)
