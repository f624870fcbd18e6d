"""Content blocks of messages: the texts that a tokenizer can count, and the blocks whose cost is unknown. Pure.

A block that holds a `text`, and reasoning that can be read, are texts. A tool call in the content is counted with the
message's `tool_calls`, or as name and arguments where these lack it. A tool's result is what its own blocks are. The
cost of all others is unknown: images, audio, video, files, documents, encrypted reasoning, and types not named here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ..model.messages import tool_calls
from ..model.text import json_text

MEDIA = (
    "image", "image_url", "input_image", "audio", "input_audio", "output_audio", "video", "video_url", "media", "file",
    "input_file", "document",
)  # fmt: skip
CALLS = (
    "tool_use", "tool_call", "tool_call_chunk", "function_call", "server_tool_use", "server_tool_call",
    "server_tool_call_chunk", "mcp_tool_use", "mcp_call", "custom_tool_call", "invalid_tool_call",
)  # fmt: skip
REASONING = ("reasoning", "thinking", "reasoning_content", "summary")


def texts(message: Mapping[str, Any]) -> list[str]:
    """What a tokenizer counts of a message: the texts of its content, and each tool call's name and arguments."""
    calls = [call_text(call) for call in tool_calls(message)]
    return [text for text in _walk(message) if text is not None] + calls


def unknown_blocks(message: Mapping[str, Any]) -> int:
    """How many blocks of a message's content have an unknown cost in tokens."""
    return 0 if isinstance(message["content"], str) else sum(text is None for text in _walk(message))


def call_text(call: Mapping[str, Any]) -> str:
    """A tool call as text: its name, and its arguments as JSON."""
    given = next((call[name] for name in ("args", "input", "arguments") if name in call), None)
    return f"{call.get('name')}{given if isinstance(given, str) else _json(given)}"


def _json(value: Any) -> str:
    return json_text(value)


def _walk(message: Mapping[str, Any]) -> Iterator[str | None]:
    return parts(message["content"], frozenset(str(call.get("id")) for call in tool_calls(message)))


def parts(content: Any, called: frozenset[str] = frozenset()) -> Iterator[str | None]:
    """The texts of some content in order, None for each block whose cost is unknown.

    Args:
        content: Text, a block, or a list of them.
        called: Ids of tool calls that are counted elsewhere.
    """
    for block in content if isinstance(content, list) else [content]:
        if isinstance(block, dict):
            yield from _block(block, called)
        elif block is not None:
            yield block if isinstance(block, str) else None


def _block(block: Mapping[str, Any], called: frozenset[str]) -> Iterator[str | None]:
    kind = str(block.get("type"))
    if isinstance(block.get("text"), str) and kind not in MEDIA:
        yield block["text"]
    elif kind in CALLS:
        if called.isdisjoint((str(block.get("id")), str(block.get("call_id")))):
            yield call_text(block)
    elif kind in REASONING:
        yield from parts(next((block[name] for name in REASONING if block.get(name)), 0), called)
    elif kind.endswith(("tool_result", "function_call_output")):
        yield from parts(block.get("content", block.get("output")), called)
    else:
        yield None
