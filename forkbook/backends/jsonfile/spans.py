"""The threads of a JSON text, one after the other, each with its place; what one holds hides no other. Pure.

Integers of more digits than Python makes numbers of are kept in their plain form, `{"__type__": "int", "value": "9…"}`.
"""

import json
import re
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from ..json_bounds import count_items
from ..shape import Unfit
from ..values.plain import tagged

MOST_DIGITS = 4_000  # of an integer; Python refuses to make one of 4,301
SPACE = re.compile(r"[ \t\r\n]*")
STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
NO_THREADS = 'holds no list of threads: neither [{…}, …] nor {"threads": […]}'


class Beyond(dict[str, Any]):
    """A thread that goes beyond the budget, without its lists and objects.

    Args:
        members: Its other members.
        bound: The bound that it goes beyond.
    """

    def __init__(self, members: Iterable[tuple[str, Any]], bound: str) -> None:
        super().__init__(members)
        self.bound = bound


def _integer(digits: str) -> Any:
    return int(digits) if len(digits) <= MOST_DIGITS else tagged("int", digits)


DECODER, OF_LONG_INTEGERS = json.JSONDecoder(), json.JSONDecoder(parse_int=_integer)


def loads(text: str | bytes) -> Any:
    """A JSON value.

    Raises:
        json.JSONDecodeError: It is none.
        RecursionError: It is nested too deeply.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(text, parse_int=_integer)


def threads(text: str, most: int | None = None) -> Iterator[tuple[int, int, Any]]:
    """Where each thread begins and ends, and what it is; one after the other, so that only one is in memory.

    Args:
        text: The text.
        most: Items of a thread that may have too many of them; None: none has.

    Raises:
        Unfit: It holds no list of threads.
        json.JSONDecodeError: It is not whole JSON.
        RecursionError: What is beside the threads is nested too deeply.
    """
    at = _past_space(text, 1 if text.startswith("\ufeff") else 0)
    if text.startswith("[", at):
        at = yield from _array(text, at, most)
    elif text.startswith("{", at):
        at = yield from _object(text, at, most)
    else:
        _value(text, at)
        raise Unfit(NO_THREADS)
    if _past_space(text, at) != len(text):
        raise json.JSONDecodeError("Extra data", text, at)


def _array(text: str, at: int, most: int | None) -> Generator[tuple[int, int, Any], None, int]:
    at = _past_space(text, at + 1)
    if text.startswith("]", at):
        return at + 1
    while True:
        value, end = _thread(text, at, most)
        yield at, end, value
        at = _past_space(text, end)
        if text.startswith("]", at):
            return at + 1
        at = _past_space(text, _past(text, ",", at))


def _object(text: str, at: int, most: int | None) -> Generator[tuple[int, int, Any], None, int]:
    """The threads of an object: those listed under `threads`; else it is a thread itself."""
    start, keys, listed = at, set[str](), False
    at = _past_space(text, at + 1)
    while not text.startswith("}", at):
        key, at = _key(text, at, first=not keys)
        keys.add(str(key))
        if key == "threads" and text.startswith("[", at):
            listed = True
            at = yield from _array(text, at, most)
        else:
            at = _end(text, at) if most is None else _skipped(text, at)
        at = _past_space(text, at)
    if not listed:
        if "thread_id" not in keys:
            raise Unfit(NO_THREADS)
        yield start, at + 1, _thread(text, start, most)[0]
    return at + 1


def _thread(text: str, at: int, most: int | None) -> tuple[Any, int]:
    """What may be a thread, and where it ends."""
    if most is not None:
        end = _skipped(text, at)
        if count_items(text[at:end].encode("utf-8", "surrogatepass")) > most:
            return Beyond(_shallow(text, at), "items"), end
    try:
        return _value(text, at)
    except RecursionError:
        return Beyond(_shallow(text, at), "depth"), _skipped(text, at)


def _shallow(text: str, at: int) -> Iterator[tuple[str, Any]]:
    """The members of an object that are not nested too deeply; none of a list."""
    if not text.startswith("{", at):
        return
    first, at = True, _past_space(text, at + 1)
    while not text.startswith("}", at):
        key, at = _key(text, at, first=first)
        end = _skipped(text, at)
        if text[at] not in "[{":
            yield str(key), _value(text, at)[0]
        first, at = False, _past_space(text, end)


def _key(text: str, at: int, *, first: bool) -> tuple[Any, int]:
    """The next key of an object, and where its value begins."""
    if not first:
        at = _past_space(text, _past(text, ",", at))
    key, at = _value(text, at)
    return key, _past_space(text, _past(text, ":", _past_space(text, at)))


def _value(text: str, at: int) -> tuple[Any, int]:
    """A value, and where it ends."""
    try:
        return DECODER.raw_decode(text, at)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return OF_LONG_INTEGERS.raw_decode(text, at)


def _end(text: str, at: int) -> int:
    """Where a value ends, however deep it is nested."""
    try:
        return _value(text, at)[1]
    except RecursionError:
        return _skipped(text, at)


def _skipped(text: str, at: int) -> int:
    """Where a value ends, of which nothing is made."""
    if text[at : at + 1] not in ("[", "{"):
        return _value(text, at)[1]
    depth = 0
    for found in STRING_OR_BRACKET.finditer(text, at):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if not depth:
            return found.end()
    raise json.JSONDecodeError("Expecting its end", text, at)


def _past_space(text: str, at: int) -> int:
    return SPACE.match(text, at).end()  # type: ignore[union-attr]  # it always matches


def _past(text: str, sign: str, at: int) -> int:
    if not text.startswith(sign, at):
        raise json.JSONDecodeError(f"Expecting {sign!r}", text, at)
    return at + 1
