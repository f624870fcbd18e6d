"""Images in the content of messages, in the forms of LangChain and of providers, as data URLs for a page. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

MOST = 500_000  # characters of one data URL
DATA = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}\Z")
KINDS = ("image", "image_url", "input_image")


def images(content: Any, room: int) -> Iterator[str]:
    """The images of a message's content: of each a data URL, or in words why it is not shown.

    Args:
        content: Text, a block, or a list of them.
        room: Characters that all data URLs together may have.
    """
    for block in content if isinstance(content, list) else [content]:
        if not isinstance(block, Mapping) or not is_image(block):
            continue
        url = _url(block)
        shown = _shown(url) if url else "an image that is not in the message itself"
        if shown.startswith("data:"):
            room -= len(shown)
        yield shown if room >= 0 or not shown.startswith("data:") else "an image: there are too many to show here"


def is_image(block: Mapping[str, Any]) -> bool:
    """Whether a content block is an image."""
    media = block.get("mime_type") or block.get("media_type")
    return block.get("type") in KINDS or (
        block.get("type") in ("media", "file") and isinstance(media, str) and media.startswith("image/")
    )


def _shown(url: str) -> str:
    if not url.startswith("data:"):
        return f"an image at {url[:200]}, which is not loaded from here"
    if len(url) > MOST:
        return f"an image of {len(url):,} characters, too large to show here"
    return url if DATA.match(url) else "an image of another kind than PNG, JPEG, GIF and WebP"


def _url(block: Mapping[str, Any]) -> str | None:
    """Where a block has its image, as a URL; None: it only names it."""
    linked = block.get("image_url")
    source = block.get("source")
    inner = source if isinstance(source, Mapping) else {}
    given = (
        linked.get("url") if isinstance(linked, Mapping) else linked,
        _encoded(inner, inner.get("data")),
        _encoded(block, block.get("base64")),
        _encoded(block, block.get("data")),
        inner.get("url"),
        block.get("url"),
    )
    return next((url for url in given if isinstance(url, str) and url), None)


def _encoded(holder: Mapping[str, Any], data: Any) -> str | None:
    if not isinstance(data, str) or not data:
        return None
    if data.startswith("data:"):
        return data
    kind = holder.get("mime_type") or holder.get("media_type") or "image/png"
    return f"data:{kind};base64,{data}"
