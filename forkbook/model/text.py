"""Text of any origin: shown with every character visible and none obeyed, cut to a length, or written as JSON. Pure."""

import html
import json
import unicodedata
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import orjson

P = ParamSpec("P")
SHAPELESS = ("Cc", "Cf", "Cs", "Zl", "Zp")
NO_CHARACTER = 0xFFFE  # and U+FFFF, and the like of other planes: XML takes none of the first two
NEEDED_JOINERS = "\u200c\u200d"


def visible(text: str) -> str:
    """Show what would not show, on one line: control characters, line breaks, direction marks, lone surrogates.

    Args:
        text: Text of any origin and length.

    Returns:
        The text with a line break as `⏎`, other ASCII control characters as their picture (`␛`), and what else has no
        shape of its own as its code (`\\u202e`). It is plain text still: pass it through `escape` for HTML.

    Example:
        >>> from forkbook.model.text import visible
        >>> visible("two\\nlines")
        'two⏎lines'
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _shape(character) for character in text.replace("\r\n", "\n")
    )


def visible_lines(text: str) -> str:
    """Show what would not show, as `visible` does, but keep the line breaks.

    Example:
        >>> from forkbook.model.text import visible_lines
        >>> print(visible_lines("one\\ntwo\\r"))
        one
        two␍
    """
    return text if text.isprintable() else "\n".join(map(visible, text.split("\n")))


def shown(method: Callable[P, str]) -> Callable[P, str]:
    """A method whose text may go to a terminal: whatever is in it, every line of it passes `visible`."""

    @wraps(method)
    def in_sight(*args: P.args, **more: P.kwargs) -> str:
        return visible_lines(method(*args, **more))

    return in_sight


def escape(text: str) -> str:
    """Make foreign text safe in HTML (also in a quoted attribute) and in a plotly figure.

    Plotly draws `<b>`, links and entities in its texts, and formulas between `$`; none of these survives.

    Args:
        text: Text of any origin and length.

    Returns:
        One line of text with its markup as character references.

    Example:
        >>> from forkbook.model.text import escape
        >>> escape("<b>5 $</b>")
        '&lt;b&gt;5 &#36;&lt;/b&gt;'
    """
    escaped = html.escape(visible(text), quote=False)
    return escaped.replace('"', "&#34;").replace("'", "&#39;").replace("$", "&#36;")


def escape_lines(text: str) -> str:
    """Make foreign text safe in HTML, as `escape` does, but keep its line breaks and tabs.

    Example:
        >>> from forkbook.model.text import escape_lines
        >>> print(escape_lines("a < b\\nb > c"))
        a &lt; b
        b &gt; c
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(escape, line.split("\t"))) for line in lines)


def without_surrogates(text: str) -> str:
    """A text with lone surrogates, which no file and no Arrow array can hold, as their escape (`\\ud83d`)."""
    return text.encode("utf-8", "backslashreplace").decode()


def cut(text: str, length: int) -> str:
    """The beginning of a text that is too long, with an ellipsis.

    Args:
        text: Any text; not yet escaped, or an entity could be cut in two.
        length: The most characters that come back, the ellipsis among them.

    Example:
        >>> from forkbook.model.text import cut
        >>> cut("checkpoint", 6)
        'check…'
    """
    return text if len(text) <= length else text[: max(length - 1, 0)].rstrip() + "…"


def short(value: Any, length: int = 60) -> str:
    """A value's repr on one line of at most so many characters."""
    return cut(visible(repr(value)), length)


def _shape(character: str) -> str:
    if character == "\n":
        return "⏎"
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    is_shapeless = unicodedata.category(character) in SHAPELESS or code & 0xFFFE == NO_CHARACTER
    if not is_shapeless or character in NEEDED_JOINERS:
        return character
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def json_text(value: Any, *, pretty: bool = False, ordered: bool = False) -> str:
    """A value as JSON; what JSON has no word for as its repr.

    Args:
        value: Any value.
        pretty: Indent by two spaces.
        ordered: Keys in alphabetical order, so that equal values have equal texts.

    Example:
        >>> from forkbook.model.text import json_text
        >>> json_text({"b": 1, "a": [2]}, ordered=True)
        '{"a":[2],"b":1}'
    """
    option = orjson.OPT_NON_STR_KEYS
    option |= (orjson.OPT_INDENT_2 if pretty else 0) | (orjson.OPT_SORT_KEYS if ordered else 0)
    try:
        return orjson.dumps(value, option=option, default=repr).decode()
    except TypeError:  # what orjson refuses is rare, and the standard library's is far slower
        separators = None if pretty else (",", ":")
        plain = _with_text_keys(value)
        return json.dumps(plain, default=repr, indent=2 * pretty or None, sort_keys=ordered, separators=separators)


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key if isinstance(key, str) else repr(key): _with_text_keys(item) for key, item in value.items()}
    return [_with_text_keys(item) for item in value] if isinstance(value, list | tuple) else value
