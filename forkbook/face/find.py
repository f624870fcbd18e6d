"""Search in a thread: checkpoints at which what is looked for is new. Pure."""

import operator
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from ..errors import InvalidInput
from ..facts import Facts
from ..model.messages import channels, role, tool_calls
from ..model.states import DEEPEST, is_placeholder
from ..model.text import json_text, short
from .document import Document
from .message_items import whole_text

LEAST_DIGITS = 4  # of a piece of an id


def find(
    document: Document,
    *,
    text: str = "",
    node: str | None = None,
    flags: int = 0,
    since: str | None = None,
    until: str | None = None,
    limit: int = 500,
) -> dict[str, Any]:
    """Checkpoints that fit all that is asked, oldest first.

    A message and a value is found where it is new, not at every checkpoint that still holds it.

    Args:
        document: The thread.
        text: What a message, a value, an error or a question holds, in capitals or not; or a piece of an id.
        node: The node that made it.
        flags: Flags of which it has one at least (see `codes`); 0: any.
        since: A time in ISO format.
        until: Another.
        limit: The most that are found.

    Returns:
        `positions`, and whether there are `more`.

    Raises:
        InvalidInput: A time cannot be read.
    """
    facts = document.facts
    wanted = range(len(document))
    tests = [
        (lambda at: document.all_flags[at] & flags) if flags else None,
        (lambda at: node in (*(made := facts.made_by(at)), ", ".join(made))) if node else None,
        _between(facts, _time(since), _time(until)) if since or until else None,
        _Texts(facts, text).at if text.strip() else None,
    ]
    known = [test for test in tests if test is not None]
    found = list(islice((at for at in wanted if all(test(at) for test in known)), limit + 1))
    return {"positions": found[:limit], "more": len(found) > limit}


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise InvalidInput(f"a time is written as 2026-01-31 or 2026-01-31T12:00, not {short(text)}") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _between(facts: Facts, since: datetime | None, until: datetime | None) -> Any:
    def fits(at: int) -> bool:
        when = facts.created_at(at)
        return when is not None and (since is None or since <= when) and (until is None or when <= until)

    return fits


class _Texts:
    """Looks for a text in what is new at checkpoints, into each message and value once."""

    def __init__(self, facts: Facts, text: str) -> None:
        self._facts, self._text = facts, text.strip().casefold()
        self._known: dict[int, tuple[Any, bool]] = {}  # the value itself stays, or its identity would go to another
        self._is_id = len(self._text) >= LEAST_DIGITS and not set(self._text) - set("0123456789abcdef-")

    def at(self, position: int) -> bool:
        """Whether a checkpoint brings the text."""
        return (
            any(self.within(message) for message in self._facts.holdings[position].fresh.values())
            or any(self.within(value) for value in self._new(position))
            or any(
                self.within(value)
                for task in self._facts.states[position]["tasks"] or ()
                for value in (task.get("error"), *(raised.get("value") for raised in task.get("interrupts") or ()))
            )
            or (self._is_id and self._text in self._facts.tree.heads[position].id.casefold())
        )

    def within(self, value: Any, depth: int = DEEPEST) -> bool:
        """Whether a value, or a part of it, holds the text."""
        if isinstance(value, str):
            return self._text in value.casefold()
        if not isinstance(value, Mapping | list):
            return value is not None and self._text in json_text(value)
        if (known := self._known.get(id(value))) is not None:
            return known[1]
        found = depth > 0 and any(self.within(part, depth - 1) for part in _parts(value))
        self._known[id(value)] = (value, found)
        return found

    def _new(self, position: int) -> Iterator[Any]:
        """Values that the parent's state has not, messages left out."""
        parent = self._facts.tree.parents[position]
        old = channels(self._facts.states[parent]["values"]) if parent >= 0 else {}
        for name, value in channels(self._facts.states[position]["values"]).items():
            before = old.get(name)
            if value is before:
                continue
            if not isinstance(value, list):
                if not isinstance(value, type(before)) or value != before:
                    yield value
                continue
            kept = before if isinstance(before, list) else []
            grown = len(kept) <= len(value) and all(map(operator.is_, kept, value))
            known = set() if grown else set(map(id, kept))
            for item in value[len(kept) :] if grown else value:
                if id(item) not in known and not (isinstance(item, Mapping) and role(item)):
                    yield item


def _parts(value: Mapping[Any, Any] | list[Any]) -> Iterator[Any]:
    """What can be read in a value: of a message what it says and calls, nothing of what is not known."""
    if isinstance(value, list):
        yield from value
    elif role(value):
        yield from (whole_text(value), value.get("name"))
        yield from (part for call in tool_calls(value) for part in (call.get("name"), call.get("args")))
    elif not is_placeholder(value):
        yield from value.values()
