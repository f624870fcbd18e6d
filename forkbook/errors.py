"""Every error that forkbook raises on purpose.

    ForkbookError
    ├── SourceError                the place that holds the threads
    │   ├── ConnectionFailed       cannot be reached, or the line broke
    │   ├── AccessDenied           wants another key
    │   ├── ServerFault            answered with an error of its own
    │   ├── ProtocolError          answered something that LangGraph does not say
    │   ├── ArchiveDamaged         an archive is not what was written
    │   ├── ForeignArchive         an archive of another format
    │   ├── OverBudget             more than forkbook reads unasked
    │   └── Unsupported            this kind of place cannot do that; another can
    ├── NotFound                   (also a KeyError)
    │   ├── ThreadNotFound
    │   └── CheckpointNotFound     no such checkpoint, or more than one
    ├── BookClosed                 the book was closed before
    ├── InvalidInput               (also a ValueError) what was typed cannot be right
    ├── Refused                    an act that would only confuse; nothing was written
    │   └── ThreadBusy             a run is under way on this thread
    ├── ActFailed                  an act began and did not end well; says what was written
    └── MissingExtra               an optional dependency is not installed

What an error is about is in its attributes (`thread_id`, `checkpoint_id`, `candidates` …), the cause is chained.
"""

import sys
from collections.abc import Sequence
from typing import Any

from .model.text import shown, visible_lines


class ForkbookError(Exception):
    """Base of all errors below; its text says what, where, why, and what to do next.

    Attributes:
        thread_id (str | None): The thread in question, if one is.
        checkpoint_id (str | None): The checkpoint in question, if one is.
        candidates (tuple[str, ...]): What could have been meant.
        details (dict[str, Any]): What else is known, by name, such as `status`, the HTTP status of a `ServerFault`.
    """

    def __init__(
        self,
        message: str,
        *,
        thread_id: str | None = None,
        checkpoint_id: str | None = None,
        candidates: Sequence[str] = (),
        **details: Any,
    ) -> None:
        super().__init__(visible_lines(message))
        _show_what_came_before(sys.exception())
        self.thread_id = thread_id
        self.checkpoint_id = checkpoint_id
        self.candidates = tuple(candidates)
        self.details = details

    @shown
    def __str__(self) -> str:
        return str(self.args[0])

    def add(self, sentence: str) -> None:
        """Say one more thing at the end of the text."""
        super().__init__(visible_lines(f"{str(self.args[0]).rstrip('.')}. {sentence}"))

    def add_note(self, note: str, /) -> None:
        """Say one more thing below the text, where a traceback shows it."""
        super().add_note(visible_lines(note))


def _show_what_came_before(error: BaseException | None) -> None:
    """Let no foreign text command a terminal from the errors that a traceback shows above one of ours."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if not isinstance(error, OSError):  # its text is of its fields, which it shows as literals
            visible_args = tuple(map(_visible_text, error.args))
            error.args = error.args if visible_args == error.args else visible_args
        if notes := getattr(error, "__notes__", None):
            notes[:] = map(_visible_text, notes)
        error = error.__cause__ or error.__context__


def _visible_text(value: Any) -> Any:
    return "\t".join(map(visible_lines, value.split("\t"))) if type(value) is str else value


class SourceError(ForkbookError):
    """The place that holds the threads did not do its part."""


class ConnectionFailed(SourceError):
    """The place cannot be reached, or the connection broke."""


class AccessDenied(SourceError):
    """The place wants to know who asks (`details["status"]` 401), or this user may not do that (403)."""

    @property
    def everywhere(self) -> bool:
        """Whether nothing of this place can be had, so that other threads need not be tried."""
        return self.details.get("status") != 403


class ServerFault(SourceError):
    """The server answered with an error of its own (`details["status"]`: the HTTP status)."""


class ProtocolError(SourceError):
    """The answer is not what LangGraph's protocol says."""


class ArchiveDamaged(SourceError):
    """Something in an archive is not what was written there; `details["path"]` is the file."""


class ForeignArchive(SourceError):
    """An archive of a format that this forkbook does not know; `details["format"]` says which."""


class OverBudget(SourceError):
    """What is read is larger, deeper or slower than a bound of the `Budget`; nothing of it was kept.

    `details` has the `bound` (a field of `Budget`), `most` (its value) and `met` (what there is, at least).
    """


class Unsupported(SourceError):
    """This kind of place cannot do that; the text names one that can.

    `details["places"]` has the kinds of place that can, in words, and `details["capability"]` the
    `backends.capabilities.Capability` that this one lacks, where it is a matter of the kind of place.
    """


class NotFound(ForkbookError, KeyError):
    """Something was asked for that is not there."""


class ThreadNotFound(NotFound):
    """No thread has this id."""


class CheckpointNotFound(NotFound):
    """No checkpoint fits, or more than one does (then `candidates` has them)."""


class BookClosed(ForkbookError):
    """The book was closed before; histories that were read from it keep what they have."""


class InvalidInput(ForkbookError, ValueError):
    """What was typed cannot be right; nothing was sent."""


class Refused(ForkbookError):
    """An act that would only confuse; nothing was written."""


class ThreadBusy(Refused):
    """A run is under way on this thread."""


class ActFailed(ForkbookError):
    """An act began and did not end well; the text says what was written."""


class MissingExtra(ForkbookError, ImportError):
    """An optional dependency is not installed; the text has the pip command."""
