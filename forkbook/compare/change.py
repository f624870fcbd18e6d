"""One difference between two states: the record, and how a terminal shows it on one line. Pure.

What is too long is cut here, never in the data, and the line says how much is not shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..model.meaning import line
from ..model.messages import role, text, tool_calls
from ..model.text import shown, visible
from . import align as alignment

Path = tuple[str | int, ...]
Part = tuple[str, str]  # what happened (equal, insert, delete, note), and the text

LONG_TEXT, LINE_SHOWN = 60, 200  # characters
AROUND_LINE = 20  # characters of equal text that stay beside a change
MARKS = {"added": "+ ", "removed": "− ", "changed": "", "moved": "↷ "}
TERMINAL = {"insert": "{{+{}+}}", "delete": "[-{}-]"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two states.

    Attributes:
        path: The channel, then keys and indices; in the new state, of what was removed in the old one.
        kind: `added`, `removed`, `changed`, or `moved`: a message that stands before or after others than it did.
            What changed inside a message is a change of its own, whether it moved or not.
        old: The value before; None where it was added (a value that was there and None has the kind `changed`).
        new: The value after; None where it was removed.
        message_id: The id of the message that it is, or is in; None outside messages, and for one without id.
        role: That message's role: human, ai, system, tool or chat.
        depth: How many steps of the path lead to that message; 0 outside messages.
        from_path: Where what moved was in the old state.
    """

    path: Path
    kind: str
    old: Any = None
    new: Any = None
    message_id: str | None = None
    role: str | None = None
    depth: int = 0
    from_path: Path | None = None

    def words(self) -> list[tuple[str, str]]:
        """What changed in the text, word by word; see `alignment.words`. Of a message that is its content's text."""
        return alignment.words(_text(self.old), _text(self.new))

    @shown
    def __repr__(self) -> str:
        return text_line(self)


def path_text(path: Path) -> str:
    """A path as text: `messages[3].content`; a key that is no word in quotes: `notes["a b"]`.

    Example:
        >>> from forkbook.compare.change import path_text
        >>> path_text(("messages", 3, "content"))
        'messages[3].content'
    """
    steps = [
        f"[{step}]" if isinstance(step, int) else f".{step}" if step.isidentifier() else f"[{line(step)}]"
        for step in path
    ]
    return "".join(steps).removeprefix(".") or "(all values)"


def text_line(change: Change) -> str:
    """One change on one line: `topic: "cats" → "chickens"`."""
    heading = f"{MARKS[change.kind]}{visible(': '.join(where(change)))}"
    if change.kind == "moved":
        return f"{heading}: {visible(moved(change))}"
    if long_text(change):
        said = "".join(
            TERMINAL.get(op, "{}").format(visible(part)) for op, part in words(change, LINE_SHOWN, AROUND_LINE)
        )
        return f"{heading}: {said}"
    sides = [shorter(value_text(side), LINE_SHOWN) for side in values(change)]
    return f"{heading}: {visible(' → '.join(sides))}"


def where(change: Change) -> list[str]:
    """The path; of a message who it is, then the path inside it."""
    if not change.depth:
        return [path_text(change.path)]
    named = f"id {change.message_id}" if change.message_id else "no id"
    inside = change.path[change.depth :]
    return [
        f"{path_text(change.path[: change.depth])} ({change.role}, {named})",
        *([path_text(inside)] if inside else []),
    ]


def moved(change: Change) -> str:
    """Where something was."""
    return f"moved from {path_text(change.from_path or ())}"


def values(change: Change) -> list[Any]:
    """What there is to show: the value that came or went, or both."""
    return {"added": [change.new], "removed": [change.old]}.get(change.kind, [change.old, change.new])


def long_text(change: Change) -> bool:
    """Whether a change is better shown word by word: in texts that are more than a few words."""
    both = (change.old, change.new)
    return change.kind == "changed" and all(isinstance(side, str) for side in both) and max(map(len, both)) > LONG_TEXT


def words(change: Change, most: int, around: int) -> Iterator[Part]:
    """What changed in a text; long stretches without a change, and what is beyond so many characters, only counted."""
    parts = change.words()
    left = most
    for number, (op, part) in enumerate(parts):
        if left <= 0:
            rest = sum(len(said) for _, said in parts[number:])
            yield "note", f" … {rest:,} more characters"
            return
        if op == "equal":
            pieces = folded(part, around if number else 0, around if number < len(parts) - 1 else 0)
        else:
            pieces = cut(op, part, left)
        for piece in pieces:
            left -= len(piece[1])
            yield piece


def folded(part: str, before: int, after: int) -> list[Part]:
    """Text that did not change: its beginning and end, and how much is between."""
    between = len(part) - before - after
    if between <= before + after:
        return [("equal", part)]
    ends = (part[:before], part[len(part) - after :])
    note = ("note", f"{' ' if before else ''}… {between:,} equal characters … ")
    return [piece for piece in (("equal", ends[0]), note, ("equal", ends[1])) if piece[1]]


def cut(op: str, part: str, length: int) -> list[Part]:
    """The beginning of a text, and how much more there is."""
    rest = len(part) - length
    return [(op, part)] if rest <= 0 else [(op, part[:length]), ("note", f" … {rest:,} more characters")]


def shorter(value: str, length: int) -> str:
    """The beginning of a text, and how much more there is."""
    return "".join(part for _, part in cut("", value, length))


def value_text(value: Any) -> str:
    """A value as JSON; a message as what it says and calls."""
    if not (isinstance(value, dict) and role(value)):
        return line(value)
    calls = [f"{call.get('name')}({line(call.get('args'))})" for call in tool_calls(value)]
    return "\n".join(filter(None, [text(value), *calls])) or line(value)


def _text(value: Any) -> str:
    if isinstance(value, str) or value is None:
        return value or ""
    return text(value) if isinstance(value, dict) and role(value) else line(value)
