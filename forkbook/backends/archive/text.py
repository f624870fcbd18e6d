"""Values as bytes in an archive: canonical JSON, squeezed, and its hash; what changes here changes the format.

The text of a value is orjson's, keys in their order. What orjson refuses or changes (integers over 64 bits, NaN and
infinity, lone surrogates, deep nesting) is Python's JSON behind one blank, so that a text always says who reads it.
"""

import hashlib
import json
import math
import zlib
from collections.abc import Iterator
from typing import Any

import orjson

HASH_BYTES = 18
LARGEST = 1 << 28  # bytes of one value that an archive takes; what of it is read is the reader's budget
PIECE = 1 << 20  # bytes of a large text that are unpacked together
SHORTEST = 64  # bytes; shorter texts are kept as they are
STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
DICTIONARY = (
    b'{"thread_id":"","checkpoint_ns":"","checkpoint_id":"","checkpoint_map":null,"assistant_id":"","graph_id":"",'
    b'"run_id":"","user_id":"","metadata":{"created_by":"system","run_attempt":1,"langgraph_version":"1.2.22",'
    b'"langgraph_api_version":"0.16.7","langgraph_plan":"developer","langgraph_host":"self-hosted","source":"update",'
    b'"source":"input","source":"fork","source":"loop","step":1,"parents":{}},"values":{"messages":[{"role":"user",'
    b'"tool_calls":[{"name":"","args":{},"id":"call_","type":"tool_call"}],"invalid_tool_calls":[],"usage_metadata":'
    b'{"input_tokens":100,"output_tokens":10,"total_tokens":110,"input_token_details":{"cache_read":0},'
    b'"output_token_details":{"reasoning":0}},"status":"success","tool_call_id":"call_","artifact":null,"content":"",'
    b'"additional_kwargs":{"refusal":null},"response_metadata":{"token_usage":{},"model_provider":"openai",'
    b'"model_name":"gpt-","finish_reason":"stop","finish_reason":"tool_calls","logprobs":null},"type":"tool","name":'
    b'null,"id":"lc_run--","type":"system","type":"human","name":null,"id":"","type":"ai","name":null,"id":"'
)


class NotJson(ValueError):
    """A value is not JSON, so an archive cannot hold it unchanged."""


def encoded(value: Any) -> bytes:
    """The canonical text of a JSON value; 1, 1.0 and true differ, and so do other orders of keys.

    Raises:
        NotJson: Something in it is not JSON: another type, a key that is no string, itself again.
    """
    try:
        text = orjson.dumps(value, option=STRICT)
    except orjson.JSONEncodeError:
        return _by_python(value)
    return text if _finite(value) else _by_python(value)


def decoded(text: bytes) -> Any:
    """The value of a canonical text.

    Raises:
        ValueError: This is no such text.
    """
    if text[:1] == b" ":
        return json.loads(text.decode("utf-8", "surrogatepass"))
    return orjson.loads(text)


def _by_python(value: Any) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        _finite(value)
    except NotJson:
        raise
    except RecursionError as error:
        raise NotJson("it is nested too deeply") from error
    except (TypeError, ValueError) as error:
        raise NotJson(str(error)) from error
    return b" " + text.encode("utf-8", "surrogatepass")


def _finite(value: Any) -> bool:
    """Whether all floats are finite; all is checked to be JSON. Of dicts and lists the class does not matter."""
    finite, waiting = True, [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if isinstance(item, dict):
            for key in item:
                if type(key) is not str:
                    raise NotJson(f"it has the key {key!r}, which is no string")
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif kind is float:
            finite = finite and math.isfinite(item)
        elif kind is not str and kind is not int and kind is not bool and item is not None:
            raise NotJson(f"it holds a {kind.__module__}.{kind.__qualname__}, which is not JSON")
    return finite


def json_line(value: Any) -> tuple[bytes, bool]:
    """A value as JSON in one line of UTF-8, and whether NaN or an infinity is in it.

    Raises:
        NotJson: Something in it is no JSON: another type, a key that is no string, itself again.
    """
    text = encoded(value)
    if text[:1] != b" ":
        return text, False
    return json.dumps(value, separators=(",", ":")).encode(), _is_odd(value)


def _is_odd(value: Any) -> bool:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, float) and not math.isfinite(item):
            return True
    return False


def squeezed(text: bytes, dictionary: bytes = DICTIONARY) -> bytes:
    """A text as it is stored: as zlib if that is shorter. No JSON text begins with zlib's "x".

    Raises:
        NotJson: It is too large.
    """
    if len(text) > LARGEST:
        raise NotJson(f"one value of it has {len(text):,} bytes, and {LARGEST:,} is the most")
    if len(text) < SHORTEST:
        return text
    press = zlib.compressobj(6, zdict=dictionary)
    body = press.compress(text) + press.flush()
    return body if len(body) < len(text) else text


def unsqueezed(body: Any, dictionary: bytes = DICTIONARY, most: int = LARGEST) -> bytes | None:
    """The text of what is stored; None: it has more bytes than `most`.

    Raises:
        ValueError: It is not whole.
        zlib.error: It is damaged.
    """
    if not isinstance(body, bytes):
        raise ValueError("it is no blob")
    if body[:1] != b"x":
        return body if len(body) <= most else None
    press = zlib.decompressobj(zdict=dictionary)
    text = press.decompress(body, most + 1)
    if len(text) > most:
        return None
    _check_end(press)
    return text


def pieces(body: bytes, dictionary: bytes = DICTIONARY) -> Iterator[bytes]:
    """The text of what is stored, piece by piece, however large it is.

    Raises:
        ValueError: It is not whole.
        zlib.error: It is damaged.
    """
    if body[:1] != b"x":
        yield body
        return
    press = zlib.decompressobj(zdict=dictionary)
    left = memoryview(body)
    for start in range(0, len(left), PIECE):
        if press.eof:
            raise ValueError("there is more behind its end")
        waiting: bytes | memoryview = left[start : start + PIECE]
        while waiting and not press.eof:
            yield press.decompress(waiting, PIECE)
            waiting = press.unconsumed_tail
    while more := press.decompress(b"", PIECE):
        yield more
    _check_end(press)


def _check_end(press: Any) -> None:
    if not press.eof or press.unused_data:
        raise ValueError("it is cut")


def hasher(kind: str, size: int = HASH_BYTES) -> Any:
    """A BLAKE2b hasher; hashes of other kinds of things never meet."""
    return hashlib.blake2b(digest_size=size, person=kind.encode())


def hash_of(kind: str, data: bytes, size: int = HASH_BYTES) -> bytes:
    """The hash of a thing of some kind."""
    return hashlib.blake2b(data, digest_size=size, person=kind.encode()).digest()
