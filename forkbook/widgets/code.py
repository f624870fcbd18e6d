"""The code behind a gesture, in all its languages, as HTML. Pure; all foreign text is escaped."""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

from ..errors import ForkbookError
from ..plot.html import GREY, WRAP, esc
from ..snippets import LANGUAGES, Code, Gesture, Place, code


class HasCode(Protocol):
    """An act or a copy's report."""

    def code(self, language: str | None = None) -> Code:
        """What was done, in a language."""


def code_view(done: HasCode) -> str:
    """What an act or a copy did, one language below the other; the one that fits its place is open."""
    return _folded(done.code)


def coming_view(place: Place, gesture: Gesture) -> str:
    """The same for a gesture that is about to be made."""
    return _folded(lambda language=None: code(place, gesture, language))


def _folded(written: Any) -> str:
    try:
        shown = written().language
    except ForkbookError as error:
        return f"<i style='{GREY}'>{esc(error)}</i>"
    return "".join(
        f"<details{' open' if language == shown else ''}><summary>{esc(row.label)}</summary>{_box(written, language)}"
        "</details>"
        for language, row in LANGUAGES.items()
    )


def _box(written: Any, language: str) -> str:
    try:
        return f"<pre style='{WRAP};line-height:1.4;margin:4px 0 8px'>{highlighted(written(language))}</pre>"
    except ForkbookError as error:
        return f"<p style='{GREY}'>{esc(error)}</p>"


def highlighted(snippet: Code) -> str:
    """A snippet as HTML, coloured for light and dark pages."""
    from pygments import highlight
    from pygments.lexers import get_lexer_by_name

    lexer = get_lexer_by_name(LANGUAGES[snippet.language].highlighted_as)
    lexer.stripnl = lexer.ensurenl = False
    return str(highlight(snippet, lexer, _formatter()))


@cache
def _formatter() -> Any:
    from pygments.formatters import HtmlFormatter
    from pygments.style import Style
    from pygments.token import Comment, Keyword, Number, String

    class Calm(Style):
        styles = {Comment: "#7a7f87", Keyword: "#6d4c9f", Number: "#1976d2", String: "#00796b"}  # noqa: RUF012

    return HtmlFormatter(style=Calm, nowrap=True, noclasses=True)
