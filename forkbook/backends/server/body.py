"""The body of an answer, measured while it comes: its bytes as unpacked, and what its JSON would make of them."""

import time
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import orjson

from .. import retry
from ..budget import Budget, Meter
from ..json_bounds import count_items, is_deeper
from ..values.cells import DAMAGES
from ..values.decode import json_as_it_is

PIECE = 1_000_000  # bytes that are unpacked at a time
SAID = 100_000  # bytes of an error's body: it is read for a person
UNPACKED_BY_US = "gzip, deflate"  # what a server may send
PACKED = {"": False, "identity": False, "gzip": True, "x-gzip": True, "deflate": True}
GZIP_OR_ZLIB = 47  # of zlib: what it is shows in its first bytes
DIGITS = bytes.maketrans(b"123456789", b"000000000")
SIGN_OF_LIFE = b":"  # begins a comment, which says that the line is there
BLANK_LINES = (b"\n\n", b"\r\n\r\n", b"\r\r")  # each ends an event
LONG_NUMBER = b"0" * 20  # one of 19 digits fits in 64 bits


def whole(response: httpx.Response, meter: Meter) -> httpx.Response:
    """An answer with its body read to its end, unpacked, and safe to be parsed; an error's may be cut short.

    Raises:
        OverBudget: It is too large, or makes too many or too deep lists.
        httpx.DecodingError: It is packed in a way that was not asked for, or damaged.
    """
    failed, parts, read = response.status_code >= 400, [], 0
    for part in unpacked(response):
        meter.take(nbytes=len(part))
        parts.append(part)
        read += len(part)
        if failed and read > SAID:
            break
    content = b"".join(parts)
    check_structure(content, meter)
    return with_body(response, httpx.ByteStream(content if failed else parsable(content)))


def with_body(response: httpx.Response, body: httpx.SyncByteStream) -> httpx.Response:
    """An answer with another body, which is not packed."""
    headers = [pair for pair in response.headers.multi_items() if pair[0] not in ("content-encoding", "content-length")]
    return httpx.Response(response.status_code, headers=headers, stream=body, extensions=response.extensions)


def unpacked(response: httpx.Response) -> Iterator[bytes]:
    """The body in small pieces, however much a few bytes of it unpack to; the line is given back at the end."""
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing not in PACKED:
        raise httpx.DecodingError(f"it is packed by {packing!r}, which was not asked for")
    stream: Any = response.stream  # a sync one: it comes from the transport
    try:
        yield from _pieces(stream) if PACKED[packing] else stream
    finally:
        stream.close()


def _pieces(packed: Iterable[bytes]) -> Iterator[bytes]:
    unpack = zlib.decompressobj(GZIP_OR_ZLIB)
    for part in packed:
        while part:
            try:
                piece = unpack.decompress(part, PIECE)
            except zlib.error as error:
                raise httpx.DecodingError(f"its packed body is damaged ({error})") from None
            part = unpack.unconsumed_tail
            if not piece and not part:
                break
            yield piece
    if not unpack.eof:
        raise httpx.DecodingError("its packed body ends too early")


def check_structure(content: bytes, meter: Meter) -> None:
    """Count the items and the depth of JSON before it is parsed.

    Raises:
        OverBudget: There are too many items, or lists too deep in each other.
    """
    meter.take(items=count_items(content))
    if is_deeper(content, meter.budget.depth):
        meter.refuse("depth")


def parsable(content: bytes) -> bytes:
    """JSON that the SDK's client can parse: long numbers and broken characters in forkbook's plain form."""
    if b"\\ud" not in content.lower() and b"\xed" not in content and not _has_long_number(content):
        return content
    try:
        return orjson.dumps(json_as_it_is(content))
    except DAMAGES:
        return content  # whoever parses it says what is wrong


def _has_long_number(content: bytes) -> bool:
    return LONG_NUMBER in content.translate(DIGITS)


class Silent(Exception):  # no error: whoever waits looks after the run
    """A run told nothing for a while."""


class Events(httpx.SyncByteStream):
    """The events of a run's stream, each measured before it goes on; together they have no bound.

    Args:
        response: The answer.
        budget: The bounds of one event.
        what: What is read, for the error's text.
    """

    def __init__(self, response: httpx.Response, budget: Budget, what: str) -> None:
        self._response, self._budget, self._what = response, budget, what

    def __iter__(self) -> Iterator[bytes]:
        meter, parts, begun = self._budget.meter(self._what), list[bytes](), time.monotonic()
        try:
            for part in unpacked(self._response):
                meter.take(nbytes=len(part))
                parts.append(part)
                if _ends_an_event(parts):
                    content = b"".join(parts)
                    check_structure(content, meter)
                    yield content
                    begun = begun if content.startswith(SIGN_OF_LIFE) else time.monotonic()
                    meter, parts = self._budget.meter(self._what), []
                if time.monotonic() - begun > retry.SILENCE_S:
                    raise Silent
        except httpx.ReadTimeout:
            raise Silent from None
        told, half = _whole_events(b"".join(parts))
        yield told
        if half.strip():
            raise httpx.RemoteProtocolError("it ended in the middle of an event")

    def close(self) -> None:
        """Give the connection back, or close it."""
        stream: Any = self._response.stream
        stream.close()


def _whole_events(content: bytes) -> tuple[bytes, bytes]:
    """The events that are whole, and the half one after them: its id must not count as told."""
    end = max((at + len(blank) for blank in BLANK_LINES if (at := content.rfind(blank)) >= 0), default=0)
    return content[:end], content[end:]


def _ends_an_event(parts: list[bytes]) -> bool:
    end = b"".join(parts[-2:]) if len(parts[-1]) < 4 else parts[-1]
    return end.endswith(BLANK_LINES)
