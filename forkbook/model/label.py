"""What a person writes on a checkpoint: a label, a note, a star. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InvalidInput
from .text import short

LONGEST_LABEL, LONGEST_NOTE = 200, 20_000  # characters


@dataclass(frozen=True, slots=True)
class Label:
    """What somebody wrote on a checkpoint.

    Attributes:
        label (str | None): Its name, by which `history[label]` finds it; None: it has none.
        note (str | None): Anything worth remembering, also several lines; None: nothing.
        star (bool): Whether it has a star.
    """

    label: str | None = None
    note: str | None = None
    star: bool = False

    def __bool__(self) -> bool:
        return bool(self.label or self.note or self.star)

    @classmethod
    def of(cls, value: Any) -> Label:
        """A label from JSON that anybody may have written: what does not fit is left out."""
        if not isinstance(value, Mapping):
            return cls()
        label, note = value.get("label"), value.get("note")
        return cls(
            label if isinstance(label, str) and label else None,
            note if isinstance(note, str) and note else None,
            value.get("star") is True,
        )

    def as_json(self) -> dict[str, Any]:
        """The label as JSON, without what it has not."""
        found = {"label": self.label, "note": self.note, "star": self.star}
        return {name: value for name, value in found.items() if value}

    def changed(self, label: str | None, note: str | None, star: bool | None) -> Label:
        """The label with some of it changed.

        Args:
            label: The new name; "" takes it away. None: as it is.
            note: The same for the note.
            star: Whether it has a star now. None: as it is.

        Raises:
            InvalidInput: This can be no label, or no note.
        """
        if star is not None and not isinstance(star, bool):
            raise InvalidInput(f"star is {short(star)}: give True, False, or None to leave it as it is")
        name, text = _checked(label, "a label", LONGEST_LABEL), _checked(note, "a note", LONGEST_NOTE)
        if name and len(name.splitlines()) > 1:
            raise InvalidInput("a label is one line; note= takes several")
        new = self if name is None else replace(self, label=name.strip() or None)
        new = new if text is None else replace(new, note=text if text.strip() else None)
        return new if star is None else replace(new, star=star)


def _checked(text: Any, what: str, most: int) -> str | None:
    """A text that any place can keep.

    Raises:
        InvalidInput: It is none.
    """
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidInput(f"{what} is text, not {short(text)}")
    if len(text) > most:
        raise InvalidInput(f"{what} has at most {most:,} characters; this has {len(text):,}")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInput(f"{what} is text without NUL and lone surrogates, which not every place can keep")
    return text
