"""What is known of one checkpoint, as a page shows it. Pure."""

from collections.abc import Mapping
from typing import Any

from ..facts import Facts
from ..model.messages import channels
from ..model.text import json_text

Block = dict[str, Any]


def page(facts: Facts, position: int, label: Mapping[str, Any] | None = None) -> Block:
    """The page of a checkpoint; `label` has its `label`, `note` and `star`."""
    head = facts.tree.heads[position]
    return {"position": position, "id": head.id, "title": facts.title(position), **(label or {})}


def messages(facts: Facts, position: int, start: int, end: int) -> list[Block]:
    """Some of its messages."""
    return []


def text(facts: Facts, position: int, index: int) -> str:
    """The whole text of one."""
    return ""


def value(facts: Facts, position: int, channel: str, path: tuple[str | int, ...]) -> str:
    """A value, whole, as JSON text."""
    found = channels(facts.states[position]["values"])[channel]
    for step in path:
        found = found[step]
    return json_text(found)
