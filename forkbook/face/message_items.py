"""The messages of a state as the page shows them: the newest first to be read, long ones cut. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ..facts import Facts
from ..model.messages import Message, channels, key_of, role, tool_calls
from ..model.states import holds_placeholder
from ..model.text import json_text
from ..tokens.blocks import CALLS, REASONING, parts
from ..tokens.usage import report_of
from .blocks import Block, shorter
from .images import images, is_image

CHANNEL = "messages"  # LangGraph's own name for them
SHOWN, SHORT = 2_000, 300  # characters of a message; of one that is beyond what a page holds
PAGE_SHOWN, IMAGES_SHOWN = 16_000, 2_000_000  # characters of all texts, and of all images, on one page
ANCESTORS = 5_000  # that are searched for where a message arrived


def main_channel(values: Any) -> tuple[str, Sequence[Any]] | None:
    """The channel whose list of messages is the conversation: `messages`, else the longest; None: there is none."""
    found = message_channels(values)
    return max(found.items(), key=lambda item: (item[0] == CHANNEL, len(item[1])), default=None)


def message_channels(values: Any) -> dict[str, list[Any]]:
    """The channels that are lists with messages in them."""
    return {
        name: value
        for name, value in channels(values).items()
        if isinstance(value, list) and any(isinstance(item, Mapping) and role(item) for item in value)
    }


def message_items(facts: Facts, position: int, start: int, end: int, most: int = SHOWN) -> list[Block]:
    """Messages of the conversation at a checkpoint, oldest first; what is no message is shown as JSON.

    Args:
        facts: The thread.
        position: The checkpoint.
        start: The index of the first one.
        end: The index behind the last one.
        most: Characters that are shown of each text.
    """
    channel, listed = main_channel(facts.states[position]["values"]) or ("", ())
    wanted = dict(islice(enumerate(listed), start, end))
    arrived = _arrivals(facts, position, channel, wanted)
    items: list[Block] = []
    shown = seen = 0
    for index, item in reversed(wanted.items()):
        at = arrived.get(index)
        found = message_item(item, most if shown < PAGE_SHOWN else min(most, SHORT), IMAGES_SHOWN - seen)
        shown += len(found["text"])
        seen += sum(len(url) for url in found["images"] if url.startswith("data:"))
        found |= {"index": index, "fresh": at == position, "at": at, "editable": found["editable"]}
        if at is not None:
            found |= {"node": ", ".join(facts.made_by(at)) or None, "runs": facts.states[at]["next"]}
        items.append(found)
    return items[::-1]


def message_item(item: Any, most: int = SHOWN, room: int = IMAGES_SHOWN) -> Block:
    """One message, wherever it is from.

    Args:
        item: The message, or anything else that is in its place.
        most: Characters that are shown of its text.
        room: Characters that its images may have.
    """
    is_message = isinstance(item, Mapping) and role(item) is not None
    message: Mapping[str, Any] = item if is_message else {}
    text = whole_text(item)
    report = report_of(message) if is_message else None
    return {
        "index": -1,
        "id": _text_or_none(message.get("id")),
        "role": (role(message) if is_message else None) or "other",
        "name": _text_or_none(message.get("name")),
        "text": text[:most],
        "size": len(text),
        "cut": len(text) > most,
        "images": list(images(message.get("content"), room)),
        "tool_calls": list(_calls(message, most)),
        "tool_call_id": _text_or_none(message.get("tool_call_id")),
        "failed": failed(message),
        "tokens": report.total if report else None,
        "node": None,
        "fresh": False,
        "editable": is_message and not holds_placeholder(item),
    }


def failed(message: Mapping[str, Any]) -> bool:
    """Whether this says that a tool failed."""
    return message.get("status") == "error" and role(message) == "tool"


def whole_text(item: Any) -> str:
    """All that a message says; of a block that is neither text nor image its type in brackets."""
    if not isinstance(item, Mapping) or role(item) is None:
        return item if isinstance(item, str) else json_text(item)
    content = item["content"]
    if isinstance(content, str):
        return content
    called = bool(tool_calls(item))
    return "\n".join(
        said
        for block in (content if isinstance(content, list) else [content])
        if (said := _said(block, called)) is not None
    )


def _said(block: Any, called: bool) -> str | None:
    if isinstance(block, str) or block is None:
        return block
    if not isinstance(block, Mapping):
        return json_text(block)
    if is_image(block):
        return None
    kind = str(block.get("type"))
    if isinstance(block.get("text"), str):
        return str(block["text"])
    if kind in CALLS and called:
        return None
    texts = [text for text in parts(dict(block)) if text is not None]
    if not texts:
        return f"[{kind}]"
    return "\n".join([f"[{kind}] {texts[0]}" if kind in REASONING else texts[0], *texts[1:]])


def _calls(message: Mapping[str, Any], most: int) -> Iterator[Block]:
    for call in tool_calls(message):
        args = call.get("args")
        text = args if isinstance(args, str) else json_text(args)
        yield {"name": str(call.get("name")), "args": shorter(text, most), "id": _text_or_none(call.get("id"))}
    broken = message.get("invalid_tool_calls")
    for call in broken if isinstance(broken, list) else ():
        if isinstance(call, Mapping):
            args = shorter(str(call.get("args")), most)
            yield {"name": f"{call.get('name')} (invalid)", "args": args, "id": _text_or_none(call.get("id"))}


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _arrivals(facts: Facts, position: int, channel: str, wanted: Mapping[int, Any]) -> dict[int, int]:
    """Where messages arrived in the state, by index; those that are new at none of so many ancestors are left out."""
    missing: dict[Any, list[int]] = {}
    for index, item in wanted.items():
        if isinstance(item, dict) and role(item):
            missing.setdefault(_sign(channel, item), []).append(index)
    found: dict[int, int] = {}
    for at in islice(facts.tree.up(position), ANCESTORS):
        if not missing:
            break
        for message in facts.holdings[at].fresh.values():
            if indexes := missing.get(sign := _sign(channel, message)):
                found[indexes.pop()] = at
                if not indexes:
                    del missing[sign]
    return found


def _sign(channel: str, message: Message) -> Any:
    named = message.get("id")
    return named if isinstance(named, str) and named else key_of(channel, message)
