"""What the inspector shows of a checkpoint at once, and what it asks for afterwards. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import InvalidInput
from ..facts import Facts
from ..model.messages import channels, messages_in
from ..model.questions import questions
from ..model.states import holds_placeholder, unknown_parts
from ..model.text import json_text, short
from ..model.tree import TIP_WORD, path_of
from ..plot.tree.from_facts import status, title
from ..plot.tree.labels import ends
from .blocks import Block, counted, heading, note, shorter, value_block
from .forms import question_item
from .message_items import main_channel, message_channels, message_item, message_items, whole_text

MESSAGES_SHOWN, OTHERS_SHOWN = 30, 10
ERROR_SHOWN, VALUE_SHOWN, VALUES_SHOWN = 20_000, 2_000, 8_000  # characters: of an error, a value, all values
UNKNOWN_SHOWN = 20  # parts of a state that are not known


def page(facts: Facts, position: int, label: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A checkpoint.

    Args:
        facts: The thread.
        position: The checkpoint.
        label: What people said of it: `label`, `note` and `star`.

    Returns:
        Who made it, where it stands, what it waits for, its last 30 messages, and its other values as blocks.
    """
    tree, state = facts.tree, facts.states[position]
    head, label = tree.heads[position], label or {}
    error = facts.error(position)
    return {
        "position": position,
        "id": head.id,
        "short_id": head.id[-6:],
        "title": title(facts, position),
        "heading": heading_of(facts, position),
        "step": head.step,
        "branch": tree.label(position),
        "node": ", ".join(facts.made_by(position)) or None,
        "is_tip": not tree.children[position],
        "status": status(facts, position),
        "source": head.source,
        "namespace": head.ns,
        "created_at": state["created_at"],
        "next": None if state["next"] is None else list(state["next"]),
        "error": None if error is None else shorter(error, ERROR_SHOWN),
        "parent": tree.parents[position],
        "host": tree.inside[position],
        "children": list(tree.children[position]),
        "star": bool(label.get("star")),
        "label": str(label.get("label") or ""),
        "note": str(label.get("note") or ""),
        "questions": question_items(facts, position),
        "messages": _messages(facts, position),
        "blocks": list(_blocks(facts, position)),
    }


def heading_of(facts: Facts, position: int) -> str:
    """One line about a checkpoint."""
    tree, state = facts.tree, facts.states[position]
    head = tree.heads[position]
    parts = [
        title(facts, position),
        f"branch {tree.label(position)}",
        "" if head.step is None else f"step {head.step}",
        f"in the subgraph {' › '.join(path_of(head.ns))}" if head.ns else "",
        f"{TIP_WORD}, {facts.status(position)}" if ends(tree, position) else "",
        f"next: {', '.join(state['next'])}" if state["next"] else "",
    ]
    return " · ".join(part for part in parts if part)


def question_items(facts: Facts, position: int) -> list[Block]:
    """What the tasks of a checkpoint ask."""
    state = facts.states[position]
    return [
        question_item(asked, raised) for asked, raised in zip(questions(state), facts.interrupts(position), strict=True)
    ]


def messages(facts: Facts, position: int, start: int, end: int) -> list[Block]:
    """The messages of a checkpoint from one index to another."""
    return message_items(facts, position, start, end)


def text(facts: Facts, position: int, index: int) -> str:
    """The whole text of a message of the conversation.

    Raises:
        InvalidInput: There is no such message.
    """
    channel, listed = main_channel(facts.states[position]["values"]) or ("", ())
    if not 0 <= index < len(listed):
        where = f"in {channel}" if channel else "at this checkpoint"
        raise InvalidInput(f"there is no message {index} {where}: it has {counted(len(listed), 'message')}")
    return whole_text(listed[index])


def value(facts: Facts, position: int, channel: Any, path: Sequence[str | int] = ()) -> str:
    """A value of the state as JSON text, whole.

    Args:
        facts: The thread.
        position: The checkpoint.
        channel: The channel.
        path: Keys and indexes within it.

    Raises:
        InvalidInput: There is no such value.
    """
    known = channels(facts.states[position]["values"])
    if channel not in known:
        raise InvalidInput(f"no channel {short(channel)} here; there is {', '.join(known) or 'none'}")
    found = known[channel]
    for number, step in enumerate(path):
        inner = found if isinstance(found, Mapping) else dict(enumerate(found)) if isinstance(found, list) else {}
        if isinstance(step, bool) or step not in inner:
            where = ".".join(map(str, (channel, *path[:number])))
            raise InvalidInput(f"there is no {short(step)} in {where} at this checkpoint")
        found = inner[step]
    return json_text(found, pretty=True)


def _messages(facts: Facts, position: int) -> dict[str, Any] | None:
    found = main_channel(facts.states[position]["values"])
    if found is None:
        return None
    channel, listed = found
    start = max(len(listed) - MESSAGES_SHOWN, 0)
    items = message_items(facts, position, start, len(listed))
    return {"channel": channel, "total": len(listed), "from": start, "items": items}


def _blocks(facts: Facts, position: int) -> Iterator[Block]:
    """What the conversation does not show: values of other channels, other messages, and what is not known."""
    values = facts.states[position]["values"]
    yield from unknown_notes(values)
    main, listed = main_channel(values), message_channels(values)
    room = VALUES_SHOWN
    for name, item in channels(values).items():
        if name not in listed:
            block = value_block(name, item, max(min(VALUE_SHOWN, room), 100), editable=not holds_placeholder(item))
            room -= len(block["text"])
            yield block
    shown = {id(item) for item in main[1]} if main else set()
    others = [message for _, message in messages_in(values) if id(message) not in shown]
    if others:
        yield heading(f"{counted(len(others), 'message')} elsewhere in the state")
        if len(others) > OTHERS_SHOWN:
            yield note(f"the last {OTHERS_SHOWN} of them")
        for message in others[-OTHERS_SHOWN:]:
            yield {**message_item(message), "kind": "message", "editable": False}


def unknown_notes(values: Any, *, with_channels: bool = False) -> Iterator[Block]:
    """What of a state is not known, and why; channels that are not known at all only `with_channels`."""
    parts = [part for part in unknown_parts(values) if with_channels or len(part.path) != 1]
    for part in parts[:UNKNOWN_SHOWN]:
        where = ".".join(map(str, part.path)) or "the whole state"
        yield note(f"not known: {where} ({part.reason})", "warn")
    if len(parts) > UNKNOWN_SHOWN:
        yield note(f"{len(parts) - UNKNOWN_SHOWN:,} more parts are not known", "warn")
